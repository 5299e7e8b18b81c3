// What the reconciler notes, removes, gives up for lost, and starts again.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>

#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

constexpr int64_t kFirstWaitMs = RestartOptions().wait_ms;

TEST(Reconciler, AUnitThatEndedIsToldOfItsWorkspace) {
  World world(kOneServer);
  const std::string id =
      world.Submit("workspace.create", CreatePayload("dev-1", kGiB, "sleep 30; exit 3")).workspace;
  world.Work();
  world.Step("reconciler");
  EXPECT_EQ(world.GetWorkspace(id)->actual, "running");
  world.fake.clock().Advance(31'000);
  world.Step("reconciler");
  EXPECT_EQ(world.GetWorkspace(id)->actual, "stopped");
  EXPECT_EQ(world.GetWorkspace(id)->message, "exited with code 3");
  EXPECT_EQ(world.Committed("one"), kGiB);
}

// What a crash between the removal and a slow, old Ensure could leave behind.
TEST(Reconciler, OnlyUnitsOfTombstonesAreRemovedAndAtFirstSight) {
  World world(kOneServer);
  const std::string id = world.Submit("workspace.create", CreatePayload("dev-1")).workspace;
  world.Work();
  const UnitStatus unit = world.Units("one").at(0);
  world.SubmitFor("workspace.delete", id);
  world.hosts.before_remove = nullptr;
  world.Work();
  Unit again{.host = "one", .name = unit.name, .epoch = 2, .labels = unit.labels};
  ASSERT_TRUE(world.memory_hosts->Ensure(world.Within(), again));
  again.epoch = 0;
  again.name = "ws-of-somebody";
  again.labels = {{"a4c.workspace", "of-somebody"}, {"a4c.tenant", kTenant}};
  ASSERT_TRUE(world.memory_hosts->Ensure(world.Within(), again));
  ASSERT_EQ(world.Units("one").size(), 2u);
  for (int i = 0; i < 4; ++i) {
    world.Step("reconciler");
    EXPECT_EQ(world.Units("one").size(), 1u);
  }
  const auto left = world.Units("one");
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].name, "ws-of-somebody");
}

class Restart : public ::testing::Test {
 protected:
  std::string Create(const std::string& restart, const std::string& command) {
    Json payload = CreatePayload("dev-1", kGiB, command);
    payload.Set("restart", restart);
    std::string id = world_.Submit("workspace.create", std::move(payload)).workspace;
    world_.Work();
    EXPECT_EQ(world_.GetWorkspace(id)->actual, "running");
    return id;
  }

  // A round after so long, and the work that it makes.
  Workspace After(int64_t ms, const std::string& id) {
    world_.fake.clock().Advance(ms);
    world_.Step("reconciler");
    world_.Work();
    return *world_.GetWorkspace(id);
  }

  World world_{kOneServer};
};

