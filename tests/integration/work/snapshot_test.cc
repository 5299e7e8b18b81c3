// Snapshots of workspaces: made whole or not at all, restored, deleted.
#include "apps/a4cd/hosts/restarts.h"
#include "tests/integration/work/snapshots_fixture.h"

namespace a4cd::testing {
namespace {

using a4c::Code;
using a4c::Error;

TEST_F(Snapshots, ASnapshotIsAUnitOfItsOwnThatNeverRunsWithItsRoomReserved) {
  const Job job = Snap();
  world_.Work();
  ASSERT_EQ(world_.GetJob(job.id).state, JobState::kSucceeded) << world_.GetJob(job.id).message;
  const auto snapshot = Find(IdOf(job));
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(snapshot->state, "ready");
  EXPECT_EQ(snapshot->host, "a");
  EXPECT_EQ(snapshot->bytes, 5);
  EXPECT_EQ(snapshot->workspace_name, "dev-1");
  EXPECT_EQ(UnitOn("a", SnapshotUnitName(snapshot->id))->state, a4c::UnitState::kCreated);
  EXPECT_EQ(world_.Committed("a"), 2 * kGiB);
  EXPECT_EQ(world_.GetWorkspace(workspace_)->actual, "running");
  EXPECT_EQ(UnitOn("a", UnitName(workspace_))->state, a4c::UnitState::kRunning);
}

TEST_F(Snapshots, TheWorkspaceStandsStillWhileItIsCopied) {
  bool has_looked = false;
  volumes_.before_copy = [&](const a4c::VolumeCopy&) -> Result<void> {
    has_looked = true;
    EXPECT_EQ(UnitOn("a", UnitName(workspace_))->state, a4c::UnitState::kStopped);
    return {};
  };
  Snap();
  world_.Work();
  EXPECT_TRUE(has_looked);
}

TEST_F(Snapshots, AStoppedWorkspaceStaysStopped) {
  world_.SubmitFor("workspace.stop", workspace_);
  const Job job = Snap();
  world_.Work();
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kSucceeded);
  EXPECT_EQ(world_.GetWorkspace(workspace_)->actual, "stopped");
  EXPECT_EQ(UnitOn("a", UnitName(workspace_))->state, a4c::UnitState::kStopped);
}

TEST_F(Snapshots, ItIsRestoredAlsoToAnotherWorkspaceOnAnotherServer) {
  const std::string id = IdOf(Snap());
  world_.Work();
  Write(workspace_, "changed");
  ASSERT_EQ(NoteIn(workspace_), "changed\n");
  const Job job = Restore(workspace_, id);
  world_.Work();
  ASSERT_EQ(world_.GetJob(job.id).state, JobState::kSucceeded) << world_.GetJob(job.id).message;
  EXPECT_EQ(NoteIn(workspace_), "kept\n");
  EXPECT_EQ(world_.GetWorkspace(workspace_)->actual, "running");

  const std::string other = Create("dev-2", "b");
  Restore(other, id);
  world_.Work();
  EXPECT_EQ(world_.GetWorkspace(other)->host, "b");
  EXPECT_EQ(NoteIn(other), "kept\n");
}

TEST_F(Snapshots, ItOutlivesItsWorkspace) {
  const std::string id = IdOf(Snap());
  world_.Work();
  world_.SubmitFor("workspace.delete", workspace_);
  world_.Work();
  const std::string other = Create("dev-2");
  Restore(other, id);
  world_.Work();
  EXPECT_EQ(NoteIn(other), "kept\n");
}

TEST_F(Snapshots, ItIsPutOnTheServerThatIsAskedFor) {
  const std::string id = IdOf(Snap(Json::Object{{"host", "b"}}));
  world_.Work();
  EXPECT_EQ(Find(id)->host, "b");
  EXPECT_TRUE(UnitOn("b", SnapshotUnitName(id)));
  EXPECT_EQ(world_.Committed("b"), kGiB);
  Restore(workspace_, id);
  world_.Work();
  EXPECT_EQ(NoteIn(workspace_), "kept\n");
}

TEST_F(Snapshots, WithoutRoomItWaitsAndTheWorkspaceRunsOn) {
  Json big = CreatePayload("big", 7 * kGiB);
  big.Set("host", "a");
  world_.Submit("workspace.create", std::move(big));
  world_.Work();
  workspace_ = world_.instance.jobs.FindWorkspace(world_.Within(), kTenant, "big")->id;
  const Job job = Snap();
  world_.Work();
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kPending);
  EXPECT_EQ(world_.GetJob(job.id).reason, reason::kNoCapacity);
  EXPECT_EQ(UnitOn("a", UnitName(workspace_))->state, a4c::UnitState::kRunning);
}

