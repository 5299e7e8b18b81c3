// The highest rate of creates that the whole stack keeps up with: a4cd on PostgreSQL, Kafka and
// Elasticsearch, every job created over HTTP at a fixed rate, written, announced, read again,
// indexed and confirmed. And what a job costs in processor time, of all processes of the machine,
// against the same rows by pgbench and the same documents by _bulk at the same rate.
//
//   held_load_bench [seconds held] [seconds per trial] [rate]    servers as dev/stack env names
//   them
//
// A rate is kept if creates are answered at it, the oldest change that no search shows is not older
// than 2 s in 99 of 100 looks, one a second, and it is not older at the end than in the beginning.
// The rate is found by halving, unless it is given, then held: each try begins with an empty index
// and takes a lower rate than the one before. Processor time of the load itself is left out.
#include <Poco/URI.h>
#include <sys/resource.h>

#include <cmath>
#include <fstream>
#include <optional>

#include "a4c/json.h"
#include "a4c/plugin_host.h"
#include "a4c/search_index.h"
#include "apps/a4cd/jobs/kinds.h"
#include "bench/support/a4cd_process.h"
#include "bench/support/create_requests.h"
#include "bench/support/create_script.h"
#include "bench/support/pgbench.h"
#include "bench/support/runtime.h"
#include "bench/support/search_documents.h"
#include "bench/support/sql.h"

