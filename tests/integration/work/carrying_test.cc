// Workspaces that are carried to another server with what they keep.
#include "tests/integration/work/snapshots_fixture.h"

namespace a4cd::testing {
namespace {

using a4c::Code;
using a4c::Error;

class Carrying : public Snapshots {
 protected:
  Job Move() {
    return world_.Submit("workspace.move",
                         Json::Object{{"workspace", workspace_}, {"with_volume", true}});
  }
  void Drain(const std::string& id, bool with_volumes) {
    Mark(id, {.cordoned = true, .draining = true, .drains_volumes = with_volumes});
  }
  void IsWhole(const std::string& server) {
    const std::string other = server == "a" ? "b" : "a";
    const auto workspace = world_.GetWorkspace(workspace_);
    EXPECT_EQ(workspace->host, server);
    EXPECT_EQ(workspace->also_on, std::vector<std::string>());
    EXPECT_EQ(workspace->actual, "running");
    EXPECT_EQ(NoteIn(workspace_), "kept\n");
    EXPECT_EQ(world_.Committed(server), kGiB);
    EXPECT_EQ(world_.Committed(other), 0);
    EXPECT_TRUE(world_.Units(other).empty());
  }
};

TEST_F(Carrying, AWorkspaceMovesWithWhatItKeepsAndItsReservation) {
  const Job job = Move();
  world_.Work();
  ASSERT_EQ(world_.GetJob(job.id).state, JobState::kSucceeded) << world_.GetJob(job.id).message;
  IsWhole("b");
}

TEST_F(Carrying, NothingIsRemovedBeforeItRunsElsewhere) {
  world_.hosts.before_remove = [&]() -> Result<void> {
    // The receiver is made anew before the copy: there is nothing of it yet.
    if (world_.Units("b").empty()) return {};
    EXPECT_EQ(UnitOn("b", UnitName(workspace_))->state, a4c::UnitState::kRunning);
    EXPECT_EQ(world_.GetWorkspace(workspace_)->host, "b");
    return {};
  };
  Move();
  world_.Work();
  IsWhole("b");
}

TEST_F(Carrying, ADrainWithVolumesMovesAlsoWhatIsKept) {
  Drain("a", false);
  world_.Step("drain");
  world_.Work();
  EXPECT_EQ(world_.GetWorkspace(workspace_)->host, "a") << "it is not to be recreated";
  Drain("a", true);
  world_.Step("drain");
  world_.Work();
  IsWhole("b");
}

TEST_F(Carrying, ADrainLetsOneAloneForAWhileThatCouldNotBeMoved) {
  FailCopies(Error(Code::kInvalid, "no space left on device"));
  Drain("a", true);
  JobList all;
  all.limit = 50;
  const auto moves = [&] {
    world_.Step("drain");
    world_.Work();
    int64_t count = 0;
    const auto jobs = world_.instance.jobs.List(world_.Within(), kTenant, all);
    for (const Job& job : jobs->jobs) count += job.type == "workspace.move" ? 1 : 0;
    return count;
  };
  EXPECT_EQ(moves(), 1);
  EXPECT_EQ(moves(), 1);
  world_.fake.clock().Advance(5 * 60'000);
  volumes_.before_copy = nullptr;
  EXPECT_EQ(moves(), 2);
  IsWhole("b");
}

TEST_F(Carrying, ACopyThatFailsLeavesItRunningWhereItWas) {
  FailCopies(Error(Code::kInvalid, "no space left on device"));
  const Job job = Move();
  world_.Work();
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kFailed);
  IsWhole("a");
}

TEST_F(Carrying, ACopyThatBreaksOffIsTriedAgain) {
  FailCopies(Error(Code::kUnknownOutcome, "the connection was lost"));
  const Job job = Move();
  world_.Work();
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kPending);
  IsWhole("a");
  volumes_.before_copy = nullptr;
  world_.WorkAfter(60'000);
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kSucceeded);
  IsWhole("b");
}

TEST_F(Carrying, WhatComesLateOfAnAttemptWithoutAKnownEndIsRefusedOnBothServers) {
  FenceOfCopies(Error(Code::kUnknownOutcome, "the connection was lost"));
  Move();
  world_.Work();
  EXPECT_EQ(ComesLate("a", UnitName(workspace_)), Code::kConflict);
  EXPECT_EQ(ComesLate("b", UnitName(workspace_)), Code::kConflict);
  IsWhole("a");
  volumes_.before_copy = nullptr;
  world_.WorkAfter(60'000);
  IsWhole("b");
}

TEST_F(Carrying, OneThatFindsNoRoomThereFailsAtOnceAndRunsOnWhereItWas) {
  FailCopies(Error(Code::kExhausted, "host b has no room for it"));
  const Job job = Move();
  world_.Work();
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kFailed);
  EXPECT_EQ(world_.GetJob(job.id).message,
            "host b has no room for it (free space on the server, or choose another one; then try "
            "again)");
  IsWhole("a");
}

// The worker is lost, and the next one finds what the record says.
TEST_F(Carrying, AServerThatDoesNotConfirmTheRemovalKeepsItsReservation) {
  world_.hosts.before_remove = [&]() -> Result<void> {
    if (world_.Units("b").empty()) return {};
    return Error(Code::kUnavailable, "no route");
  };
  const Job job = Move();
  world_.Work();
  EXPECT_EQ(world_.GetJob(job.id).reason, reason::kHostUnreachable);
  EXPECT_EQ(world_.GetWorkspace(workspace_)->host, "b");
  EXPECT_EQ(UnitOn("b", UnitName(workspace_))->state, a4c::UnitState::kRunning);
  EXPECT_EQ(world_.Committed("a"), kGiB);
  world_.hosts.before_remove = nullptr;
  world_.WorkAfter(10'000);
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kSucceeded);
  IsWhole("b");
}

TEST_F(Carrying, OneThatIsDeletedInBetweenIsRemovedFromBothServers) {
  world_.hosts.before_remove = [&]() -> Result<void> {
    if (world_.Units("b").empty()) return {};
    return Error(Code::kUnavailable, "no route");
  };
  Move();
  world_.Work();
  world_.SubmitFor("workspace.delete", workspace_);
  world_.hosts.before_remove = nullptr;
  world_.Work();
  EXPECT_FALSE(world_.GetWorkspace(workspace_));
  EXPECT_TRUE(world_.Units("a").empty());
  EXPECT_TRUE(world_.Units("b").empty());
  EXPECT_EQ(world_.Committed("a"), 0);
  EXPECT_EQ(world_.Committed("b"), 0);
}

TEST_F(Carrying, WithoutRoomElsewhereItRunsOnAndWaits) {
  Json big = CreatePayload("big", 9 * kGiB);
  big.Set("host", "b");
  world_.Submit("workspace.create", std::move(big));
  world_.Work();
  const Job job = Move();
  world_.Work();
  EXPECT_EQ(world_.GetJob(job.id).reason, reason::kNoCapacity);
  EXPECT_EQ(UnitOn("a", UnitName(workspace_))->state, a4c::UnitState::kRunning);
}

TEST_F(Carrying, OneThatDoesNotRunWhereItHasMovedKeepsItsFilesWhereItWas) {
  const Job job = Move();
  world_.hosts.before_ensure = [](const Unit& unit) -> Result<void> {
    const bool is_start = unit.host == "b" && unit.wanted == a4c::UnitWanted::kRunning;
    if (is_start) return Error(Code::kInvalid, "no such runtime");
    return {};
  };
  world_.Work();
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kFailed);
  EXPECT_EQ(world_.GetWorkspace(workspace_)->actual, "failed");
  EXPECT_TRUE(UnitOn("a", UnitName(workspace_)));
  EXPECT_EQ(world_.Committed("a"), kGiB);
  world_.hosts.before_ensure = nullptr;
  world_.SubmitFor("workspace.start", workspace_);
  world_.Work();
  IsWhole("b");
}

