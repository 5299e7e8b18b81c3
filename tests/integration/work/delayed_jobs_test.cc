// Jobs with a delay: until then they stand in nobody's way, and then it is their turn.
#include <string>

#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

constexpr int64_t kHourMs = 3'600'000;

class DelayedJobs : public ::testing::Test {
 protected:
  Job After(int64_t delay_ms, const std::string& type) {
    return world_.Submit(type, Json::Object{{"workspace", id_}},
                         [&](JobDraft& draft) { draft.delay_ms = delay_ms; });
  }
  JobState StateOf(const Job& job) { return world_.GetJob(job.id).state; }
  Workspace Now() { return world_.GetWorkspace(id_).value_or(Workspace{}); }

  void SetUp() override {
    id_ = world_.Submit("workspace.create", CreatePayload("dev-1")).workspace;
    world_.Work();
    ASSERT_EQ(Now().actual, "running");
  }

  World world_{kOneServer};
  std::string id_;
};

TEST_F(DelayedJobs, HoldUpNoOther) {
  const Job later = After(8 * kHourMs, "workspace.stop");
  const Job stop = After(0, "workspace.stop");
  const Job start = After(0, "workspace.start");
  world_.Work();
  EXPECT_EQ(StateOf(stop), JobState::kSucceeded);
  EXPECT_EQ(StateOf(start), JobState::kSucceeded);
  EXPECT_EQ(StateOf(later), JobState::kPending);
  world_.WorkAfter(8 * kHourMs);
  EXPECT_EQ(StateOf(later), JobState::kSucceeded);
  EXPECT_EQ(Now().actual, "stopped");
}

TEST_F(DelayedJobs, ChangeNothingBeforeTheyBegin) {
  for (const char* type : {"workspace.stop", "workspace.delete"}) {
    const Job later = After(kHourMs, type);
    world_.Work();
    EXPECT_EQ(Now().desired, "running") << type;
    ASSERT_TRUE(world_.Cancel(later.id));
    EXPECT_EQ(Now().desired, "running") << type;
  }
  After(kHourMs, "workspace.stop");
  world_.WorkAfter(kHourMs);
  EXPECT_EQ(Now().desired, "stopped") << "or it would be started again";
}

TEST_F(DelayedJobs, GoInTheOrderOfTheirTimes) {
  const Job start = After(2 * kHourMs, "workspace.start");
  const Job stop = After(kHourMs, "workspace.stop");
  world_.WorkAfter(3 * kHourMs);
  EXPECT_EQ(StateOf(stop), JobState::kSucceeded);
  EXPECT_EQ(StateOf(start), JobState::kSucceeded);
  EXPECT_EQ(Now().actual, "running") << "the stop was for an hour before";
  EXPECT_EQ(Now().desired, "running");
}

TEST_F(DelayedJobs, ADeleteEndsWhatWasToComeAfterIt) {
  const Job gone = After(kHourMs, "workspace.delete");
  const Job stop = After(2 * kHourMs, "workspace.stop");
  world_.WorkAfter(kHourMs);
  EXPECT_EQ(StateOf(gone), JobState::kSucceeded);
  EXPECT_FALSE(world_.GetWorkspace(id_));
  world_.WorkAfter(kHourMs);
  EXPECT_EQ(StateOf(stop), JobState::kCanceled);
  EXPECT_EQ(world_.GetJob(stop.id).reason, reason::kSubjectGone);
}

TEST_F(DelayedJobs, LeaveTheWorkspaceToTheReconciler) {
  After(8 * kHourMs, "workspace.stop");
  ASSERT_TRUE(world_.memory_hosts->Remove(world_.Within(), "one", UnitName(id_), 1'000));
  world_.Step("hosts");
  world_.Step("reconciler");
  EXPECT_EQ(Now().actual, "failed") << "its container was removed by hand";
}

// Said when it was made, so that nobody enters what is about to stop.
TEST_F(DelayedJobs, WhatACanceledJobWantedIsTakenBack) {
  for (const char* type : {"workspace.stop", "workspace.delete"}) {
    const Job job = After(0, type);
    EXPECT_NE(Now().desired, "running") << type;
    ASSERT_TRUE(world_.Cancel(job.id));
    EXPECT_EQ(Now().desired, "running") << type;
  }
  After(0, "workspace.stop");
  world_.Work();
  const Job start = After(0, "workspace.start");
  ASSERT_TRUE(world_.Cancel(start.id));
  EXPECT_EQ(Now().desired, "stopped");
}

TEST_F(DelayedJobs, ARetryThatWaitsKeepsItsTurn) {
  world_.hosts.before_ensure = [](const Unit&) -> Result<void> {
    return a4c::Error(a4c::Code::kUnavailable, "the server is down");
  };
  const Job stop = After(0, "workspace.stop");
  world_.Work();
  ASSERT_EQ(world_.GetJob(stop.id).reason, reason::kRetrying);
  world_.hosts.before_ensure = nullptr;
  const Job start = After(0, "workspace.start");
  world_.Work();
  EXPECT_EQ(StateOf(start), JobState::kPending);
  world_.WorkAfter(60'000);
  EXPECT_EQ(StateOf(start), JobState::kSucceeded);
  EXPECT_EQ(Now().actual, "running");
}

TEST_F(DelayedJobs, AJobOfAnOlderVersionGoesBeforeAllOthers) {
  Job stop = After(0, "workspace.stop");
  const Job start = After(0, "workspace.start");
  stop.scheduled_at = 0;
  const auto done = world_.instance.database.Write(
      world_.Within(), {.changes = {{.ref = JobRef(kTenant, stop.id),
                                     .body = JobBody(stop),
                                     .expect = a4c::Expect::Rev(stop.rev)}}});
  ASSERT_TRUE(done) << done.error().ToString();
  world_.Work();
  EXPECT_EQ(StateOf(stop), JobState::kSucceeded);
  EXPECT_EQ(Now().actual, "running");
}

}  // namespace
}  // namespace a4cd::testing
