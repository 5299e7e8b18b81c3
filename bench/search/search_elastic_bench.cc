// What Bulk through the plugin costs, against the same HTTP library sending the same bulk bodies,
// made beforehand, by itself.
//
//   search_elastic_bench [url] [documents per round] [rounds]
//
// The url: the argument, or A4C_TEST_ELASTICSEARCH_URLS. The two take turns, begin in turn, and
// write the same revs of the same ids to an index each. `ratio` is the median of the rounds' ratios
// of time; `client_us_per_document` is the processor time that the plugin adds in this process.
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "a4c/json.h"
#include "a4c/plugin_host.h"
#include "a4c/sinks.h"
#include "bench/support/search_documents.h"

namespace a4c::bench {
namespace {

Runtime TheRuntime() {
  return SystemRuntime(NullLogSink(), NullMetricSink());
}

[[noreturn]] void Fail(const std::string& why) {
  std::fprintf(stderr, "search_elastic_bench: %s\n", why.c_str());
  std::exit(1);
}

struct Times {
  double seconds = 0;
  double client_seconds = 0;  // of processor time
};

class Stopwatch {
 public:
  Times Stop() const { return {Now() - start_, Processor() - processor_}; }

 private:
  static double Now() { return static_cast<double>(TheRuntime().clock.MonotonicNs()) * 1e-9; }
  static double Processor() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

  double start_ = Now();
  double processor_ = Processor();
};

Times ThroughPlugin(SearchIndex& index, const std::vector<Document>& documents) {
  const Call call = Call::Within(TheRuntime().clock, 300'000);
  const Stopwatch stopwatch;
  for (size_t from = 0; from < documents.size(); from += kPerCall) {
    const auto part =
        std::span(documents).subspan(from, std::min(kPerCall, documents.size() - from));
    const auto results = index.Bulk(call, part);
    if (!results) Fail(results.error().ToString());
    for (const BulkResult& result : *results) {
      if (result.outcome != BulkOutcome::kApplied) Fail("a document was not applied");
    }
  }
  return stopwatch.Stop();
}

Times Bare(Poco::Net::HTTPClientSession& session, const std::vector<std::string>& requests) {
  const Stopwatch stopwatch;
  for (const std::string& lines : requests) {
    const std::string refused = SendLines(session, lines);
    if (!refused.empty()) Fail("bare: " + refused);
  }
  return stopwatch.Stop();
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

int Run(const std::string& url, size_t count, int rounds) {
  const std::string word = std::to_string(TheRuntime().random.Next() % 100'000'000);
  const Kind kinds[] = {KindNamed("bench_plugin_" + word), KindNamed("bench_bare_" + word)};
  ConfigValue urls{.shape = ConfigValue::Shape::kList, .list = {ConfigValue::Scalar(url)}};
  PluginHost host(TheRuntime(), {.directories = {}});
  auto index = host.MakeSearchIndex(
      A4C_SEARCH_ELASTIC,
      ConfigValue::Map({{"urls", urls}, {"replicas", ConfigValue::Scalar("0")}}));
  if (!index) Fail(index.error().ToString());
  const auto ensured = (*index)->Ensure(Call::Within(TheRuntime().clock, 60'000), kinds);
  if (!ensured) Fail(ensured.error().ToString());
  const Poco::URI uri(url);
  Poco::Net::HTTPClientSession session(uri.getHost(), uri.getPort());
  session.setKeepAlive(true);
  session.setTimeout(Poco::Timespan(60, 0));

  std::vector<double> plugin, bare, ratio, client;
  for (int round = -1; round < rounds; ++round) {  // the first makes both warm and is not counted
    const auto documents = DocumentsOf(kinds[0].name, count, round + 2);
    const auto requests = RequestsOf(kinds[1], DocumentsOf(kinds[1].name, count, round + 2));
    Times by_itself;
    if (round % 2 != 0) by_itself = Bare(session, requests);
    const Times through = ThroughPlugin(**index, documents);
    if (round % 2 == 0) by_itself = Bare(session, requests);
    if (round < 0) continue;
    plugin.push_back(through.seconds);
    bare.push_back(by_itself.seconds);
    ratio.push_back(through.seconds / by_itself.seconds);
    client.push_back((through.client_seconds - by_itself.client_seconds) * 1e6 /
                     static_cast<double>(count));
  }
  for (const Kind& kind : kinds) Drop(session, kind);
  Json line;
  line.Set("question", "plugin tax: Bulk through search-elastic against the bare HTTP client");
  line.Set("documents", static_cast<int64_t>(count)).Set("rounds", rounds);
  line.Set("plugin_documents_per_second", static_cast<double>(count) / Median(plugin));
  line.Set("bare_documents_per_second", static_cast<double>(count) / Median(bare));
  line.Set("client_us_per_document", Median(client));
  line.Set("ratio", Median(ratio)).Set("reach", 1.15);
  std::printf("%s\n", line.ToString().c_str());
  return 0;
}

}  // namespace
}  // namespace a4c::bench

int main(int argc, char** argv) {
  const char* variable = std::getenv("A4C_TEST_ELASTICSEARCH_URLS");
  const std::string url = argc > 1 ? argv[1] : variable ? variable : "";
  const size_t count = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 10'000;
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 7;
  if (url.empty() || count == 0 || rounds <= 0) {
    std::fprintf(stderr, "usage: search_elastic_bench url [documents per round] [rounds]\n");
    return 2;
  }
  return a4c::bench::Run(url.substr(0, url.find(',')), count,
                         rounds);  // of several nodes the first
}