TEST_F(Snapshots, ACopyThatBreaksOffIsTriedAgainFromTheStart) {
  int tries = 0;
  volumes_.before_copy = [&](const a4c::VolumeCopy&) -> Result<void> {
    if (++tries == 1) return Error(Code::kUnavailable, "the connection was lost");
    return {};
  };
  const Job job = Snap();
  world_.Work();
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kPending);
  EXPECT_EQ(Find(IdOf(job))->state, "creating");
  EXPECT_EQ(UnitOn("a", UnitName(workspace_))->state, a4c::UnitState::kRunning) << "meanwhile";
  Tidy();
  EXPECT_TRUE(Find(IdOf(job))) << "its job goes on";
  world_.WorkAfter(60'000);
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kSucceeded);
  EXPECT_EQ(Find(IdOf(job))->state, "ready");
  EXPECT_EQ(world_.Committed("a"), 2 * kGiB) << "once, not twice";
}

// The stop that the attempt has asked for may come once the workspace runs again.
TEST_F(Snapshots, WhatComesLateOfAnAttemptWithoutAKnownEndIsRefused) {
  FenceOfCopies(Error(Code::kUnknownOutcome, "the connection was lost"));
  const Job job = Snap();
  world_.Work();
  ASSERT_EQ(world_.GetJob(job.id).state, JobState::kPending);
  EXPECT_EQ(ComesLate("a", UnitName(workspace_)), Code::kConflict);
  EXPECT_EQ(UnitOn("a", UnitName(workspace_))->state, a4c::UnitState::kRunning);
  volumes_.before_copy = nullptr;
  world_.WorkAfter(60'000);
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kSucceeded);
}

TEST_F(Snapshots, OneThatFindsNoRoomThereFailsAtOnceAndSaysWhatHelps) {
  FailCopies(Error(Code::kExhausted, "no space left on device", "free space on the server's disk"));
  const Job job = Snap();
  world_.Work();
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kFailed);
  EXPECT_EQ(world_.GetJob(job.id).reason, reason::kNoCapacity);
  EXPECT_EQ(world_.GetJob(job.id).message,
            "no space left on device (free space on the server's disk; then try again)");
  EXPECT_EQ(Find(IdOf(job))->state, "failed");
  EXPECT_EQ(UnitOn("a", UnitName(workspace_))->state, a4c::UnitState::kRunning);
}

TEST_F(Snapshots, OneThatWasNotMadeWholeGoesAndItsRoomIsGivenBack) {
  FailCopies(Error(Code::kInvalid, "no space left on device"));
  const Job job = Snap();
  world_.Work();
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kFailed);
  EXPECT_EQ(world_.GetWorkspace(workspace_)->actual, "running");
  ASSERT_TRUE(Find(IdOf(job)));
  EXPECT_EQ(Find(IdOf(job))->state, "failed");
  EXPECT_NE(Find(IdOf(job))->message.find("no space left"), std::string::npos);
  Tidy();
  EXPECT_FALSE(Find(IdOf(job)));
  EXPECT_FALSE(UnitOn("a", SnapshotUnitName(IdOf(job))));
  EXPECT_EQ(world_.Committed("a"), kGiB);
}

TEST_F(Snapshots, OneWhoseJobWasCanceledGoesToo) {
  FailCopies(Error(Code::kUnavailable, "the connection was lost"));
  const Job job = Snap();
  world_.Work();
  ASSERT_TRUE(world_.Cancel(job.id));
  Tidy();
  EXPECT_FALSE(Find(IdOf(job)));
  EXPECT_EQ(world_.Committed("a"), kGiB);
}