namespace a4c::bench {
namespace {

constexpr double kLagMaxMs = 2'000;
constexpr double kLagFlatMs = 1'500;  // it rises and falls with each refresh, one a second
constexpr int kTrials = 5;
constexpr int kTries = 4;
constexpr double kNextTry = 0.85;  // of the rate that was not kept
constexpr double kDrainSeconds = 300;
constexpr int64_t kBulk = 500;

double SecondsOf(const rusage& usage) {
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Processor time that the machine has spent, but for this process and those that it waited for.
double BusySeconds() {
  std::ifstream stat("/proc/stat");
  std::string name;
  double user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0;
  stat >> name >> user >> nice >> system >> idle >> iowait >> irq >> softirq;
  rusage self{}, children{};
  getrusage(RUSAGE_SELF, &self);
  getrusage(RUSAGE_CHILDREN, &children);
  return (user + nice + system + irq + softirq) / static_cast<double>(sysconf(_SC_CLK_TCK)) -
         SecondsOf(self) - SecondsOf(children);
}

// Looks once a second how far the index is behind.
class LagProbe {
 public:
  explicit LagProbe(const A4cdProcess& a4cd)
      : a4cd_(a4cd),
        thread_(TheRuntime().threads.Start("probe", [this](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            Look();
            Pause(1'000);
          }
        })) {}

  std::vector<double> Stop() {
    thread_->RequestStop();
    thread_->Join();
    return lag_ms_;
  }

 private:
  void Look() { lag_ms_.push_back(static_cast<double>(Status(a4cd_)["lag_ms"].Int())); }

 public:
  static Json Status(const A4cdProcess& a4cd) {
    return OrDie(ParseJson(a4cd.Ask("GET", "/v1/sync")));
  }

 private:
  const A4cdProcess& a4cd_;
  std::vector<double> lag_ms_;
  const std::unique_ptr<Thread> thread_;
};

struct Trial {
  double rate = 0;
  LoadResult result;
  double lag_p99_ms = 0;
  double lag_first_ms = 0;  // medians of the first and the last third
  double lag_last_ms = 0;
  double cpu_ms = 0;              // a job
  int64_t peak_memory_bytes = 0;  // of a4cd

  bool kept() const {
    return result.per_second > rate * 0.98 && lag_p99_ms <= kLagMaxMs &&
           lag_last_ms <= std::max(lag_first_ms * 1.5, kLagFlatMs);
  }
};

class Rig {
 public:
  Rig()
      : dsn_(FromEnvironment("A4C_TEST_POSTGRES_DSN")),
        urls_(FromEnvironment("A4C_TEST_ELASTICSEARCH_URLS")),
        name_("bench" + std::to_string(TheRuntime().random.Next() % 100'000'000)),
        server_(urls_.substr(0, urls_.find(','))),
        sql_(dsn_),
        a4cd_("roles: [api, sync, poller]\nstore: {plugin: store-postgres, config: {dsn: \"" +
              dsn_ + "\", schema: " + name_ + "}}\nbus: {plugin: bus-kafka, config: {brokers: \"" +
              FromEnvironment("A4C_TEST_KAFKA_BROKERS") +
              "\"}}\nsearch: {plugin: search-elastic, config: {urls: [" + urls_ +
              "], index_prefix: " + name_ + "_}}\nhosts: {plugin: none}\n"),
        requests_(a4cd_.key()) {}
  ~Rig() {
    Drop(name_ + "_");
    Drop(name_ + "_raw_");
    sql_.Ask("DROP SCHEMA " + name_ + " CASCADE");
  }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  double Peak(double seconds) {
    return RunHttpLoad(
               {.port = a4cd_.port(), .seconds = seconds, .next = [&] { return requests_.Next(); }})
        .per_second;
  }

  Trial Try(double rate, double seconds) {
    WaitUntilSearchable();
    Trial trial{.rate = rate, .result = {}};
    LagProbe probe(a4cd_);
    const double before = BusySeconds();
    trial.result =
        RunHttpLoad({.port = a4cd_.port(), .seconds = seconds, .rate = rate, .next = [&] {
                       return requests_.Next();
                     }});
    trial.cpu_ms = (BusySeconds() - before) * 1e3 / static_cast<double>(trial.result.done);
    if (!trial.result.refused.empty()) trial.result.per_second = 0;
    const std::vector<double> lag = probe.Stop();
    const auto third = static_cast<std::ptrdiff_t>(lag.size() / 3);
    trial.lag_p99_ms = Percentile(lag, 0.99);
    trial.lag_first_ms = Median({lag.begin(), lag.begin() + third});
    trial.lag_last_ms = Median({lag.end() - third, lag.end()});
    trial.peak_memory_bytes = a4cd_.PeakMemoryBytes();
    std::fprintf(stderr, "%.0f creates/s for %.0f s: answered %.0f, lag p99 %.0f ms, %s, %ld MiB\n",
                 rate, seconds, trial.result.per_second, trial.lag_p99_ms,
                 trial.kept() ? "kept" : "not kept", trial.peak_memory_bytes >> 20);
    return trial;
  }

  // The peer's processor time a job.
  double PeerCpuMs(double rate, long seconds) {
    WaitUntilSearchable();
    if (script_.empty()) script_ = CreateScript(sql_, name_);
    const std::vector<std::string> bodies =
        sql_.Ask("SELECT body FROM " + name_ + ".job LIMIT 10000");
    const std::string options =
        "-D n=0 -D run=" + std::to_string(++runs_) + " -R " + std::to_string(std::lround(rate));
    const double before = BusySeconds();
    const auto pgbench = TheRuntime().threads.Start(
        "pgbench", [&](const std::stop_token&) { Pgbench(dsn_, script_, seconds, options); });
    const int64_t sent = SendAtRate(bodies, rate, static_cast<double>(seconds));
    pgbench->Join();
    return (BusySeconds() - before) * 1e3 / static_cast<double>(sent);
  }

  std::string Setting(const std::string& name) { return sql_.Ask("SHOW " + name).at(0); }

 private:
  void WaitUntilSearchable() {
    const double deadline = Seconds() + kDrainSeconds;
    while (LagProbe::Status(a4cd_)["outbox_rows"].Int() > 0) {
      if (Seconds() > deadline) Die("the outbox was not empty after 300 s");
      Pause(200);
    }
  }

  // To an index of the same shape.
  int64_t SendAtRate(const std::vector<std::string>& bodies, double rate, double seconds) {
    PluginHost plugins(TheRuntime(), {.directories = {}});
    const std::string prefix = name_ + "_raw_";
    const ConfigValue list{.shape = ConfigValue::Shape::kList,
                           .list = {ConfigValue::Scalar(urls_)}};
    const auto index = OrDie(plugins.MakeSearchIndex(
        A4C_SEARCH_ELASTIC,
        ConfigValue::Map({{"urls", list}, {"index_prefix", ConfigValue::Scalar(prefix)}})));
    if (!index->Ensure(Call::Within(TheRuntime().clock, 60'000), {&a4cd::JobKind(), 1})) {
      Die("the peer's index was not made");
    }
    const std::string alias = elastic::AliasOf({.prefix = prefix}, "job");
    Poco::Net::HTTPClientSession session(server_.getHost(), server_.getPort());
    session.setKeepAlive(true);
    const double start = Seconds();
    int64_t sent = 0;
    while (static_cast<double>(sent) < rate * seconds) {
      elastic::BulkChunk chunk;
      for (int64_t i = 0; i < kBulk; ++i) {
        const auto number = static_cast<size_t>(sent + i);
        const Document document{
            .ref = {"job", {"bench", std::to_string(runs_) + "-" + std::to_string(number)}},
            .rev = 1,
            .body = bodies[number % bodies.size()]};
        elastic::AppendDocument(chunk, number, alias, document,
                                *MakeSearchDocument(a4cd::JobKind(), document));
      }
      const std::string refused = SendLines(session, chunk.lines);
      if (!refused.empty()) Die("_bulk: " + refused);
      sent += kBulk;
      const double due = start + static_cast<double>(sent) / rate;
      if (due > Seconds()) Pause(static_cast<int64_t>((due - Seconds()) * 1e3));
    }
    return sent;
  }

  void Drop(const std::string& prefix) {
    RunHttpLoad({.port = server_.getPort(), .connections = 1, .seconds = 0, .next = [&] {
                   return RequestText(
                       "DELETE", "/" + elastic::AliasOf({.prefix = prefix}, "job") + "-000001", "");
                 }});
  }

  const std::string dsn_;
  const std::string urls_;
  const std::string name_;
  const Poco::URI server_;
  Sql sql_;
  const A4cdProcess a4cd_;
  CreateRequests requests_;
  std::string script_;
  int runs_ = 0;
};

// By halving between nothing and what a4cd answers when nothing holds it back.
double Find(Rig& rig, double seconds) {
  double low = 0;
  double high = rig.Peak(seconds);
  for (int i = 0; i < kTrials; ++i) {
    const double rate = (low + high) / 2;
    (rig.Try(rate, seconds).kept() ? low : high) = rate;
  }
  return low;
}

// A rate that a short trial kept may be too much for long.
Trial Hold(std::optional<Rig>& rig, double rate, double seconds) {
  Trial trial;
  for (int i = 0; i < kTries; ++i, rate *= kNextTry) {
    rig.emplace();
    trial = rig->Try(rate, seconds);
    if (trial.kept()) break;
  }
  return trial;
}

}  // namespace
}  // namespace a4c::bench

int main(int argc, char** argv) {
  using namespace a4c::bench;
  const long seconds = Argument(argc, argv, 1, 600);
  const auto trial_seconds = static_cast<double>(Argument(argc, argv, 2, 20));
  const auto given = static_cast<double>(Argument(argc, argv, 3, 0));
  std::optional<Rig> rig;
  const double rate = given > 0 ? given : Find(rig.emplace(), trial_seconds);
  const Trial held = Hold(rig, rate, static_cast<double>(seconds));
  const double peer = rig->PeerCpuMs(held.rate, std::min(seconds, 120L));
  a4c::Json line;
  line.Set("question",
           "the highest rate of creates that the whole stack keeps, and the processor "
           "time a job, against pgbench's insert and _bulk at that rate");
  line.Set("rate", held.rate).Set("seconds", static_cast<int64_t>(seconds));
  line.Set("kept", held.kept()).Set("lag_p99_ms", held.lag_p99_ms);
  line.Set("create_p50_ms", held.result.p50_ms).Set("create_p99_ms", held.result.p99_ms);
  line.Set("cpu_ms", held.cpu_ms).Set("peer_cpu_ms", peer);
  line.Set("peak_memory_mib", held.peak_memory_bytes >> 20);
  line.Set("ratio", held.cpu_ms / peer).Set("reach_ratio", 2.5);
  for (const char* setting : {"fsync", "synchronous_commit", "synchronous_standby_names"}) {
    line.Set(setting, rig->Setting(setting));
  }
  std::printf("%s\n", line.ToString().c_str());
  return 0;
}