TEST_F(Restart, AlwaysStartsWhatEndedAgainEverMoreSlowly) {
  const std::string id = Create("always", "sleep 5; exit 0");
  for (int64_t restarts = 1; restarts <= 3; ++restarts) {
    EXPECT_EQ(After(6'000, id).actual, "stopped");
    const int64_t wait_ms = kFirstWaitMs << (restarts - 1);
    EXPECT_EQ(After(wait_ms - 1, id).actual, "stopped") << "restart " << restarts;
    const Workspace again = After(1, id);
    EXPECT_EQ(again.actual, "running") << "restart " << restarts;
    EXPECT_EQ(again.restarts, restarts);
  }
}

TEST_F(Restart, TheWaitIsBounded) {
  Workspace workspace;
  workspace.restarts = INT64_MAX;
  EXPECT_EQ(RestartWaitMs(workspace, {}), RestartOptions().wait_max_ms);
  EXPECT_EQ(RestartWaitMs(workspace, {.wait_ms = INT64_MAX}), RestartOptions().wait_max_ms);
}

TEST_F(Restart, WhoRanLongEnoughBeginsAnew) {
  const std::string id = Create("always", "sleep 601");
  EXPECT_EQ(After(602'000, id).actual, "stopped");
  EXPECT_EQ(After(kFirstWaitMs, id).restarts, 1);
  EXPECT_EQ(After(602'000, id).actual, "stopped");
  const Workspace again = After(kFirstWaitMs, id);
  EXPECT_EQ(again.actual, "running");
  EXPECT_EQ(again.restarts, 1);
}

TEST_F(Restart, TheJobSaysWhyItWasMade) {
  const std::string id = Create("on_failure", "sleep 5; exit 3");
  After(6'000, id);
  After(kFirstWaitMs, id);
  const auto page = world_.instance.jobs.List(world_.Within(), kTenant, {});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->jobs.at(0).title, "restart 1 of dev-1: exited with code 3");
  EXPECT_EQ(page->jobs.at(0).created_by, "restart");
}

TEST_F(Restart, OnFailureLeavesWhatEndedWell) {
  const std::string id = Create("on_failure", "sleep 5; exit 0");
  EXPECT_EQ(After(6'000, id).actual, "stopped");
  EXPECT_EQ(After(kFirstWaitMs, id).actual, "stopped");
}

TEST_F(Restart, ByDefaultNothingIsStartedAgain) {
  const std::string id = Create("never", "sleep 5; exit 3");
  EXPECT_EQ(After(6'000, id).actual, "stopped");
  EXPECT_EQ(After(kFirstWaitMs, id).actual, "stopped");
}

TEST_F(Restart, WhatAUserStoppedStaysStopped) {
  const std::string id = Create("always", "sleep infinity");
  world_.SubmitFor("workspace.stop", id);
  world_.Work();
  EXPECT_EQ(After(kFirstWaitMs, id).actual, "stopped");
  EXPECT_EQ(After(kFirstWaitMs, id).actual, "stopped");
}

// What a start that reaches its server late can do where that server fences nothing.
TEST_F(Restart, WhatRunsThoughItIsToBeStoppedIsStoppedAgain) {
  Unit late;
  world_.hosts.before_ensure = [&late](const Unit& unit) {
    late = unit;
    return Result<void>();
  };
  const std::string id = Create("never", "sleep infinity");
  world_.SubmitFor("workspace.stop", id);
  world_.Work();
  world_.hosts.before_ensure = nullptr;
  late.wanted = a4c::UnitWanted::kRunning;
  ASSERT_TRUE(world_.memory_hosts->Ensure(world_.Within(), late));
  EXPECT_EQ(After(0, id).actual, "running") << "told first";
  EXPECT_EQ(After(kFirstWaitMs - 1, id).actual, "running");
  const Workspace again = After(1, id);
  EXPECT_EQ(again.actual, "stopped");
  EXPECT_EQ(again.desired, "stopped");
  const auto page = world_.instance.jobs.List(world_.Within(), kTenant, {});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->jobs.at(0).created_by, "reconciler");
}

TEST_F(Restart, AUnitThatIsGoneIsMadeAgain) {
  const std::string id = Create("on_failure", "sleep infinity");
  const UnitStatus unit = world_.Units("one").at(0);
  ASSERT_TRUE(world_.memory_hosts->Remove(world_.Within(), "one", unit.name, unit.epoch));
  EXPECT_EQ(After(0, id).actual, "failed");
  EXPECT_EQ(After(kFirstWaitMs, id).actual, "running");
}

TEST_F(Restart, AUsersStartBeginsAnew) {
  const std::string id = Create("always", "sleep 5");
  After(6'000, id);
  EXPECT_EQ(After(kFirstWaitMs, id).restarts, 1);
  After(6'000, id);
  world_.SubmitFor("workspace.start", id);
  world_.Work();
  EXPECT_EQ(world_.GetWorkspace(id)->restarts, 0);
}

// The figures say who is silent, and for how long.
class Silence : public ::testing::Test {
 protected:
  std::string Create() {
    std::string id = world_.Submit("workspace.create", CreatePayload("dev-1")).workspace;
    world_.Work();
    EXPECT_EQ(world_.GetWorkspace(id)->actual, "running");
    return id;
  }
  // A round of all loops after so long, in which each server is asked for its figures.
  Workspace After(int64_t ms, const std::string& id) {
    world_.fake.clock().Advance(ms);
    for (const char* loop : {"hosts", "hosts-apart", "reconciler", "reconciler-apart"}) {
      world_.Step(loop);
    }
    return *world_.GetWorkspace(id);
  }
  Workspace AfterLong(const std::string& id) {
    After(0, id);
    return After(ReconcilerOptions().lost_after_ms, id);
  }

  World world_{kOneServer};
};

TEST_F(Silence, WhatRanOnAServerThatIsSilentForLongIsLostUntilItAnswers) {
  const std::string id = Create();
  world_.hosts.silent = "one";
  EXPECT_EQ(After(0, id).actual, "running");
  const int64_t bound_ms = ReconcilerOptions().lost_after_ms;
  EXPECT_EQ(After(bound_ms - 1, id).actual, "running");
  world_.fake.clock().Advance(1);
  world_.Step("reconciler-apart");
  EXPECT_EQ(world_.GetWorkspace(id)->actual, "running") << "it may have come back since";
  const Workspace lost = After(DiskOptions().apart_wait_max_ms, id);
  EXPECT_EQ(lost.actual, "lost");
  EXPECT_EQ(lost.message, "its server one does not answer: no route to host");
  EXPECT_EQ(lost.host, "one");
  EXPECT_EQ(world_.Committed("one"), kGiB);
  EXPECT_EQ(world_.Units("one").size(), 1u) << "never removed for silence";
  world_.hosts.silent.clear();
  EXPECT_EQ(After(DiskOptions().apart_wait_max_ms, id).actual, "running");
  world_.hosts.silent = "one";
  EXPECT_EQ(After(0, id).actual, "running") << "counted anew";
}

TEST_F(Silence, WhatAJobIsAtIsNotCalledLost) {
  const std::string id = Create();
  world_.SubmitFor("workspace.stop", id);
  world_.hosts.silent = "one";
  EXPECT_EQ(AfterLong(id).actual, "running");
}

TEST_F(Silence, WhatWasLostAndIsGoneHasFailed) {
  const std::string id = Create();
  world_.hosts.silent = "one";
  ASSERT_EQ(AfterLong(id).actual, "lost");
  const UnitStatus unit = world_.Units("one").at(0);
  ASSERT_TRUE(world_.memory_hosts->Remove(world_.Within(), "one", unit.name, unit.epoch));
  world_.hosts.silent.clear();
  EXPECT_EQ(After(DiskOptions().apart_wait_max_ms, id).actual, "failed");
}

// Its process ended while the server was away, and the next round is far off.
TEST(Reconciler, AServerThatComesBackIsVisitedAtTheNextLook) {
  WorkerOptions options;
  options.reconciler.look_ms = 2'000;
  World world(kOneServer, options);
  const std::string id =
      world.Submit("workspace.create", CreatePayload("dev-1", kGiB, "sleep 3")).workspace;
  world.Work();
  world.hosts.silent = "one";
  world.Step("hosts");
  EXPECT_EQ(world.Step("reconciler"), 2'000);
  world.fake.clock().Advance(4'000);
  world.Step("reconciler");
  EXPECT_EQ(world.GetWorkspace(id)->actual, "running") << "nobody has asked its server";
  world.hosts.silent.clear();
  world.Step("hosts-apart");
  world.Step("reconciler");
  EXPECT_EQ(world.GetWorkspace(id)->actual, "stopped");
}

TEST(Reconciler, WhoIsThereAllTheTimeIsVisitedOnceAPeriod) {
  WorkerOptions options;
  options.reconciler.look_ms = 2'000;
  World world(kOneServer, options);
  world.Step("hosts");
  int visits = 0;
  world.hosts.before_list = [&](const Call&, const std::string&) -> Result<void> {
    ++visits;
    return {};
  };
  for (int64_t ms = 0; ms < ReconcilerOptions().period_ms; ms += options.reconciler.look_ms) {
    world.Step("reconciler");
    world.fake.clock().Advance(options.reconciler.look_ms);
  }
  EXPECT_EQ(visits, 1);
  world.Step("reconciler");
  EXPECT_EQ(visits, 2);
}

// Three servers with a workspace each, whose processes have ended and are to be told of.
class ServersAtOnce : public ::testing::Test {
 protected:
  void Start(int hosts_at_once) {
    const a4c::MemoryHostOptions servers{.servers = {{.id = "a"}, {.id = "b"}, {.id = "c"}}};
    WorkerOptions options;
    options.reconciler.hosts_at_once = hosts_at_once;
    options.reconciler.apart_at_once = hosts_at_once;
    world_ = std::make_unique<World>(servers, options);
    for (const char* name : {"dev-1", "dev-2", "dev-3"}) {
      const Job job = world_->Submit("workspace.create", CreatePayload(name, kGiB, "sleep 5"));
      world_->Work();
      const Workspace workspace = *world_->GetWorkspace(job.workspace);
      workspaces_[workspace.host] = workspace.id;
    }
    ASSERT_EQ(workspaces_.size(), 3u);
    world_->fake.clock().Advance(6'000);
  }
  std::string Actual(const std::string& host) {
    return world_->GetWorkspace(workspaces_.at(host))->actual;
  }
  int64_t Now() { return world_->fake.clock().MonotonicMs(); }
  // From now on the server takes so long to list its units, or as long as it is given.
  void Slow(const std::string& slow, int64_t ms) {
    world_->hosts.before_list = [this, slow, ms](const Call& call,
                                                 const std::string& host) -> Result<void> {
      asked_.push_back(host);
      if (host != slow) return {};
      world_->fake.clock().Advance(std::min(ms, call.RemainingMs()));
      if (call.Expired()) return a4c::Error(a4c::Code::kTimeout, "it hangs");
      return {};
    };
  }

  std::unique_ptr<World> world_;
  std::map<std::string, std::string> workspaces_;  // by server
  std::vector<std::string> asked_;
};

constexpr int64_t kForever = 1LL << 40;

TEST_F(ServersAtOnce, OneThatFallsSilentCostsTheOthersOurPatienceOnce) {
  Start(1);
  Slow("a", kForever);
  int64_t begun_ms = Now();
  EXPECT_EQ(world_->Step("reconciler"), 13'000) << "the period counts from where it began";
  EXPECT_EQ(Now() - begun_ms, ReconcilerOptions().patience_ms);
  EXPECT_EQ(Actual("a"), "running") << "nothing is known of it";
  EXPECT_EQ(Actual("b"), "stopped");
  EXPECT_EQ(Actual("c"), "stopped");
  world_->Step("hosts");
  world_->fake.clock().Advance(DiskOptions().apart_wait_ms);
  world_->Step("hosts-apart");
  asked_.clear();
  begun_ms = Now();
  world_->Step("reconciler");
  EXPECT_EQ(Now(), begun_ms) << "the round waited for it";
  EXPECT_EQ(asked_, (std::vector<std::string>{"b", "c"}));
  asked_.clear();
  world_->Step("reconciler-apart");
  EXPECT_TRUE(asked_.empty()) << "who is silent is not asked";
  EXPECT_EQ(world_->Units("a").size(), 1u);
}

TEST_F(ServersAtOnce, OneThatIsSlowIsReconciledApartInTheTimeThatItNeeds) {
  Start(1);
  Slow("a", 4'000);
  world_->Step("hosts");
  world_->Step("reconciler");
  EXPECT_EQ(Actual("a"), "running");
  world_->fake.clock().Advance(DiskOptions().apart_wait_ms);
  world_->Step("hosts-apart");
  world_->Step("reconciler-apart");
  EXPECT_EQ(Actual("a"), "stopped");
}

// It hangs until the others are done, which they would never be by one thread.
TEST_F(ServersAtOnce, WhileOneHangsTheOthersAreReconciled) {
  Start(2);
  std::mutex mutex;
  std::condition_variable changed;
  int others = 0;
  bool were_done = false;
  world_->hosts.before_list = [&](const Call&, const std::string& host) -> Result<void> {
    std::unique_lock lock(mutex);
    if (host != "a") {
      ++others;
      changed.notify_all();
      return {};
    }
    were_done = changed.wait_for(lock, std::chrono::seconds(30), [&] { return others == 2; });
    return {};
  };
  world_->Step("reconciler");
  EXPECT_TRUE(were_done);
  for (const char* host : {"a", "b", "c"}) EXPECT_EQ(Actual(host), "stopped") << host;
}

TEST_F(ServersAtOnce, ARoundThatIsCutGoesOnWhereItStopped) {
  Start(1);
  Slow("b", kForever);
  const auto step = [this](int64_t ms) {
    for (const auto& loop : world_->loops) {
      if (loop->name() != "reconciler") continue;
      EXPECT_TRUE(loop->Step(world_->fake.Within(ms)));
    }
    return std::exchange(asked_, {});
  };
  EXPECT_EQ(step(1'000), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(step(1'000), (std::vector<std::string>{"c", "a", "b"}));
}

}  // namespace
}  // namespace a4cd::testing
