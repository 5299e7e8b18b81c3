// An index full of jobs, and how it is searched over HTTP: for benchmarks of searches.
#pragma once

#include <cctype>
#include <random>
#include <string>
#include <vector>

#include "a4c/search_index.h"
#include "apps/a4cd/jobs/job.h"
#include "apps/a4cd/jobs/kinds.h"
#include "bench/support/runtime.h"

namespace a4c::bench {

// The tenant of a first key.
inline constexpr const char* kTenant = "default";

inline Call Within() {
  return Call::Within(TheRuntime().clock, 600'000);
}

inline std::string Word(uint64_t number) {
  return "word" + std::to_string(number % 1600);
}

// About 900 bytes. A tenth has failed; a word stands in one title of 200.
inline Document JobNumber(std::mt19937& random, int64_t number) {
  a4cd::Job job;
  job.id = std::to_string(number);
  job.id.insert(0, 12 - job.id.size(), '0');
  job.type = random() % 3 == 0 ? "image.build" : "command.run";
  for (int i = 0; i < 8; ++i) job.title += Word(random()) + " ";
  job.state = random() % 10 == 0 ? a4cd::JobState::kFailed : a4cd::JobState::kSucceeded;
  job.reason = job.state == a4cd::JobState::kFailed ? a4cd::reason::kError : a4cd::reason::kDone;
  job.message = "exit code " + std::to_string(random() % 200) + " after 30 s";
  job.labels = {{"team", "t" + std::to_string(random() % 20)}, {"tier", "1"}};
  job.priority = static_cast<int64_t>(random() % 10);
  job.created_at = 1'790'000'000'000 + number * 1000;
  job.updated_at = job.finished_at = job.created_at + 30'000;
  job.payload.Set("command", std::string(300, 'c'));
  return {.ref = {"job", {kTenant, job.id}}, .rev = 1, .body = a4cd::JobBody(job)};
}

inline void FillWithJobs(SearchIndex& index, int64_t documents) {
  constexpr size_t kBulk = 2'000;
  std::mt19937 random(7);
  std::vector<Document> some;
  if (const auto ensured = index.Ensure(Within(), {&a4cd::JobKind(), 1}); !ensured) {
    Die(ensured.error().ToString());
  }
  for (int64_t number = 0; number < documents; ++number) {
    some.push_back(JobNumber(random, number));
    if (some.size() < kBulk && number + 1 < documents) continue;
    for (const BulkResult& result : OrDie(index.Bulk(Within(), some))) {
      if (result.outcome != BulkOutcome::kApplied) Die("a document was not written");
    }
    some.clear();
  }
  if (!index.Refresh(Within(), "job")) Die("a refresh failed");
}

// GET of this search: the path with its query.
inline std::string SearchPath(const std::string& query, const std::vector<std::string>& facets) {
  std::string path = "/v1/jobs?q=";
  for (const char c : query) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-';
    char code[4];
    std::snprintf(code, sizeof(code), "%%%02X", static_cast<unsigned>(c));
    path += plain ? std::string(1, c) : std::string(code);
  }
  const char* before = "&facets=";
  for (const std::string& field : facets) path += std::exchange(before, ",") + field;
  return path;
}

}  // namespace a4c::bench
