// Deletes, starts, updates and cleanups on real engines, by two instances at once, in an order from
// a seed: no living workspace loses its unit, nothing is left over, and no server is over.
//
//   A4C_TEST_RACES=200 A4C_TEST_SEED=7 engine_races_test
//
// Needs servers with a4c-host, A4C_TEST_BAREMETAL_HELPER_HOSTS, and the registry that they can
// reach, A4C_TEST_REGISTRIES and A4C_TEST_REGISTRY_IMAGE: dev/stack/stack up baremetal.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "a4c/config.h"
#include "a4c/plugin_host.h"
#include "a4c/sinks.h"
#include "apps/a4cd/loop_runner.h"
#include "tests/integration/support/work_fixture.h"
#include "tests/support/seeded_random.h"

namespace a4cd::testing {
namespace {

constexpr int64_t kMiB = 1 << 20;
constexpr size_t kWorkspacesMax = 6;
constexpr int64_t kPatienceMs = 60'000;  // from the last race until all is as it should be

uint64_t Number(const char* variable, uint64_t fallback) {
  const char* text = std::getenv(variable);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

const a4c::Runtime& TheRuntime() {
  static const a4c::Runtime runtime = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
  return runtime;
}
Call Soon() {
  return Call::Within(TheRuntime().clock, 60'000);
}

WorkerOptions Options() {
  WorkerOptions options;
  options.work.workers = 3;
  options.work.idle_period_ms = 50;
  options.work.retry_wait_ms = 200;
  options.work.capacity_wait_ms = 500;
  options.disks.period_ms = 1'000;
  options.reconciler.period_ms = 2'000;
  options.cleanup.policy.image_age_ms = 1;
  options.cleanup.policy.cache_age_ms = 1;
  return options;
}

// An instance with a provider of its own, all its loops running.
class Running {
 public:
  Running(a4c::Store& store, std::unique_ptr<a4c::HostProvider> hosts)
      : hosts_(std::move(hosts)),
        instance_(TheRuntime(), store, *hosts_, Options()),
        runner_(TheRuntime()) {
    for (auto& loop : instance_.worker.NewSingletons()) runner_.Start("worker", std::move(loop));
    for (auto& loop : instance_.worker.NewWorkLoops()) runner_.Start("worker", std::move(loop));
  }
  ~Running() { runner_.Stop(); }

  Instance& instance() { return instance_; }
  a4c::HostProvider& hosts() { return *hosts_; }

 private:
  const std::unique_ptr<a4c::HostProvider> hosts_;
  Instance instance_;
  LoopRunner runner_;  // last: its loops are of the instance
};

class EngineRaces : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* servers = std::getenv("A4C_TEST_BAREMETAL_HELPER_HOSTS");
    const char* registries = std::getenv("A4C_TEST_REGISTRIES");
    const char* image = std::getenv("A4C_TEST_REGISTRY_IMAGE");
    if (servers == nullptr || registries == nullptr || image == nullptr) {
      const bool required = std::getenv("CI") != nullptr || std::getenv("A4C_REQUIRE_SERVERS");
      if (required) FAIL() << "A4C_TEST_BAREMETAL_HELPER_HOSTS and the registry are not set";
      GTEST_SKIP() << "A4C_TEST_BAREMETAL_HELPER_HOSTS and the registry are not set";
    }
    image_ = image;
    const std::string cluster = "races-" + std::to_string(TheRuntime().random.Next() % 1'000'000);
    for (auto* running : {&one_, &two_}) {
      using a4c::ConfigValue;
      auto hosts = plugins_.MakeHostProvider(
          "host-baremetal", ConfigValue::Map({{"servers_file", ConfigValue::Scalar(servers)},
                                              {"registries_file", ConfigValue::Scalar(registries)},
                                              {"cluster", ConfigValue::Scalar(cluster)},
                                              {"stop_timeout", ConfigValue::Scalar("1s")}}));
      ASSERT_TRUE(hosts) << hosts.error().ToString();
      *running = std::make_unique<Running>(*store_, *std::move(hosts));
    }
    const auto found = one_->instance().worker.disks().Hosts(Soon());
    ASSERT_TRUE(found) << found.error().ToString();
    for (const HostRecord& host : *found) servers_.push_back(host.id);
    ASSERT_FALSE(servers_.empty());
  }

  // The servers are as they were for who comes next: no unit, no image of ours.
  void TearDown() override {
    if (servers_.empty()) return;
    for (const Workspace& one : Living()) {
      EXPECT_TRUE(Submit("workspace.delete", Json::Object{{"workspace", one.id}}));
    }
    EXPECT_TRUE(Eventually([&] {
      return std::ranges::all_of(servers_, [&](const auto& at) { return UnitsOn(at).empty(); });
    }));
    auto* cleanup = one_->hosts().As<a4c::HostCleanup>();
    for (const std::string& server : servers_) {
      const auto use = cleanup->Survey(Soon(), server);
      ASSERT_TRUE(use) << use.error().ToString();
      for (const a4c::HostItem& item : use->items) {
        if (item.kind != a4c::HostItem::Kind::kImage) continue;
        EXPECT_TRUE(cleanup->DiscardImage(Soon(), server, item.id));
      }
    }
  }

  Result<Job> Submit(const std::string& type, Json payload) {
    JobDraft draft;
    draft.type = type;
    draft.payload = std::move(payload);
    Running& running = random_.Next() % 2 == 0 ? *one_ : *two_;
    return testing::Submit(TheRuntime(), running.instance(), draft);
  }

  std::vector<Workspace> Living() {
    const auto page = one_->instance().jobs.ListWorkspaces(Soon(), kTenant, "", 500);
    EXPECT_TRUE(page);
    std::vector<Workspace> living;
    for (const Workspace& one : page ? page->workspaces : std::vector<Workspace>()) {
      if (one.desired != "deleted") living.push_back(one);
    }
    return living;
  }

  void SubmitSomething(const std::vector<Workspace>& living) {
    if (living.empty() || (living.size() < kWorkspacesMax && random_.Next() % 3 == 0)) {
      Json payload = CreatePayload("ws-" + std::to_string(++created_), 16 * kMiB, "sleep 3600");
      payload.Set("image", image_);
      payload.Set("memory", 16 * kMiB);
      EXPECT_TRUE(Submit("workspace.create", std::move(payload)));
      return;
    }
    static constexpr const char* kSteps[] = {"workspace.stop", "workspace.start",
                                             "workspace.update", "workspace.delete",
                                             "workspace.delete"};
    const std::string type = kSteps[random_.Next() % 5];
    Json payload(Json::Object{{"workspace", living[random_.Next() % living.size()].id}});
    if (type == "workspace.update") {
      payload.Set("memory", static_cast<int64_t>(16 + random_.Next() % 16) * kMiB);
    }
    // A conflict: it is being deleted by now.
    (void)Submit(type, std::move(payload));
  }

  void Wait(int64_t ms) {
    const auto waiter = TheRuntime().threads.NewWaiter();
    a4c::Waiter::Lock lock(*waiter);
    waiter->Wait(TheRuntime().clock.MonotonicMs() + ms);
  }
  bool Eventually(const std::function<bool()>& condition) {
    const int64_t until_ms = TheRuntime().clock.MonotonicMs() + kPatienceMs;
    while (!condition()) {
      if (TheRuntime().clock.MonotonicMs() >= until_ms) return false;
      Wait(200);
    }
    return true;
  }

  std::vector<std::string> UnitsOn(const std::string& server) {
    const auto units = one_->hosts().List(Soon(), server);
    EXPECT_TRUE(units) << units.error().ToString();
    std::vector<std::string> names;
    for (const UnitStatus& unit : units ? *units : std::vector<UnitStatus>()) {
      names.push_back(unit.name);
    }
    return names;
  }

  // Who was there before and is as it was after the look was there while it was looked.
  void CheckTheLiving() {
    const std::vector<Workspace> before = Living();
    for (const std::string& server : servers_) {
      const std::vector<std::string> units = UnitsOn(server);
      for (const Workspace& was : before) {
        const bool has_unit = was.actual == "running" || was.actual == "stopped";
        if (was.host != server || !has_unit || !was.updating.empty()) continue;
        const auto is = one_->instance().jobs.FindWorkspace(Soon(), kTenant, was.id);
        if (!is || is->rev != was.rev) continue;
        EXPECT_EQ(std::ranges::count(units, UnitName(was.id)), 1)
            << was.name << " is " << was.actual << " on " << server << ", and its unit is gone";
      }
    }
  }

  // Room is never promised twice.
  void CheckCapacity() {
    const auto hosts = ReadHosts(Soon(), one_->instance().database);
    ASSERT_TRUE(hosts) << hosts.error().ToString();
    for (const HostRecord& host : *hosts) {
      if (!host.figures) continue;
      EXPECT_LE(host.committed.disk_bytes, host.figures->host.disk_total_bytes) << host.id;
      EXPECT_LE(host.committed.memory_bytes, host.figures->host.memory_total_bytes) << host.id;
      EXPECT_LE(host.committed.cpu_millis, host.figures->host.cpu_total_millis) << host.id;
    }
  }

  // Empty: on the servers is what living workspaces have, no volume without one, and room for just
  // these.
  std::string WhatIsLeftOver() {
    std::string left;
    std::set<std::string> may_be;
    std::set<std::string> missing;
    int64_t disk_bytes = 0;
    for (const Workspace& workspace : Living()) {
      if (!workspace.updating.empty()) left += workspace.name + " is being updated, ";
      if (workspace.host.empty()) continue;
      const std::string unit = workspace.host + "/" + UnitName(workspace.id);
      may_be.insert(unit);
      if (workspace.actual == "running" || workspace.actual == "stopped") missing.insert(unit);
      disk_bytes += workspace.disk_bytes;
    }
    for (const std::string& server : servers_) {
      for (const std::string& name : UnitsOn(server)) {
        std::string unit = server;
        unit.append("/").append(name);
        missing.erase(unit);
        if (!may_be.contains(unit)) left += "an orphan: " + unit + ", ";
      }
      const auto use = one_->hosts().As<a4c::HostCleanup>()->Survey(Soon(), server);
      if (!use) return use.error().ToString();
      for (const a4c::HostItem& item : use->items) {
        if (item.kind == a4c::HostItem::Kind::kVolume && !item.in_use) {
          left += "the volume of " + item.unit + " on " + server + ", ";
        }
      }
    }
    for (const std::string& unit : missing) left += unit + " is gone, ";
    const auto hosts = ReadHosts(Soon(), one_->instance().database);
    if (!hosts) return hosts.error().ToString();
    int64_t committed = 0;
    for (const HostRecord& host : *hosts) committed += host.committed.disk_bytes;
    if (committed != disk_bytes) {
      left += std::to_string(committed) + " bytes are reserved for " + std::to_string(disk_bytes);
    }
    return left;
  }

  const uint64_t seed_ = Number("A4C_TEST_SEED", 1);
  a4c::testing::SeededRandom random_{seed_};
  a4c::PluginHost plugins_{TheRuntime(), {.directories = {A4C_PLUGIN_DIRECTORY}}};
  const std::unique_ptr<a4c::Store> store_ = a4c::NewMemoryStore(TheRuntime());
  std::unique_ptr<Running> one_;
  std::unique_ptr<Running> two_;
  std::vector<std::string> servers_;
  std::string image_;
  int created_ = 0;
};

TEST_F(EngineRaces, NoLivingWorkspaceLosesItsUnitAndNothingIsLeft) {
  const uint64_t races = Number("A4C_TEST_RACES", 200);
  std::printf("%llu races, seed %llu\n", static_cast<unsigned long long>(races),
              static_cast<unsigned long long>(seed_));
  for (uint64_t i = 0; i < races && !HasFailure(); ++i) {
    SubmitSomething(Living());
    const std::string& server = servers_[random_.Next() % servers_.size()];
    EXPECT_TRUE(Submit("host.cleanup", Json::Object{{"host", server}}));
    Wait(static_cast<int64_t>(random_.Next() % 600));
    CheckTheLiving();
    CheckCapacity();
  }
  const int64_t ended_ms = TheRuntime().clock.MonotonicMs();
  std::string left;
  EXPECT_TRUE(Eventually([&] { return (left = WhatIsLeftOver()).empty(); })) << left;
  std::printf("%d workspaces were made, %zu live; all was settled %lld ms after the last race\n",
              created_, Living().size(),
              static_cast<long long>(TheRuntime().clock.MonotonicMs() - ended_ms));
  for (const Workspace& workspace : Living()) {
    EXPECT_TRUE(Submit("workspace.delete", Json::Object{{"workspace", workspace.id}}));
  }
  EXPECT_TRUE(Eventually([&] { return Living().empty() && (left = WhatIsLeftOver()).empty(); }))
      << left;
}

}  // namespace
}  // namespace a4cd::testing
