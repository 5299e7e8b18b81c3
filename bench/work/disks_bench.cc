// How old the figures of servers are, as GET /v1/hosts shows them, how long ago each was
// reconciled, what that costs, and by how many threads: of 40 and of 2,000 servers, of which 5 %
// hang, and of real ones.
//
//   disks_bench [seconds] [memory | dsn]
//
// The many are only pretended: they answer after some milliseconds, or not until the caller gives
// up. Store: the connection string, or A4C_TEST_POSTGRES_DSN, or memory. With
// A4C_TEST_BAREMETAL_HOSTS the real servers of that file are asked too. Ages are looked at twice a
// second, from when each healthy server has figures, and are those of healthy ones; that of a
// reconciliation counts from when the server listed its units for it, or from the start. `cpu_ms`
// is of this process, without the looking, for each poll of one healthy server, what the reconciler
// does meanwhile included.
#include <sys/resource.h>

#include <fstream>
#include <functional>
#include <map>
#include <mutex>

#include "a4c/host_look.h"
#include "a4c/json.h"
#include "apps/a4cd/config/settings.h"
#include "apps/a4cd/hosts/disk_service.h"
#include "apps/a4cd/hosts/reconciler.h"
#include "apps/a4cd/jobs/kinds.h"
#include "apps/a4cd/loop_runner.h"
#include "apps/a4cd/upkeep/singletons.h"
#include "bench/support/runtime.h"
#include "bench/support/stores.h"

