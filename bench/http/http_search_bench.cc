// What a search over HTTP costs on search-elastic: a4cd's GET /v1/jobs against the same search, in
// the server's own language, sent straight to it.
//
//   http_search_bench [documents] [seconds per round] [rounds]    servers as dev/stack env names
//   them
//
// Of each question both are first asked as fast as they answer (16 connections); then both get the
// same searches at half of the lower rate, a fixed one, in turn. Words and values change from one
// search to the next, alike for both. Times count from when a search was due.
#include <Poco/URI.h>

#include "a4c/json.h"
#include "a4c/plugin_host.h"
#include "a4c/query.h"
#include "a4c/search_index.h"
#include "a4c/search_plan.h"
#include "apps/a4cd/jobs/kinds.h"
#include "bench/support/a4cd_process.h"
#include "bench/support/http_load.h"
#include "bench/support/job_documents.h"
#include "bench/support/runtime.h"
#include "bench/support/sql.h"
#include "elastic_index.h"
#include "elastic_query.h"

namespace a4c::bench {
namespace {

constexpr int kConnections = 16;
constexpr int64_t kShardSize = 1'000;  // as search-elastic asks first

// A kind of search; each number makes another one of it.
struct Question {
  const char* name;
  std::string (*query)(uint64_t number);
  std::vector<std::string> facets = {};
};

std::vector<Question> Questions() {
  static const auto text = [](uint64_t number) { return std::to_string(number); };
  return {{"filter", [](uint64_t n) { return "state:failed and priority >= " + text(n % 10); }},
          {"and_or",
           [](uint64_t n) {
             return "(state:failed or type:image.build) and labels.team:t" + text(n % 20) +
                    " and not priority:" + text(n % 7);
           }},
          {"words", [](uint64_t n) { return Word(n) + " " + Word(n * 7 + 3); }},
          {"facets",
           [](uint64_t n) { return "state:failed and labels.team:t" + text(n % 20); },
           {"type", "state", "labels.tier"}}};
}

class Rig {
 public:
  Rig()
      : urls_(FromEnvironment("A4C_TEST_ELASTICSEARCH_URLS")),
        prefix_("bench" + std::to_string(TheRuntime().random.Next() % 100'000'000) + "_"),
        server_(urls_.substr(0, urls_.find(','))),
        index_(OrDie(plugins_.MakeSearchIndex(A4C_SEARCH_ELASTIC, IndexConfig()))),
        dsn_(FromEnvironment("A4C_TEST_POSTGRES_DSN")),
        a4cd_("roles: [api]\nstore: {plugin: store-postgres, config: {dsn: \"" + dsn_ +
              "\", schema: " + prefix_ + "}}\nsearch: {plugin: search-elastic, config: {urls: [" +
              urls_ + "], index_prefix: " + prefix_ + "}}\nhosts: {plugin: none}\n") {}
  ~Rig() {
    RunHttpLoad({.port = server_.getPort(), .connections = 1, .seconds = 0, .next = [&] {
                   return RequestText("DELETE", "/" + Alias() + "-000001", "");
                 }});
    Sql(dsn_).Ask("DROP SCHEMA " + prefix_ + " CASCADE");
  }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  SearchIndex& index() { return *index_; }

  // rate 0: as fast as it answers.
  LoadResult Ours(const Question& question, double seconds, double rate) {
    uint64_t number = 0;
    return Run(a4cd_.port(), seconds, rate,
               [&, number]() mutable { return OurText(question, ++number); });
  }
  LoadResult Theirs(const Question& question, double seconds, double rate) {
    uint64_t number = 0;
    return Run(server_.getPort(), seconds, rate,
               [&, number]() mutable { return TheirText(question, ++number); });
  }

 private:
  static LoadResult Run(int port, double seconds, double rate, std::function<std::string()> next) {
    LoadResult result = RunHttpLoad({.port = port,
                                     .connections = kConnections,
                                     .seconds = seconds,
                                     .rate = rate,
                                     .next = std::move(next)});
    if (!result.refused.empty()) {
      Die("a search was answered " + std::to_string(result.refused.begin()->first));
    }
    return result;
  }