// The cancel comes while it is copied: by then nobody may bring the workspace back any more.
TEST_F(Snapshots, AWorkspaceGoesOnAfterItsSnapshotWasCanceledInTheMiddle) {
  const Job job = Snap();
  volumes_.before_copy = [&](const a4c::VolumeCopy&) -> Result<void> {
    EXPECT_EQ(world_.GetWorkspace(workspace_)->paused_for, job.id);
    EXPECT_TRUE(world_.Cancel(job.id));
    world_.hosts.before_ensure = [](const Unit&) -> Result<void> {
      return Error(Code::kCanceled, "the worker has to stop");
    };
    return Error(Code::kCanceled, "the worker has to stop");
  };
  world_.Work();
  EXPECT_EQ(UnitOn("a", UnitName(workspace_))->state, a4c::UnitState::kStopped);
  volumes_.before_copy = nullptr;
  world_.hosts.before_ensure = nullptr;
  world_.fake.clock().Advance(RestartOptions().wait_ms);
  world_.Step("reconciler");
  world_.Work();
  EXPECT_EQ(UnitOn("a", UnitName(workspace_))->state, a4c::UnitState::kRunning);
  EXPECT_EQ(world_.GetWorkspace(workspace_)->actual, "running");
  EXPECT_EQ(world_.GetWorkspace(workspace_)->paused_for, "");
}

TEST_F(Snapshots, OnePastItsTtlGoes) {
  const Job job = Snap(Json::Object{{"ttl", "60s"}});
  world_.Work();
  Tidy();
  EXPECT_TRUE(Find(IdOf(job)));
  world_.fake.clock().Advance(60'000);
  Tidy();
  EXPECT_FALSE(Find(IdOf(job)));
  EXPECT_FALSE(UnitOn("a", SnapshotUnitName(IdOf(job))));
}

TEST_F(Snapshots, ADeletedOneIsGoneForWhoeverStillMakesItAndIsNotRestored) {
  const Job job = Snap();
  volumes_.before_copy = [&](const a4c::VolumeCopy&) -> Result<void> {
    volumes_.before_copy = nullptr;
    world_.Submit("snapshot.delete", Json::Object{{"snapshot", IdOf(job)}});
    world_.Step("worker-2");
    return {};
  };
  world_.Work();
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kCanceled) << world_.GetJob(job.id).message;
  EXPECT_FALSE(Find(IdOf(job)));
  EXPECT_FALSE(UnitOn("a", SnapshotUnitName(IdOf(job))));
  EXPECT_EQ(world_.Committed("a"), kGiB);
  EXPECT_EQ(world_.GetWorkspace(workspace_)->actual, "running");
}

