// Many creates at once from several instances over one store, on real threads.
#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "a4c/sinks.h"
#include "apps/a4cd/loop_runner.h"
#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

constexpr int kInstances = 3;
constexpr int kServers = 8;
constexpr int64_t kPatienceMs = 240'000;

a4c::MemoryHostOptions EqualServers(int64_t disk_bytes) {
  a4c::MemoryHostOptions options{.servers = {}};
  for (int i = 0; i < kServers; ++i) {
    options.servers.push_back({.id = "server-" + std::to_string(i),
                               .disk_total_bytes = disk_bytes,
                               .memory_total_bytes = 1024 * kGiB,
                               .cpu_total_millis = 1'000'000});
  }
  return options;
}

class Race {
 public:
  explicit Race(int64_t disk_bytes)
      : runtime_(a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink())),
        store_(a4c::NewMemoryStore(runtime_)),
        hosts_(a4c::NewMemoryHostProvider(runtime_, EqualServers(disk_bytes))),
        waiter_(runtime_.threads.NewWaiter()) {
    WorkerOptions options;
    options.work.workers = 4;
    options.work.idle_period_ms = 20;
    for (int i = 0; i < kInstances; ++i) {
      instances_.push_back(std::make_unique<Instance>(runtime_, *store_, *hosts_, options));
    }
  }

  void Create(int count) {
    for (int i = 0; i < count; ++i) {
      JobDraft draft;
      draft.type = "workspace.create";
      draft.payload = CreatePayload("dev-" + std::to_string(i));
      const Result<Job> job = Submit(runtime_, *instances_[0], draft);
      ASSERT_TRUE(job) << job.error().ToString();
      jobs_.push_back(job->id);
    }
  }

  // Runs all instances until every job is in a state that `done` accepts.
  void Run(const std::function<bool(const Job&)>& done) {
    std::vector<std::unique_ptr<LoopRunner>> runners;
    for (const auto& instance : instances_) {
      runners.push_back(std::make_unique<LoopRunner>(runtime_));
      for (auto& loop : instance->worker.NewWorkLoops()) {
        runners.back()->Start("worker", std::move(loop));
      }
    }
    const int64_t until_ms = runtime_.clock.MonotonicMs() + kPatienceMs;
    const auto all_done = [&] {
      return std::ranges::all_of(jobs_, [&](const std::string& id) { return done(GetJob(id)); });
    };
    while (!all_done() && runtime_.clock.MonotonicMs() < until_ms) {
      a4c::Waiter::Lock lock(*waiter_);
      waiter_->Wait(runtime_.clock.MonotonicMs() + 50);
    }
    EXPECT_TRUE(all_done());
    for (const auto& runner : runners) runner->Stop();
  }

  Job GetJob(const std::string& id) {
    const Result<Job> job =
        instances_[0]->jobs.Get(Call::Within(runtime_.clock, 10'000), kTenant, id);
    EXPECT_TRUE(job);
    return job ? *job : Job{};
  }
  int Count(JobState state) {
    return static_cast<int>(
        std::ranges::count_if(jobs_, [&](const auto& id) { return GetJob(id).state == state; }));
  }
  // Reserved bytes by server, as the counters say.
  std::vector<int64_t> Committed() {
    const auto servers =
        instances_[0]->worker.disks().Servers(Call::Within(runtime_.clock, 10'000));
    EXPECT_TRUE(servers);
    std::vector<int64_t> committed;
    for (const Server& server : *servers) committed.push_back(server.committed.disk_bytes);
    return committed;
  }
  int64_t UnitsOn(int server) {
    const auto units =
        hosts_->List(Call::Within(runtime_.clock, 10'000), "server-" + std::to_string(server));
    EXPECT_TRUE(units);
    return static_cast<int64_t>(units->size());
  }

 private:
  const a4c::Runtime runtime_;
  const std::unique_ptr<a4c::Store> store_;
  const std::unique_ptr<a4c::HostProvider> hosts_;
  const std::unique_ptr<a4c::Waiter> waiter_;
  std::vector<std::unique_ptr<Instance>> instances_;
  std::vector<std::string> jobs_;
};

TEST(PlacementRace, EqualServersStayEqualUnder256CreatesFromThreeInstances) {
  Race race(100 * kGiB);
  race.Create(256);
  race.Run([](const Job& job) { return job.finished(); });
  EXPECT_EQ(race.Count(JobState::kSucceeded), 256);
  const std::vector<int64_t> committed = race.Committed();
  ASSERT_EQ(committed.size(), size_t{kServers});
  const auto [least, most] = std::ranges::minmax(committed);
  EXPECT_LE(most - least, 2 * kGiB);
  for (int i = 0; i < kServers; ++i) EXPECT_EQ(race.UnitsOn(i) * kGiB, committed[i]);
}

// Below the watermark each server takes nine.
TEST(PlacementRace, NoServerIsEverGivenMoreThanItHas) {
  Race race(10 * kGiB);
  race.Create(100);
  race.Run([](const Job& job) { return job.finished() || job.reason == reason::kNoCapacity; });
  EXPECT_EQ(race.Count(JobState::kSucceeded), 9 * kServers);
  for (const int64_t committed : race.Committed()) EXPECT_EQ(committed, 9 * kGiB);
}

// Two wait for one reading and share it. Each by itself would take the server that is largest.
TEST(SharedReading, WhoChoosesSecondSeesWhatTheFirstHasTaken) {
  a4c::testing::FakeRuntime fake;
  const auto store = a4c::NewMemoryStore(fake.runtime());
  HookedStore hooked(*store);
  const auto hosts = a4c::NewMemoryHostProvider(
      fake.runtime(), {.servers = {{.id = "large", .disk_total_bytes = 12 * kGiB},
                                   {.id = "small", .disk_total_bytes = 10 * kGiB}}});
  Instance instance(fake.runtime(), hooked, *hosts, {});
  ASSERT_TRUE(instance.worker.disks().Refresh(fake.Within(30'000)));
  const auto reserve = [&](const std::string& holder, int64_t disk_bytes) {
    const auto reserved = instance.worker.reservations().Reserve(
        fake.Within(30'000), kTenant, holder, {.amounts = {.disk_bytes = disk_bytes}},
        [](const Decision&) { return a4c::Commit{}; });
    EXPECT_TRUE(reserved) << reserved.error().ToString();
    return reserved ? reserved->decision.server : "";
  };
  std::vector<std::string> chosen(2);
  std::vector<std::jthread> choosers;
  std::atomic<int> readings = 0;
  hooked.before_scan = [&](const a4c::ScanRequest& scan) {
    if (scan.kind != "host" || ++readings > 1) return;
    for (size_t i = 0; i < chosen.size(); ++i) {
      choosers.emplace_back([&, i] { chosen[i] = reserve("ws-" + std::to_string(i), kGiB); });
    }
    EXPECT_TRUE(fake.clock().AwaitWaiting(2));
  };
  EXPECT_EQ(reserve("ws-that-fits-nowhere", 100 * kGiB), "");
  choosers.clear();
  EXPECT_EQ(readings.load(), 2) << "they share one";
  std::ranges::sort(chosen);
  EXPECT_EQ(chosen, (std::vector<std::string>{"large", "small"}));
}

}  // namespace
}  // namespace a4cd::testing
