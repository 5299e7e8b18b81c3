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
  // What has to remove something fails for good.
  void WorkInVain() {
    world_.hosts.before_remove = [] {
      return a4c::Error(a4c::Code::kInternal, "the server refuses it");
    };
    world_.Work();
    world_.hosts.before_remove = nullptr;
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

// The server may have removed it, with its files, and only the answer was lost.
TEST_F(DelayedJobs, ADeleteThatHasBegunIsNotTakenBack) {
  world_.hosts.before_remove = [] {
    return a4c::Error(a4c::Code::kUnavailable, "the server does not answer");
  };
  const Job gone = After(0, "workspace.delete");
  world_.Work();
  ASSERT_EQ(world_.GetJob(gone.id).attempts, 0) << "it waits for its server";
  ASSERT_TRUE(world_.Cancel(gone.id));
  EXPECT_EQ(Now().desired, "deleted");
  world_.hosts.before_remove = nullptr;
  After(0, "workspace.delete");
  world_.Work();
  EXPECT_FALSE(world_.GetWorkspace(id_));
}

TEST_F(DelayedJobs, ADeleteAgainIsNotTakenBackEither) {
  After(0, "workspace.delete");
  WorkInVain();
  const Job again = After(0, "workspace.delete");
  ASSERT_TRUE(world_.Cancel(again.id));
  EXPECT_EQ(Now().desired, "deleted") << "the first one had begun";
}

TEST_F(DelayedJobs, ADeleteAgainEndsWhatWasToComeLater) {
  const Job stop = After(8 * kHourMs, "workspace.stop");
  const Job late = After(kHourMs, "workspace.delete");
  world_.fake.clock().Advance(kHourMs);
  WorkInVain();
  ASSERT_EQ(StateOf(late), JobState::kFailed);
  ASSERT_EQ(StateOf(stop), JobState::kPending);
  const Job again = After(0, "workspace.delete");
  EXPECT_EQ(StateOf(stop), JobState::kCanceled);
  world_.Work();
  EXPECT_EQ(StateOf(again), JobState::kSucceeded);
  EXPECT_FALSE(world_.GetWorkspace(id_));
}

TEST_F(DelayedJobs, WhatWasNotBegunBeforeItsDeadlineIsTakenBack) {
  for (const char* type : {"workspace.stop", "workspace.delete"}) {
    const Job job = world_.Submit(type, Json::Object{{"workspace", id_}},
                                  [](JobDraft& draft) { draft.deadline_ms = 1'000; });
    ASSERT_NE(Now().desired, "running") << type;
    world_.WorkAfter(2'000);
    ASSERT_EQ(world_.GetJob(job.id).reason, reason::kDeadline) << type;
    EXPECT_EQ(Now().desired, "running") << type;
  }
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
