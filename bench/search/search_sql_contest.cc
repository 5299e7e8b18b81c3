#include "bench/search/search_sql_contest.h"

#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>

#include <array>

#include "a4c/query.h"

namespace a4c::bench {
namespace {

SqlQuestion Question(const char* name, const std::string& query,
                     const std::vector<std::string>& facets = {}) {
  SearchRequest request{.kind = a4cd::JobKind(),
                        .scope = kTenant,
                        .query = OrDie(ParseQuery(query, a4cd::JobKind(), 0)),
                        .sort = {{"created_at", true}}};
  for (const std::string& field : facets) request.facets.push_back({.field = field});
  return {name, query, facets, std::move(request)};
}

// One kept connection, one search at a time.
class Http {
 public:
  Http(const A4cdProcess& a4cd, const SqlQuestion& question)
      : session_("127.0.0.1", static_cast<uint16_t>(a4cd.port())),
        path_(SearchPath(question.query, question.facets)),
        key_("Bearer " + a4cd.key()) {
    session_.setKeepAlive(true);
  }

  void Ask() {
    Poco::Net::HTTPRequest request("GET", path_, Poco::Net::HTTPMessage::HTTP_1_1);
    request.set("Authorization", key_);
    session_.sendRequest(request);
    Poco::Net::HTTPResponse response;
    answer_.clear();
    Poco::StreamCopier::copyToString(session_.receiveResponse(response), answer_);
    if (response.getStatus() != Poco::Net::HTTPResponse::HTTP_OK) Die(path_ + ": " + answer_);
  }
  Found Answer() const {
    const Json json = OrDie(ParseJson(answer_));
    return {json["items"].Items().size(), json["total"].Int()};
  }

 private:
  Poco::Net::HTTPClientSession session_;
  const std::string path_;
  const std::string key_;
  std::string answer_;
};

Side OverHttp(const A4cdProcess& a4cd, const SqlQuestion& question) {
  auto http = std::make_shared<Http>(a4cd, question);
  return {[http] { http->Ask(); }, [http] { return http->Answer(); }};
}

Side ThroughPlugin(SearchIndex& index, const SearchRequest& request) {
  return SideOf([&index, &request] {
    const SearchAnswer answer = OrDie(index.Search(Within(), request));
    return Found{answer.hits.size(), answer.total};
  });
}

// The medians of the three, in microseconds.
std::array<double, 3> Times(const std::array<Side, 3>& sides, long rounds) {
  std::array<std::vector<double>, 3> times;
  for (long turn = 0; turn < rounds * 3; ++turn) {
    const auto i = static_cast<size_t>(turn + turn / 3) % 3;
    const double start = Seconds();
    sides[i].ask();
    times[i].push_back((Seconds() - start) * 1e6);
  }
  return {Median(times[0]), Median(times[1]), Median(times[2])};
}

Json Compare(const Side& http, const Side& plugin, const Side& bare, long rounds) {
  for (const Side* side : {&http, &plugin, &bare}) side->ask();
  if (http.found() != bare.found() || plugin.found() != bare.found()) {
    Die("they found different things");
  }
  const auto [http_us, plugin_us, sql_us] = Times({http, plugin, bare}, rounds);
  Json line;
  line.Set("total", bare.found().total).Set("sql_us", sql_us);
  line.Set("plugin_us", plugin_us).Set("plugin_ratio", plugin_us / sql_us);
  return line.Set("http_us", http_us).Set("ratio", http_us / sql_us);
}

}  // namespace

std::vector<SqlQuestion> SqlQuestions() {
  return {Question("newest", "*"),
          Question("filter", "state:failed and priority >= 5"),
          Question("and_or",
                   "(state:failed or type:image.build) and labels.team:t3 and not priority:1"),
          Question("words", "word17 word450"),
          Question("phrase", "\"word17 word450\" or \"word3 word4\""),
          Question("facets", "state:failed", {"state", "type", "labels.team"})};
}

Side SideOf(std::function<Found()> ask) {
  auto last = std::make_shared<Found>();
  return {[last, ask = std::move(ask)] { *last = ask(); }, [last] { return *last; }};
}

Json CompareAll(SearchIndex& index, const A4cdProcess& a4cd, const BareFor& bare, long rounds) {
  Json lines = Json::Object{};
  for (const SqlQuestion& question : SqlQuestions()) {
    const SearchPlan plan = OrDie(PlanSearch(question.request));
    lines.Set(question.name,
              Compare(OverHttp(a4cd, question), ThroughPlugin(index, question.request),
                      bare(question.request, plan), rounds));
  }
  return lines;
}

}  // namespace a4c::bench