namespace a4c::bench {
namespace {

constexpr int64_t kLookMs = 500;
constexpr int64_t kFirstMsMax = 180'000;
constexpr int kHangsOneIn = 20;

Call NoHurry() {
  return Call::Within(TheRuntime().clock, 60'000);
}

bool Hangs(const std::string& id) {
  return std::stoi(id.substr(id.find('-') + 1)) % kHangsOneIn == kHangsOneIn - 1;
}

// Servers that answer after 3 to 8 ms, or that hang.
class Pretended final : public HostProvider, public HostLook {
 public:
  explicit Pretended(int count) : count_(count) {}

  Result<std::vector<std::string>> Names(const Call&) override {
    std::vector<std::string> names;
    for (int i = 0; i < count_; ++i) names.push_back("server-" + std::to_string(i));
    return names;
  }
  Result<Host> Look(const Call& call, const std::string& id) override {
    if (const Result<void> waited = Wait(call, id); waited) return FiguresOf(id);
    Host host = FiguresOf(id);
    host.reachable = false;
    host.reason = "it does not answer";
    return host;
  }
  Result<std::vector<Host>> Hosts(const Call& call) override {
    std::vector<Host> hosts;
    A4C_TRY(const std::vector<std::string> names, Names(call));
    for (const std::string& id : names) hosts.push_back(FiguresOf(id));
    return hosts;
  }
  Result<std::vector<UnitStatus>> List(const Call& call, const std::string& id) override {
    A4C_CHECK(Wait(call, id));
    return std::vector<UnitStatus>();
  }
  Result<UnitStatus> Ensure(const Call&, const Unit&) override {
    return Error(Code::kUnsupported, "they are only pretended");
  }
  Result<void> Remove(const Call&, const std::string&, const std::string&, const Fence&) override {
    return Error(Code::kUnsupported, "they are only pretended");
  }

 protected:
  void* Extension(std::string_view name) override {
    return name == HostLook::kExtension ? static_cast<HostLook*>(this) : nullptr;
  }

 private:
  static Host FiguresOf(const std::string& id) {
    return {.id = id,
            .reachable = true,
            .disk_total_bytes = 1LL << 40,
            .disk_used_bytes = 1LL << 39,
            .disk_free_bytes = 1LL << 39,
            .memory_total_bytes = 1LL << 36,
            .cpu_total_millis = 64'000,
            .arch = "amd64",
            .versions = {{"docker", "20.10.24"}, {"api", "1.41"}, {"runc", "1.1.5"}}};
  }
  static Result<void> Wait(const Call& call, const std::string& id) {
    const int64_t left_ms = call.RemainingMs();
    const auto wait_ms = 3 + static_cast<int64_t>(TheRuntime().random.Next() % 6);
    Pause(Hangs(id) ? left_ms : std::min(left_ms, wait_ms));
    if (Hangs(id)) return Error(Code::kTimeout, "it does not answer");
    return {};
  }

  const int count_;
};

// Counts the servers that have listed their units, and knows when each did.
class Counted final : public HostProvider {
 public:
  explicit Counted(HostProvider& inner) : inner_(inner) {}
  Result<std::vector<Host>> Hosts(const Call& call) override { return inner_.Hosts(call); }
  Result<UnitStatus> Ensure(const Call& call, const Unit& unit) override {
    return inner_.Ensure(call, unit);
  }
  Result<void> Remove(const Call& call, const std::string& host, const std::string& name,
                      const Fence& fence) override {
    return inner_.Remove(call, host, name, fence);
  }
  Result<std::vector<UnitStatus>> List(const Call& call, const std::string& host) override {
    Result<std::vector<UnitStatus>> units = inner_.List(call, host);
    const std::lock_guard lock(mutex_);
    if (units) listed_ms_[host] = TheRuntime().clock.MonotonicMs();
    if (units) ++lists_;
    return units;
  }
  int64_t lists() {
    const std::lock_guard lock(mutex_);
    return lists_;
  }
  int64_t AgeMs(const std::string& host) {
    const std::lock_guard lock(mutex_);
    const auto found = listed_ms_.find(host);
    return TheRuntime().clock.MonotonicMs() -
           (found == listed_ms_.end() ? made_ms_ : found->second);
  }

 protected:
  void* Extension(std::string_view name) override {
    return name == HostLook::kExtension ? inner_.As<HostLook>() : nullptr;
  }

 private:
  HostProvider& inner_;
  const int64_t made_ms_ = TheRuntime().clock.MonotonicMs();
  std::mutex mutex_;
  int64_t lists_ = 0;
  std::map<std::string, int64_t> listed_ms_;
};

// The part of a4cd that reads figures and reconciles, with its own defaults.
class Service {
 public:
  Service(Store& store, HostProvider& polled, HostProvider& reconciled)
      : options_(OrDie(a4cd::CheckSettings(ConfigValue::Map({}), ".", ".")).worker),
        ids_(TheRuntime().clock, TheRuntime().random),
        database_({.store = store}, TheRuntime()),
        opened_(database_.Open(NoHurry(), a4cd::AllCollections())),
        enrolments_(database_, polled, TheRuntime(), options_.enrolment_period_ms),
        disks_(database_, polled, enrolments_, TheRuntime(), options_.disks),
        tokens_(database_, reconciled, TheRuntime(), options_.tokens),
        reservations_(database_, disks_, TheRuntime(), options_.placement),
        jobs_(database_, TheRuntime(), ids_),
        singletons_(database_, store, TheRuntime(), "bench"),
        runner_(TheRuntime()) {
    if (!opened_) Die(opened_.error().ToString());
    for (auto& loop : disks_.NewLoops()) runner_.Start("worker", singletons_.Wrap(std::move(loop)));
    for (auto& loop : a4cd::NewReconcilers(database_, reconciled, tokens_, reservations_, jobs_,
                                           TheRuntime(), options_.reconciler)) {
      runner_.Start("worker", singletons_.Wrap(std::move(loop)));
    }
  }

  std::vector<a4cd::HostRecord> Hosts() { return OrDie(a4cd::ReadHosts(NoHurry(), database_)); }

 private:
  const a4cd::WorkerOptions options_;
  IdSource ids_;
  Database database_;
  Result<void> opened_;
  a4cd::Enrolments enrolments_;
  a4cd::DiskService disks_;
  a4cd::HostTokens tokens_;
  a4cd::Reservations reservations_;
  a4cd::JobService jobs_;
  a4cd::Singletons singletons_;
  a4cd::LoopRunner runner_;  // last: it uses them all
};

int64_t Threads() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("Threads:")) return std::atoll(line.c_str() + 8);
  }
  return 0;
}

double CpuMs(int who) {
  rusage used{};
  getrusage(who, &used);
  const auto ms = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) * 1e-3;
  };
  return ms(used.ru_utime) + ms(used.ru_stime);
}
double CpuMsOfOthers() {
  return CpuMs(RUSAGE_SELF) - CpuMs(RUSAGE_THREAD);
}

using IsHealthy = std::function<bool(const std::string&)>;

