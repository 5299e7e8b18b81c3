// Snapshots of workspaces: made whole or not at all, restored, deleted; and workspaces that are
// carried to another server with what they keep.
#include "apps/a4cd/jobs/snapshot.h"

#include "apps/a4cd/hosts/host_record.h"
#include "apps/a4cd/hosts/restarts.h"
#include "tests/integration/work_fixture.h"

namespace a4cd::testing {
namespace {

using a4c::Code;
using a4c::Error;

const a4c::MemoryHostOptions kTwoServers{.servers = {{.id = "a", .disk_total_bytes = 10 * kGiB},
                                                     {.id = "b", .disk_total_bytes = 10 * kGiB}}};

// Copies as the inner one, after the test has done something, or not at all.
class HookedVolumes final : public a4c::HostVolumes {
 public:
  explicit HookedVolumes(a4c::HostVolumes& inner) : inner_(inner) {}
  Result<int64_t> Copy(const Call& call, const a4c::VolumeCopy& copy) override {
    if (before_copy) A4C_CHECK(before_copy(copy));
    return inner_.Copy(call, copy);
  }

  std::function<Result<void>(const a4c::VolumeCopy&)> before_copy;

 private:
  a4c::HostVolumes& inner_;
};

class Snapshots : public ::testing::Test {
 protected:
  void SetUp() override {
    world_.hosts.volumes = &volumes_;
    world_.Step("hosts");
    Mark("b", {.cordoned = true});
    workspace_ = Create("dev-1");
    Mark("b", {});
    Write(workspace_, "kept");
  }

  struct Marks {
    bool cordoned = false;
    bool draining = false;
    bool drains_volumes = false;
  };
  void Mark(const std::string& id, const Marks& marks) {
    auto host = ReadHost(world_.Within(), world_.instance.database, id);
    ASSERT_TRUE(host);
    host->cordoned = marks.cordoned;
    host->draining = marks.draining;
    host->drains_volumes = marks.drains_volumes;
    const auto done = world_.instance.database.Write(
        world_.Within(), {.changes = {{.ref = HostRef(id),
                                       .body = HostBody(*host),
                                       .expect = a4c::Expect::Rev(host->rev)}}});
    ASSERT_TRUE(done);
    ASSERT_EQ(done->outcome, a4c::Committed::Outcome::kApplied);
  }
  // Not tied to the server that it gets, unless that is named.
  std::string Create(const std::string& name, const std::string& on = "") {
    Json payload = CreatePayload(name);
    if (!on.empty()) payload.Set("host", on);
    const Job job = world_.Submit("workspace.create", std::move(payload));
    world_.Work();
    EXPECT_EQ(world_.GetWorkspace(job.workspace)->actual, "running");
    return job.workspace;
  }
  Job Snap(Json more = Json::Object{}) {
    more.Set("workspace", workspace_);
    return world_.Submit("workspace.snapshot", std::move(more));
  }
  Job Restore(const std::string& workspace, const std::string& snapshot) {
    return world_.Submit("workspace.restore",
                         Json::Object{{"workspace", workspace}, {"snapshot", snapshot}});
  }
  static std::string IdOf(const Job& job) { return job.payload["snapshot"].Text(); }
  // Nothing: it has gone.
  std::optional<Snapshot> Find(const std::string& id) {
    const auto found = ReadSnapshot(world_.Within(), world_.instance.database, kTenant, id);
    return found ? std::optional(*found) : std::nullopt;
  }
  std::string NoteIn(const std::string& workspace) {
    const auto record = world_.GetWorkspace(workspace);
    std::string output;
    const auto code = world_.memory_hosts->As<a4c::HostExec>()->Run(
        world_.Within(),
        {.host = record->host, .unit = UnitName(workspace), .command = {"cat", "note"}},
        [&](std::string_view bytes) { output += bytes; });
    return code && *code == 0 ? output : "";
  }
  // In the workspace, from now on.
  void Write(const std::string& workspace, const std::string& note) {
    const auto record = world_.GetWorkspace(workspace);
    ASSERT_TRUE(world_.memory_hosts->As<a4c::HostExec>()->Run(
        world_.Within(),
        {.host = record->host,
         .unit = UnitName(workspace),
         .command = {"sh", "-c", "echo " + note + " > note"}},
        [](std::string_view) {}));
  }
  std::optional<UnitStatus> UnitOn(const std::string& server, const std::string& name) {
    for (const UnitStatus& unit : world_.Units(server)) {
      if (unit.name == name) return unit;
    }
    return std::nullopt;
  }
  // As its loop and a worker see to it.
  void Tidy() {
    world_.fake.clock().Advance(1'000);
    world_.Step("snapshots");
    world_.Work();
  }
  void FailCopies(const Error& error) {
    volumes_.before_copy = [error](const a4c::VolumeCopy&) -> Result<void> { return error; };
  }

  // The same, and keeps in whose name it was.
  void FenceOfCopies(const Error& error) {
    volumes_.before_copy = [this, error](const a4c::VolumeCopy& copy) -> Result<void> {
      late_ = copy.fence;
      return error;
    };
  }
  // What a server makes of an order to stop that the failed attempt gave.
  std::optional<Code> ComesLate(const std::string& server, const std::string& unit) {
    const auto stopped =
        world_.memory_hosts->Ensure(world_.Within(), {.host = server,
                                                      .name = unit,
                                                      .epoch = late_.epoch,
                                                      .claim = late_.claim,
                                                      .spec = {.command = {"true"}},
                                                      .wanted = a4c::UnitWanted::kStopped});
    return stopped ? std::nullopt : std::optional(stopped.error().code());
  }

  a4c::Fence late_{0, ""};
  World world_{kTwoServers};
  HookedVolumes volumes_{*world_.memory_hosts->As<a4c::HostVolumes>()};
  std::string workspace_;
};

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
  EXPECT_EQ(world_.GetWorkspace(workspace_)->actual, "running");
  EXPECT_EQ(NoteIn(workspace_), "kept\n");
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
