// What the two halves of search_sql_bench share: documents, questions, and how times are compared.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "a4c/json.h"
#include "a4c/plugin_host.h"
#include "a4c/search_index.h"
#include "a4c/search_plan.h"
#include "a4c/sinks.h"

namespace a4c::bench {

inline const Runtime& TheRuntime() {
  static const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  return runtime;
}

[[noreturn]] inline void Die(const std::string& why) {
  std::fprintf(stderr, "search_sql_bench: %s\n", why.c_str());
  std::exit(1);
}

template <typename T>
T OrDie(Result<T> result) {
  if (!result) Die(result.error().ToString());
  return *std::move(result);
}

inline Call Within() {
  return Call::Within(TheRuntime().clock, 600'000);
}

inline Kind PhotoKind() {
  return Kind{.name = "photo",
              .fields = {{.name = "state", .type = FieldType::kKeyword, .searchable = true},
                         {.name = "album", .type = FieldType::kKeyword, .searchable = true},
                         {.name = "title", .type = FieldType::kText, .searchable = true},
                         {.name = "views", .type = FieldType::kLong, .searchable = true},
                         {.name = "taken_at", .type = FieldType::kTime, .searchable = true},
                         {.name = "labels", .type = FieldType::kMap, .searchable = true}}};
}

// About 700 bytes each; a tenth is "failed", a word stands in one title of about 200.
inline Document Photo(std::mt19937& random, int64_t number) {
  std::string title;
  for (int i = 0; i < 8; ++i) title += "word" + std::to_string(random() % 1600) + " ";
  const char* state = random() % 10 == 0 ? "failed" : random() % 4 == 0 ? "waiting" : "done";
  Json body;
  body.Set("state", state).Set("album", "a" + std::to_string(random() % 40)).Set("title", title);
  body.Set("views", static_cast<int64_t>(random() % 1000));
  body.Set("taken_at", 1'790'000'000'000 + number * 1000);
  body.Set("labels", Json().Set("team", "t" + std::to_string(random() % 20)).Set("tier", "1"));
  body.Set("note", std::string(400, 'n'));
  std::string id = std::to_string(number);
  id.insert(0, 12 - id.size(), '0');
  return {.ref = {"photo", {"s", id}}, .rev = 1, .body = body.ToString()};
}

inline void Fill(SearchIndex& index, int64_t documents) {
  std::mt19937 random(7);
  const Kind kind = PhotoKind();
  if (const auto ensured = index.Ensure(Within(), {&kind, 1}); !ensured) {
    Die(ensured.error().ToString());
  }
  std::vector<Document> some;
  for (int64_t n = 0; n < documents; ++n) {
    some.push_back(Photo(random, n));
    if (some.size() < 1000 && n + 1 < documents) continue;
    for (const BulkResult& result : OrDie(index.Bulk(Within(), some))) {
      if (result.outcome != BulkOutcome::kApplied) Die("a document was not written");
    }
    some.clear();
  }
}

struct Question {
  const char* name;
  SearchRequest request;
};

inline std::vector<Question> Questions() {
  const auto ask = [](const char* text, std::vector<FacetKey> facets = {}) {
    return SearchRequest{.kind = PhotoKind(),
                         .scope = "s",
                         .query = OrDie(ParseQuery(text, PhotoKind(), 0)),
                         .sort = {{"taken_at", true}},
                         .facets = std::move(facets)};
  };
  return {{"newest", ask("*")},
          {"filter", ask("state:failed and views >= 500")},
          {"and_or", ask("(state:failed or album:a7) and labels.team:t3 and not album:a1")},
          {"words", ask("word17 word450")},
          {"phrase", ask("\"word17 word450\" or \"word3 word4\"")},
          {"facets", ask("state:failed", {{"state"}, {"album"}, {"labels.team"}})}};
}

inline double Seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

inline double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// Both ask in turn and begin in turn; each answers the number of hits and the total.
struct Found {
  size_t hits = 0;
  int64_t total = 0;
  bool operator==(const Found&) const = default;
};
using Ask = std::function<Found()>;

inline Json Compare(const Ask& plugin, const Ask& bare, long rounds) {
  if (!(plugin() == bare())) Die("the two found different things");
  std::vector<double> times[2];
  for (long round = 0; round < rounds; ++round) {
    for (int turn = 0; turn < 2; ++turn) {
      const bool ours = (round + turn) % 2 == 0;
      const double start = Seconds();
      ours ? plugin() : bare();
      times[ours ? 0 : 1].push_back(Seconds() - start);
    }
  }
  const double ours = Median(times[0]) * 1e6;
  const double theirs = Median(times[1]) * 1e6;
  Json line;
  return line.Set("total", plugin().total)
      .Set("plugin_us", ours)
      .Set("sql_us", theirs)
      .Set("ratio", ours / theirs);
}

inline Found AskPlugin(SearchIndex& index, const SearchRequest& request) {
  const SearchAnswer answer = OrDie(index.Search(Within(), request));
  return {answer.hits.size(), answer.total};
}

// The answers to all questions; each half makes how the bare side asks one.
using BareFor = std::function<Ask(const SearchRequest& request, const SearchPlan& plan)>;
inline Json CompareAll(SearchIndex& index, const BareFor& bare, long rounds) {
  Json lines = Json::Object{};
  for (const Question& question : Questions()) {
    const SearchPlan plan = OrDie(PlanSearch(question.request));
    lines.Set(question.name, Compare([&] { return AskPlugin(index, question.request); },
                                     bare(question.request, plan), rounds));
  }
  return lines;
}

Json CompareSqlite(PluginHost& plugins, int64_t documents, long rounds);
Json ComparePostgres(PluginHost& plugins, const std::string& dsn, int64_t documents, long rounds);

}  // namespace a4c::bench
