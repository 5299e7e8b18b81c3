// How long a query that is made to hurt keeps whoever reads it: the limits on length wide open, so
// that the parser itself has to stop. The worst of each, and of all.
//
//   hostile_query_bench [rounds]
#include <string_view>

#include "a4c/json.h"
#include "a4c/query.h"
#include "bench/support/runtime.h"

namespace a4c::bench {
namespace {

Kind TheKind() {
  return {.name = "job",
          .fields = {{.name = "state", .type = FieldType::kKeyword, .searchable = true},
                     {.name = "title", .type = FieldType::kText, .searchable = true}}};
}

std::string Repeated(std::string_view piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += piece;
  return text;
}

struct Hostile {
  const char* name;
  std::string query;
};

std::vector<Hostile> All() {
  return {{"100 kB of one word", std::string(100'000, 'x')},
          {"100 kB of quotes", std::string(100'000, '"')},
          {"100 kB of escapes", Repeated("\\:", 50'000)},
          {"100 kB of stars", "state:" + Repeated("*a", 50'000)},
          {"depth 5,000", Repeated("(", 5'000) + "a" + Repeated(")", 5'000)},
          {"depth 5,000 of not", Repeated("not ", 5'000) + "a"},
          {"20,000 clauses", Repeated("state:a or ", 20'000) + "state:a"},
          {"20,000 values", "state:(" + Repeated("a and ", 20'000) + "a)"},
          {"20,000 words", Repeated("word ", 20'000)}};
}

// Most are refused, with the column.
double WorstMs(const Hostile& hostile, long rounds) {
  const Kind kind = TheKind();
  double worst_ms = 0;
  for (long round = 0; round < rounds; ++round) {
    const double began = Seconds();
    (void)ParseQuery(hostile.query, kind, 0, {.bytes_max = 4u << 20});
    worst_ms = std::max(worst_ms, (Seconds() - began) * 1e3);
  }
  return worst_ms;
}

}  // namespace
}  // namespace a4c::bench

int main(int argc, char** argv) {
  using namespace a4c::bench;
  const long rounds = Argument(argc, argv, 1, 100);
  a4c::Json line;
  line.Set("question", "the worst time to answer a hostile query");
  a4c::Json each(a4c::Json::Object{});
  double worst_ms = 0;
  for (const Hostile& hostile : All()) {
    const double ms = WorstMs(hostile, rounds);
    worst_ms = std::max(worst_ms, ms);
    each.AppendMember(hostile.name, ms);
  }
  line.Set("worst_ms_of", std::move(each)).Set("worst_ms", worst_ms).Set("reach_ms", 50);
  std::printf("%s\n", line.ToString().c_str());
  return 0;
}