TEST_F(Carrying, WhatAStartCannotRemoveWhereItWasIsRemovedOnceThatServerAnswers) {
  Move();
  world_.hosts.before_ensure = [](const Unit& unit) -> Result<void> {
    const bool is_start = unit.host == "b" && unit.wanted == a4c::UnitWanted::kRunning;
    if (is_start) return Error(Code::kInvalid, "no such runtime");
    return {};
  };
  world_.Work();
  world_.hosts.before_ensure = nullptr;
  world_.hosts.before_remove = [] { return Error(Code::kUnavailable, "no route"); };
  world_.SubmitFor("workspace.start", workspace_);
  world_.Work();
  EXPECT_EQ(world_.GetWorkspace(workspace_)->actual, "running");
  EXPECT_EQ(world_.Committed("a"), kGiB);
  world_.hosts.before_remove = nullptr;
  world_.fake.clock().Advance(RestartOptions().wait_ms);
  world_.Step("reconciler");
  world_.Work();
  IsWhole("b");
}

TEST_F(Carrying, AStoppedOneMovesStopped) {
  world_.SubmitFor("workspace.stop", workspace_);
  world_.Work();
  const Job job = Move();
  world_.Work();
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kSucceeded);
  EXPECT_EQ(world_.GetWorkspace(workspace_)->host, "b");
  EXPECT_EQ(world_.GetWorkspace(workspace_)->actual, "stopped");
  world_.SubmitFor("workspace.start", workspace_);
  world_.Work();
  IsWhole("b");
}

}  // namespace
}  // namespace a4cd::testing
