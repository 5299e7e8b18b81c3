// What the reconciler notes, removes, gives up for lost, and starts again.
#include "tests/integration/work_fixture.h"

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
TEST(Reconciler, OnlyUnitsOfTombstonesAreRemovedAndOnlyWhenSeenTwice) {
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
  world.Step("reconciler");
  EXPECT_EQ(world.Units("one").size(), 2u);
  world.Step("reconciler");
  for (int i = 0; i < 3; ++i) world.Step("reconciler");
  const auto left = world.Units("one");
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].name, "ws-of-somebody");
}

class Restart : public ::testing::Test {
 protected:
  std::string Create(const std::string& restart, const std::string& command) {
    Json payload = CreatePayload("dev-1", kGiB, command);
    payload.Set("restart", restart);
    const std::string id = world_.Submit("workspace.create", std::move(payload)).workspace;
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

TEST(Reconciler, WhatRanOnAServerThatIsSilentForLongIsLostUntilItAnswers) {
  World world(kOneServer);
  const std::string id = world.Submit("workspace.create", CreatePayload("dev-1")).workspace;
  world.Work();
  const auto round = [&](int64_t ms) {
    world.fake.clock().Advance(ms);
    world.Step("reconciler");
    return *world.GetWorkspace(id);
  };
  world.hosts.silent = "one";
  EXPECT_EQ(round(0).actual, "running");
  const int64_t bound_ms = ReconcilerOptions().lost_after_ms;
  EXPECT_EQ(round(bound_ms - 1).actual, "running");
  const Workspace lost = round(1);
  EXPECT_EQ(lost.actual, "lost");
  EXPECT_EQ(lost.message, "its server one does not answer: no route to host");
  EXPECT_EQ(lost.host, "one");
  EXPECT_EQ(world.Committed("one"), kGiB);
  EXPECT_EQ(world.Units("one").size(), 1u) << "never removed for silence";
  world.hosts.silent.clear();
  EXPECT_EQ(round(0).actual, "running");
  world.hosts.silent = "one";
  EXPECT_EQ(round(0).actual, "running") << "counted anew";
}

TEST(Reconciler, WhatAJobIsAtIsNotCalledLost) {
  World world(kOneServer);
  const std::string id = world.Submit("workspace.create", CreatePayload("dev-1")).workspace;
  world.Work();
  world.SubmitFor("workspace.stop", id);
  world.hosts.silent = "one";
  world.Step("reconciler");
  world.fake.clock().Advance(ReconcilerOptions().lost_after_ms);
  world.Step("reconciler");
  EXPECT_EQ(world.GetWorkspace(id)->actual, "running");
}

TEST(Reconciler, WhatWasLostAndIsGoneHasFailed) {
  World world(kOneServer);
  const std::string id = world.Submit("workspace.create", CreatePayload("dev-1")).workspace;
  world.Work();
  world.hosts.silent = "one";
  world.Step("reconciler");
  world.fake.clock().Advance(ReconcilerOptions().lost_after_ms);
  world.Step("reconciler");
  ASSERT_EQ(world.GetWorkspace(id)->actual, "lost");
  const UnitStatus unit = world.Units("one").at(0);
  ASSERT_TRUE(world.memory_hosts->Remove(world.Within(), "one", unit.name, unit.epoch));
  world.hosts.silent.clear();
  world.Step("reconciler");
  EXPECT_EQ(world.GetWorkspace(id)->actual, "failed");
}

}  // namespace
}  // namespace a4cd::testing
