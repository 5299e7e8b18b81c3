// What must hold of any text that somebody sends as a query. One input is one query; the last byte
// chooses where the cursor of a completion stands.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "a4c/completion.h"
#include "a4c/highlight.h"
#include "a4c/json.h"
#include "a4c/query.h"
#include "a4c/search_plan.h"
#include "tests/fuzz/fuzz_target.h"

namespace a4c {
namespace {

constexpr int64_t kNowMs = 1793700000000;
constexpr std::string_view kBody =
    R"({"state":["failed","a*b"],"title":"Connection refused by 10.0.0.1, \u00c4rger","error":"e",)"
    R"("views":7,"score":0.5,"done":true,"created_at":1793491200000,"labels":{"team":"infra","a=b":"c"}})";

const Kind& TheKind() {
  static const Kind kind{
      .name = "thing",
      .fields = {{.name = "state", .type = FieldType::kKeyword, .searchable = true},
                 {.name = "title", .type = FieldType::kText, .searchable = true},
                 {.name = "error", .type = FieldType::kText, .searchable = true},
                 {.name = "views", .type = FieldType::kLong, .searchable = true},
                 {.name = "score", .type = FieldType::kDouble, .searchable = true},
                 {.name = "done", .type = FieldType::kBool, .searchable = true},
                 {.name = "created_at", .type = FieldType::kTime, .searchable = true},
                 {.name = "labels", .type = FieldType::kMap, .searchable = true}}};
  return kind;
}

const SearchDocument& TheDocument() {
  static const SearchDocument document = *MakeSearchDocument(
      TheKind(), {.ref = {"thing", {"", "x"}}, .rev = 1, .body = std::string(kBody)});
  return document;
}

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

// "column 12: ..." within the text, or a reason that concerns all of it.
void CheckError(const Error& error, std::string_view text) {
  Require(error.code() == Code::kInvalid, "a query is refused as invalid");
  Require(IsUtf8(error.message()) && IsUtf8(error.hint()), "an error is UTF-8");
  Require(error.message().size() < 500 && error.hint().size() < 500, "an error is short");
  if (!error.message().starts_with("column ")) return;
  const unsigned long column = std::strtoul(error.message().c_str() + 7, nullptr, 10);
  Require(column >= 1 && column <= text.size() + 1, "a column is within the query");
}

void CheckTree(const Query& query) {
  const auto resolved = ResolveQuery(query, TheKind());
  Require(resolved.has_value(), "what can be parsed can be resolved");
  const bool matches = MatchesResolved(*resolved, TheDocument());
  Query negation{.node = Query::Node::kNot};
  negation.children.push_back(query);
  const auto negated = ResolveQuery(negation, TheKind());
  Require(!negated || MatchesResolved(*negated, TheDocument()) != matches, "not turns it round");
  for (const Highlight& highlight : HighlightsOf(query, TheKind(), kBody)) {
    for (const Fragment& fragment : highlight.fragments) {
      for (const TextSpan& match : fragment.matches) {
        Require(match.offset + match.size <= fragment.text.size(), "a match is within its text");
      }
    }
  }
}

void CheckCompletion(std::string_view text, size_t cursor) {
  const QueryCompletion completion = CompleteQuery(text, cursor, TheKind());
  Require(completion.offset + completion.size == cursor, "a completion ends at the cursor");
  for (const Suggestion& suggestion : completion.suggestions) {
    Require(!suggestion.text.empty() && IsUtf8(suggestion.text), "a suggestion is a text");
  }
}

}  // namespace

void FuzzOne(std::string_view input) {
  const auto query = ParseQuery(input, TheKind(), kNowMs);
  if (query) {
    CheckTree(*query);
  } else {
    CheckError(query.error(), input);
  }
  const size_t last = input.empty() ? 0 : static_cast<unsigned char>(input.back());
  CheckCompletion(input, last % (input.size() + 1));
  CheckCompletion(input, input.size());
  if (!IsUtf8(input) || input.find('\0') != std::string_view::npos) return;
  const auto quoted =
      ParseQuery("state:" + QuotedIfNeeded(input), TheKind(), kNowMs, {.bytes_max = 1u << 20});
  Require(quoted && quoted->value == Scalar(std::string(input)), "a quoted value is itself");
}

}  // namespace a4c