// Until all healthy ones have figures; how long that took.
double AwaitFirst(Service& service, size_t count, const IsHealthy& is_healthy) {
  const double begun = Seconds();
  while (Seconds() - begun < static_cast<double>(kFirstMsMax) * 1e-3) {
    const auto hosts = service.Hosts();
    const bool all =
        hosts.size() == count && std::ranges::all_of(hosts, [&](const auto& host) {
          return !is_healthy(host.id) || (host.figures && host.figures->host.reachable);
        });
    if (all) return Seconds() - begun;
    Pause(kLookMs / 5);
  }
  Die("not all servers have figures");
}

void SetAges(Json& answer, const std::string& name, std::vector<int64_t>& ages_ms) {
  std::ranges::sort(ages_ms);
  answer.Set(name + "_p50_ms", ages_ms[ages_ms.size() / 2]);
  answer.Set(name + "_p99_ms", ages_ms[ages_ms.size() * 99 / 100]);
  answer.Set(name + "_max_ms", ages_ms.back());
}

Json Measure(Store& store, HostProvider& hosts, size_t count, const IsHealthy& is_healthy,
             double seconds) {
  Counted polled(hosts);
  Counted reconciled(hosts);
  Service service(store, polled, reconciled);
  const double first_s = AwaitFirst(service, count, is_healthy);
  std::vector<int64_t> ages_ms;
  std::vector<int64_t> reconciled_ms;
  int64_t threads = 0;
  int64_t unreachable = 0;
  const int64_t polls_before = polled.lists();
  const double cpu_before = CpuMsOfOthers();
  const double begun = Seconds();
  while (Seconds() - begun < seconds) {
    for (const a4cd::HostRecord& host : service.Hosts()) {
      if (!is_healthy(host.id)) continue;
      ages_ms.push_back(host.figures->host.age_ms);
      reconciled_ms.push_back(reconciled.AgeMs(host.id));
      if (!host.figures->host.reachable) ++unreachable;
    }
    threads = std::max(threads, Threads());
    Pause(kLookMs);
  }
  const double cpu_ms = CpuMsOfOthers() - cpu_before;
  const int64_t polls = std::max<int64_t>(1, polled.lists() - polls_before);
  Json answer;
  SetAges(answer, "age", ages_ms);
  SetAges(answer, "reconciled", reconciled_ms);
  answer.Set("cpu_ms", cpu_ms / static_cast<double>(polls)).Set("polls", polls);
  answer.Set("threads", threads).Set("first_s", first_s).Set("unreachable", unreachable);
  return answer;
}

Json OfPretended(Store& store, int count, double seconds) {
  Pretended hosts(count);
  return Measure(
      store, hosts, static_cast<size_t>(count), [](const std::string& id) { return !Hangs(id); },
      seconds);
}

#ifdef A4C_HOST_BAREMETAL
Json OfReal(Store& store, const char* file, double seconds) {
  PluginHost plugins(TheRuntime(), {});
  const auto hosts = OrDie(plugins.MakeHostProvider(
      A4C_HOST_BAREMETAL, ConfigValue::Map({{"servers_file", ConfigValue::Scalar(file)},
                                            {"cluster", ConfigValue::Scalar("bench")}})));
  const size_t count = OrDie(hosts->Hosts(NoHurry())).size();
  return Measure(
      store, *hosts, count, [](const std::string&) { return true; }, seconds);
}
#endif

}  // namespace
}  // namespace a4c::bench

int main(int argc, char** argv) {
  using namespace a4c::bench;
  const char* const known = std::getenv("A4C_TEST_POSTGRES_DSN");
  const std::string dsn = argc > 2 ? argv[2] : known == nullptr ? "memory" : known;
  const auto seconds = static_cast<double>(Argument(argc, argv, 1, 60));
  a4c::Json line;
  line.Set("question", "age of servers' figures, 5 % of the pretended servers hang");
  for (const int count : {40, 2'000}) {
    Stores stores(dsn);
    line.Set(std::to_string(count) + "_servers", OfPretended(stores.Next(), count, seconds));
  }
#ifdef A4C_HOST_BAREMETAL
  if (const char* file = std::getenv("A4C_TEST_BAREMETAL_HOSTS")) {
    Stores stores(dsn);
    line.Set("real_servers", OfReal(stores.Next(), file, seconds));
  }
#endif
  line.Set("reach_p99_ms_40", 10'000).Set("reach_p99_ms_2000", 30'000).Set("reach_threads", 64);
  std::printf("%s\n", line.ToString().c_str());
  return 0;
}