  ConfigValue IndexConfig() const {
    const ConfigValue list{.shape = ConfigValue::Shape::kList,
                           .list = {ConfigValue::Scalar(urls_)}};
    return ConfigValue::Map({{"urls", list}, {"index_prefix", ConfigValue::Scalar(prefix_)}});
  }

  std::string Alias() const { return elastic::AliasOf({.prefix = prefix_}, "job"); }

  std::string OurText(const Question& question, uint64_t number) const {
    return RequestText("GET", SearchPath(question.query(number), question.facets), a4cd_.key());
  }

  std::string TheirText(const Question& question, uint64_t number) const {
    SearchRequest request{.kind = a4cd::JobKind(),
                          .scope = kTenant,
                          .query = OrDie(ParseQuery(question.query(number), a4cd::JobKind(), 0)),
                          .sort = {{"created_at", true}}};
    for (const std::string& field : question.facets) request.facets.push_back({.field = field});
    const SearchPlan plan = OrDie(PlanSearch(request));
    return RequestText("POST", "/" + Alias() + "/_search?allow_partial_search_results=false", "",
                       elastic::SearchBody(plan, request, kShardSize).ToString());
  }

  const std::string urls_;
  const std::string prefix_;
  const Poco::URI server_;
  PluginHost plugins_{TheRuntime(), {.directories = {}}};
  const std::unique_ptr<SearchIndex> index_;
  const std::string dsn_;
  const A4cdProcess a4cd_;
};

Json Compare(Rig& rig, const Question& question, double seconds, long rounds) {
  const double ours_peak = rig.Ours(question, seconds, 0).per_second;
  const double theirs_peak = rig.Theirs(question, seconds, 0).per_second;
  const double rate = std::min(ours_peak, theirs_peak) / 2;
  std::vector<double> p50[2], p99[2];
  for (long round = 0; round < rounds; ++round) {
    for (long turn = 0; turn < 2; ++turn) {
      const size_t theirs = static_cast<size_t>((round + turn) % 2);
      const LoadResult result =
          theirs == 1 ? rig.Theirs(question, seconds, rate) : rig.Ours(question, seconds, rate);
      p50[theirs].push_back(result.p50_ms);
      p99[theirs].push_back(result.p99_ms);
    }
  }
  Json line;
  line.Set("peak_per_second", ours_peak).Set("server_peak_per_second", theirs_peak);
  line.Set("rate", rate).Set("p50_ms", Median(p50[0])).Set("server_p50_ms", Median(p50[1]));
  line.Set("p99_ms", Median(p99[0])).Set("server_p99_ms", Median(p99[1]));
  line.Set("p50_ratio", Median(p50[0]) / Median(p50[1]));
  return line.Set("p99_ratio", Median(p99[0]) / Median(p99[1]));
}

}  // namespace
}  // namespace a4c::bench

int main(int argc, char** argv) {
  using namespace a4c::bench;
  const int64_t documents = Argument(argc, argv, 1, 1'000'000);
  const auto seconds = static_cast<double>(Argument(argc, argv, 2, 5));
  const long rounds = Argument(argc, argv, 3, 5);
  Rig rig;
  FillWithJobs(rig.index(), documents);
  a4c::Json answers = a4c::Json::Object{};
  for (const Question& question : Questions()) {
    answers.Set(question.name, Compare(rig, question, seconds, rounds));
  }
  a4c::Json line;
  line.Set("question",
           "a search over HTTP on search-elastic against the same one straight to the "
           "server, at half of the peak");
  line.Set("documents", documents).Set("page", 50).Set("answers", std::move(answers));
  line.Set("reach_p50_ratio", 1.15).Set("reach_p99_ratio", 1.3);
  std::printf("%s\n", line.ToString().c_str());
  return 0;
}