TEST_F(Snapshots, ItsRoomStaysReservedUntilItsServerHasConfirmedThatItIsGone) {
  const std::string id = IdOf(Snap());
  world_.Work();
  world_.hosts.before_remove = [] { return Error(Code::kUnavailable, "no route"); };
  const Job gone = world_.Submit("snapshot.delete", Json::Object{{"snapshot", id}});
  world_.Work();
  EXPECT_EQ(world_.GetJob(gone.id).reason, reason::kHostUnreachable);
  EXPECT_EQ(world_.Committed("a"), 2 * kGiB);
  world_.hosts.before_remove = nullptr;
  world_.WorkAfter(10'000);
  EXPECT_EQ(world_.GetJob(gone.id).state, JobState::kSucceeded);
  EXPECT_EQ(world_.Committed("a"), kGiB);
}

TEST_F(Snapshots, OneThatIsGoneFromItsServerTakesNothingAway) {
  const std::string id = IdOf(Snap());
  world_.Work();
  ASSERT_TRUE(
      world_.memory_hosts->Remove(world_.Within(), "a", SnapshotUnitName(id), 1'000'000'000));
  const Job job = Restore(workspace_, id);
  world_.Work();
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kFailed);
  EXPECT_NE(world_.GetJob(job.id).message.find("as it was"), std::string::npos);
  EXPECT_EQ(NoteIn(workspace_), "kept\n");
}

TEST_F(Snapshots, AHalfRestoredWorkspaceIsNotStartedUntilItIsRestoredAgain) {
  const std::string id = IdOf(Snap());
  world_.Work();
  FailCopies(Error(Code::kInvalid, "no space left on device"));
  const Job job = Restore(workspace_, id);
  world_.Work();
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kFailed);
  EXPECT_EQ(world_.GetWorkspace(workspace_)->actual, "failed");
  EXPECT_NE(world_.GetWorkspace(workspace_)->message.find("restore it again"), std::string::npos);
  const Job start = world_.SubmitFor("workspace.start", workspace_);
  world_.Work();
  EXPECT_EQ(world_.GetJob(start.id).state, JobState::kFailed);
  Workspace half = *world_.GetWorkspace(workspace_);
  half.restart = "always";
  EXPECT_FALSE(WantsRestart(half, nullptr));
  half.restoring.clear();
  EXPECT_TRUE(WantsRestart(half, nullptr));
  volumes_.before_copy = nullptr;
  Restore(workspace_, id);
  world_.Work();
  EXPECT_EQ(world_.GetWorkspace(workspace_)->actual, "running");
  EXPECT_EQ(NoteIn(workspace_), "kept\n");
}

TEST_F(Snapshots, AHalfRestoredWorkspaceThatMovesWithoutItsFilesRunsElsewhere) {
  const std::string id = IdOf(Snap());
  world_.Work();
  FailCopies(Error(Code::kInvalid, "no space left on device"));
  Restore(workspace_, id);
  world_.Work();
  ASSERT_EQ(world_.GetWorkspace(workspace_)->restoring, id);
  const Job move = world_.Submit("workspace.move", Json::Object{{"workspace", workspace_}});
  world_.Work();
  EXPECT_EQ(world_.GetJob(move.id).state, JobState::kSucceeded) << world_.GetJob(move.id).message;
  EXPECT_EQ(world_.GetWorkspace(workspace_)->host, "b");
  EXPECT_EQ(world_.GetWorkspace(workspace_)->actual, "running");
}

// Of a restore that has taken away what the workspace kept, and then loses its copies.
class HeldSnapshots : public Snapshots {
 protected:
  void SetUp() override {
    Snapshots::SetUp();
    id_ = IdOf(Snap(Json::Object{{"ttl", "60s"}}));
    world_.Work();
    FailCopies(Error(Code::kUnavailable, "the connection was lost"));
    restore_ = Restore(workspace_, id_).id;
    world_.Work();
    ASSERT_EQ(world_.GetJob(restore_).state, JobState::kPending);
  }
  a4c::Result<PreparedWrite> Delete() {
    JobDraft draft;
    draft.type = "snapshot.delete";
    draft.payload = Json::Object{{"snapshot", id_}};
    return world_.instance.jobs.PrepareCreate(
        world_.Within(), {.tenant = kTenant, .key_id = "key", .scopes = {"*"}}, draft);
  }

  std::string id_;
  std::string restore_;
};

TEST_F(HeldSnapshots, NobodyDeletesOneBetweenTwoAttemptsOfItsRestore) {
  const auto refused = Delete();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kConflict);
  EXPECT_NE(refused.error().message().find(restore_), std::string::npos);
  EXPECT_NE(refused.error().hint().find("a4c job cancel " + restore_), std::string::npos);
  world_.fake.clock().Advance(60'000);
  world_.Step("snapshots");
  EXPECT_EQ(Find(id_)->state, "ready") << "its ttl is over";
  volumes_.before_copy = nullptr;
  world_.WorkAfter(60'000);
  EXPECT_EQ(world_.GetJob(restore_).state, JobState::kSucceeded);
  EXPECT_EQ(NoteIn(workspace_), "kept\n");
  Tidy();
  EXPECT_FALSE(Find(id_)) << "nothing holds it any more";
}

TEST_F(HeldSnapshots, AWorkspaceWhoseRestoreWasCanceledSaysThatItIsHalf) {
  EXPECT_EQ(world_.GetWorkspace(workspace_)->actual, "pending");
  world_.Step("reconciler");
  EXPECT_EQ(world_.GetWorkspace(workspace_)->actual, "pending") << "the job is tried again";
  ASSERT_TRUE(world_.Cancel(restore_));
  world_.Step("reconciler");
  const auto half = world_.GetWorkspace(workspace_);
  EXPECT_EQ(half->actual, "failed");
  EXPECT_NE(half->message.find("half restored from snapshot " + id_), std::string::npos);
}

TEST_F(HeldSnapshots, TheHoldEndsWithTheJobHoweverThatEnds) {
  ASSERT_TRUE(world_.Cancel(restore_));
  EXPECT_TRUE(Delete());
  const std::string other = Create("dev-2");
  const std::string again = Restore(other, id_).id;
  world_.Work();
  EXPECT_FALSE(Delete());
  FailCopies(Error(Code::kInvalid, "no space left on device"));
  world_.WorkAfter(60'000);
  ASSERT_EQ(world_.GetJob(again).state, JobState::kFailed);
  EXPECT_TRUE(Delete());
  EXPECT_EQ(Find(id_)->restores, std::vector<std::string>{again})
      << "those that ended are left out";
}

TEST_F(HeldSnapshots, WhoFindsItDeletedBeforeItBeginsTakesNothingAway) {
  volumes_.before_copy = nullptr;
  const std::string other = Create("dev-2");
  ASSERT_TRUE(world_.Cancel(restore_));
  const std::string again = Restore(other, id_).id;
  world_.Submit("snapshot.delete", Json::Object{{"snapshot", id_}});
  Write(other, "own");
  world_.Work();
  EXPECT_EQ(world_.GetJob(again).state, JobState::kFailed);
  EXPECT_NE(world_.GetJob(again).message.find("as it was"), std::string::npos);
  EXPECT_EQ(NoteIn(other), "own\n");
}

// Between the look at the snapshot and the commit that takes the workspace's files away.
TEST_F(HeldSnapshots, ADeletionThatComesBetweenIsSeenByTheCommit) {
  ASSERT_TRUE(world_.Cancel(restore_));
  volumes_.before_copy = nullptr;
  const std::string other = Create("dev-2");
  Write(other, "own");
  const std::string again = Restore(other, id_).id;
  bool is_deleted = false;
  world_.hosts.before_list = [&](const Call&, const std::string&) -> Result<void> {
    if (!std::exchange(is_deleted, true)) {
      world_.Submit("snapshot.delete", Json::Object{{"snapshot", id_}});
    }
    return {};
  };
  world_.Step("worker-1");
  EXPECT_TRUE(is_deleted);
  EXPECT_EQ(world_.GetJob(again).state, JobState::kFailed) << world_.GetJob(again).message;
  EXPECT_EQ(NoteIn(other), "own\n");
}

TEST_F(Snapshots, AMoveThatIsTriedAgainGoesOnWhereItHasCome) {
  int starts = 0;
  world_.hosts.before_ensure = [&](const Unit& unit) -> Result<void> {
    if (unit.host != "b" || ++starts > 1) return {};
    return Error(Code::kUnknownOutcome, "the connection broke");
  };
  int removals = 0;
  world_.hosts.before_remove = [&]() -> Result<void> {
    ++removals;
    return {};
  };
  const Job move = world_.Submit("workspace.move", Json::Object{{"workspace", workspace_}});
  world_.Work();
  world_.fake.clock().Advance(60'000);
  world_.Work();
  EXPECT_EQ(world_.GetJob(move.id).state, JobState::kSucceeded) << world_.GetJob(move.id).message;
  EXPECT_EQ(world_.GetWorkspace(workspace_)->host, "b");
  EXPECT_EQ(removals, 1) << "what it started on the next server was taken for what it left";
}

TEST_F(Snapshots, ItsRoomIsThatOfTheWorkspaceWhenItIsMade) {
  world_.Submit("workspace.update", Json::Object{{"workspace", workspace_}, {"disk", 3 * kGiB}});
  const Job job = Snap();
  world_.Work();
  ASSERT_EQ(world_.GetJob(job.id).state, JobState::kSucceeded) << world_.GetJob(job.id).message;
  EXPECT_EQ(world_.GetWorkspace(workspace_)->disk_bytes, 3 * kGiB);
  EXPECT_EQ(Find(IdOf(job))->disk_bytes, 3 * kGiB);
  EXPECT_EQ(world_.Committed("a"), 6 * kGiB);
}

TEST_F(Snapshots, UnitsOfLivingOnesAreNotUnclaimedAndWhatIsLeftOfDeletedOnesGoes) {
  const std::string id = IdOf(Snap());
  world_.Work();
  for (int i = 0; i < 3; ++i) world_.Step("reconciler");
  EXPECT_TRUE(UnitOn("a", SnapshotUnitName(id)));
  const auto record = world_.Find(SnapshotRef(kTenant, id));
  const Job gone = world_.Submit("snapshot.delete", Json::Object{{"snapshot", id}});
  world_.Work();
  ASSERT_EQ(world_.GetJob(gone.id).state, JobState::kSucceeded);
  // As from a worker that woke up too late, on a server that does not remember epochs.
  const a4c::Unit late{.host = "a",
                       .name = SnapshotUnitName(id),
                       .epoch = kSnapshotEndEpoch + 1,
                       .labels = {{"a4c.snapshot", id}, {"a4c.tenant", kTenant}},
                       .spec = {.command = {"true"}},
                       .wanted = a4c::UnitWanted::kStopped};
  ASSERT_TRUE(world_.memory_hosts->Ensure(world_.Within(), late));
  for (int i = 0; i < 3; ++i) world_.Step("reconciler");
  EXPECT_FALSE(UnitOn("a", SnapshotUnitName(id)));
}

}  // namespace
}  // namespace a4cd::testing
