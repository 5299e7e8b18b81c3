// A server that is gone for good, by an operator's word; and the machine that comes back one day.
#include "apps/a4cd/hosts/lost_server.h"

#include "apps/a4cd/executors/workspace_unit.h"
#include "apps/a4cd/hosts/drain_loop.h"
#include "tests/integration/support/hooked_store.h"
#include "tests/integration/work/snapshots_fixture.h"

namespace a4cd::testing {
namespace {

using a4c::Code;
using a4c::Error;

// The workspace is on "a", which is lost.
class LostServer : public Snapshots {
 protected:
  // As the API does, of one that is silent.
  LostCounts Lose() { return LoseIn(world_.instance); }
  LostCounts LoseIn(Instance& instance) {
    Mark("a", {.cordoned = true});
    LostCounts counts;
    const auto done = LetGoOfLost(world_.Within(), instance.database,
                                  world_.instance.worker.reservations(), "a", counts);
    EXPECT_TRUE(done) << done.error().ToString();
    return counts;
  }
  void FallSilent() {
    world_.hosts.before_remove = [] { return Error(Code::kUnavailable, "no route to host"); };
  }
  Workspace Now() { return *world_.GetWorkspace(workspace_); }
  // What the job would be told at once.
  Result<Job> Ask(const std::string& type, Json payload = Json::Object{}) {
    payload.Set("workspace", workspace_);
    JobDraft draft;
    draft.type = type;
    draft.payload = std::move(payload);
    return testing::Submit(world_.fake.runtime(), world_.instance, draft);
  }
  Job Carry() {
    return world_.Submit("workspace.move",
                         Json::Object{{"workspace", workspace_}, {"with_volume", true}});
  }
  void MayBeginAnew() {
    ASSERT_TRUE(Ask("workspace.update", Json::Object{{"on_drain", "recreate"}}));
    world_.Work();
  }
  JobState EndOf(const Job& job) { return world_.GetJob(job.id).state; }
  int64_t Reserved(const std::string& server) {
    const auto found = world_.instance.database.Scan(
        world_.Within(), {.kind = "reservation", .index = "by_host", .prefix = {server}});
    EXPECT_TRUE(found);
    return found ? static_cast<int64_t>(found->records.size()) : -1;
  }
};

TEST_F(LostServer, ItsWorkspacesAreOnNoServerAndTheirRoomIsGivenBack) {
  Create("dev-2", "a");
  const LostCounts counts = Lose();
  EXPECT_EQ(counts.workspaces, 2);
  EXPECT_EQ(Now().host, "");
  EXPECT_EQ(Now().actual, "lost");
  EXPECT_EQ(Now().lost_with, "a");
  EXPECT_EQ(Now().message, "its server a is gone for good, and what it kept with it");
  EXPECT_EQ(Reserved("a"), 0);
  EXPECT_EQ(world_.Committed("a"), 0);
}

TEST_F(LostServer, AWorkspaceIsDeletedAtOnce) {
  Lose();
  FallSilent();
  const Job gone = world_.SubmitFor("workspace.delete", workspace_);
  world_.Work();
  EXPECT_EQ(EndOf(gone), JobState::kSucceeded) << world_.GetJob(gone.id).message;
  EXPECT_FALSE(world_.GetWorkspace(workspace_));
}

TEST_F(LostServer, ADeleteThatWaitsForItEndsWell) {
  FallSilent();
  const Job gone = world_.SubmitFor("workspace.delete", workspace_);
  world_.Work();
  ASSERT_EQ(world_.GetJob(gone.id).reason, reason::kHostUnreachable);
  EXPECT_NE(world_.GetJob(gone.id).message.find("a4c host remove a --lost"), std::string::npos);
  Lose();
  const auto record = world_.Find(WorkspaceRef(kTenant, workspace_));
  EXPECT_TRUE(record->tombstone);
  EXPECT_EQ(world_.Committed("a"), 0);
  world_.WorkAfter(10'000);
  EXPECT_EQ(EndOf(gone), JobState::kSucceeded) << world_.GetJob(gone.id).message;
}

// It was taken out of the config, or another instance does not have it there yet.
TEST_F(LostServer, ADeleteWaitsAlsoForAServerThatTheProviderDoesNotKnow) {
  world_.hosts.before_remove = [] { return Error(Code::kNotFound, "there is no server a"); };
  const Job gone = world_.SubmitFor("workspace.delete", workspace_);
  world_.Work();
  EXPECT_EQ(EndOf(gone), JobState::kPending);
  EXPECT_EQ(world_.Committed("a"), kGiB);
  Lose();
  world_.WorkAfter(10'000);
  EXPECT_EQ(EndOf(gone), JobState::kSucceeded);
}

TEST_F(LostServer, WhatNeedsItsFilesIsToldThatTheyAreGoneAndWhatToDo) {
  Lose();
  for (const char* type : {"workspace.start", "workspace.stop", "workspace.snapshot"}) {
    const auto asked = Ask(type);
    ASSERT_FALSE(asked) << type;
    EXPECT_EQ(asked.error().code(), Code::kConflict);
    EXPECT_EQ(asked.error().message(),
              "the workspace dev-1 is gone with its server a, and what it kept with it");
    EXPECT_NE(asked.error().hint().find("a4c workspace update dev-1 --on-drain recreate"),
              std::string::npos);
  }
  EXPECT_FALSE(Ask("workspace.move", Json::Object{{"with_volume", true}}));
}

TEST_F(LostServer, WhatWasAskedForBeforeFailsAndLeavesItLost) {
  world_.hosts.before_ensure = [](const Unit&) { return Error(Code::kUnavailable, "no route"); };
  const Job stop = world_.SubmitFor("workspace.stop", workspace_);
  const Job start = world_.SubmitFor("workspace.start", workspace_);
  world_.Work();
  Lose();
  world_.hosts.before_ensure = nullptr;
  world_.WorkAfter(60'000);
  for (const Job& job : {stop, start}) {
    EXPECT_EQ(EndOf(job), JobState::kFailed);
    EXPECT_EQ(world_.GetJob(job.id).reason, reason::kServerLost) << world_.GetJob(job.id).message;
  }
  EXPECT_EQ(Now().actual, "lost");
  EXPECT_EQ(Now().host, "");
}

TEST_F(LostServer, OneThatMayBeMadeAnewBeginsElsewhereWithNothing) {
  Lose();
  MayBeginAnew();
  const Job start = world_.SubmitFor("workspace.start", workspace_);
  world_.Work();
  ASSERT_EQ(EndOf(start), JobState::kSucceeded) << world_.GetJob(start.id).message;
  EXPECT_EQ(Now().host, "b");
  EXPECT_EQ(Now().actual, "running");
  EXPECT_EQ(Now().lost_with, "");
  EXPECT_EQ(Now().message, "");
  EXPECT_EQ(NoteIn(workspace_), "");
  EXPECT_EQ(world_.Committed("b"), kGiB);
}

TEST_F(LostServer, OneThatWasNeverMadeThereIsPlacedElsewhere) {
  Mark("b", {.cordoned = true});
  world_.hosts.before_ensure = [](const Unit&) { return Error(Code::kUnavailable, "no route"); };
  const Job create = world_.Submit("workspace.create", CreatePayload("dev-2"));
  world_.Work();
  ASSERT_EQ(world_.GetWorkspace("dev-2")->host, "a");
  Lose();
  Mark("b", {});
  world_.hosts.before_ensure = nullptr;
  world_.WorkAfter(60'000);
  EXPECT_EQ(EndOf(create), JobState::kSucceeded) << world_.GetJob(create.id).message;
  EXPECT_EQ(world_.GetWorkspace("dev-2")->host, "b");
}

TEST_F(LostServer, AMoveWithoutFilesThatWaitsForItGoesOn) {
  FallSilent();
  const Job move = world_.SubmitFor("workspace.move", workspace_);
  world_.Work();
  ASSERT_EQ(world_.GetJob(move.id).reason, reason::kHostUnreachable);
  Lose();
  world_.hosts.before_remove = nullptr;
  world_.WorkAfter(10'000);
  EXPECT_EQ(EndOf(move), JobState::kSucceeded) << world_.GetJob(move.id).message;
  EXPECT_EQ(Now().host, "b");
}

// To leave its files is what was asked for.
TEST_F(LostServer, AStoppedOneThatIsMovedWithoutItsFilesBeginsAnewWhenItIsStarted) {
  world_.SubmitFor("workspace.stop", workspace_);
  world_.Work();
  Lose();
  world_.SubmitFor("workspace.move", workspace_);
  world_.Work();
  EXPECT_EQ(Now().lost_with, "");
  EXPECT_EQ(Now().actual, "stopped");
  const Job start = world_.SubmitFor("workspace.start", workspace_);
  world_.Work();
  EXPECT_EQ(EndOf(start), JobState::kSucceeded) << world_.GetJob(start.id).message;
  EXPECT_EQ(Now().host, "b");
}

TEST_F(LostServer, ASnapshotThereIsDeletedAndTheJobThatDeletesItEndsWell) {
  const std::string kept = IdOf(Snap());
  const std::string elsewhere = IdOf(Snap(Json::Object{{"host", "b"}}));
  world_.Work();
  FallSilent();
  const Job gone = world_.Submit("snapshot.delete", Json::Object{{"snapshot", kept}});
  world_.Work();
  const LostCounts counts = Lose();
  EXPECT_EQ(counts.snapshots, 1);
  EXPECT_FALSE(Find(kept));
  EXPECT_EQ(Find(elsewhere)->state, "ready");
  EXPECT_EQ(world_.Committed("a"), 0);
  EXPECT_EQ(world_.Committed("b"), kGiB);
  world_.WorkAfter(10'000);
  EXPECT_EQ(EndOf(gone), JobState::kSucceeded) << world_.GetJob(gone.id).message;
  // The way back to what it kept then.
  world_.hosts.before_remove = nullptr;
  MayBeginAnew();
  world_.SubmitFor("workspace.start", workspace_);
  world_.Work();
  Restore(workspace_, elsewhere);
  world_.Work();
  EXPECT_EQ(NoteIn(workspace_), "kept\n");
}

// From "a", where something of it is left.
TEST_F(LostServer, OneThatHasLeftItRunsOn) {
  world_.hosts.before_remove = [&]() -> Result<void> {
    if (world_.Units("b").empty()) return {};
    return Error(Code::kUnavailable, "no route");
  };
  const Job move = Carry();
  world_.Work();
  ASSERT_EQ(Now().also_on, std::vector<std::string>{"a"});
  Lose();
  EXPECT_EQ(Now().host, "b");
  EXPECT_EQ(Now().lost_with, "");
  world_.WorkAfter(10'000);
  EXPECT_EQ(EndOf(move), JobState::kSucceeded) << world_.GetJob(move.id).message;
  EXPECT_EQ(Now().also_on, std::vector<std::string>());
  EXPECT_EQ(NoteIn(workspace_), "kept\n");
  EXPECT_EQ(Now().actual, "running");
}

// From "a" to "b", where half of it may be.
TEST_F(LostServer, OneThatWasOnItsWayElsewhereIsLostAndItsHalfCopyGoes) {
  FailCopies(Error(Code::kUnknownOutcome, "the connection was lost"));
  const Job move = Carry();
  world_.hosts.before_remove = [&]() -> Result<void> {
    if (world_.Units("b").empty()) return {};
    return Error(Code::kUnavailable, "not now");
  };
  world_.Work();
  ASSERT_EQ(Now().also_on, std::vector<std::string>{"b"});
  Lose();
  world_.hosts.before_remove = nullptr;
  world_.WorkAfter(60'000);
  EXPECT_EQ(world_.GetJob(move.id).reason, reason::kServerLost) << world_.GetJob(move.id).message;
  MayBeginAnew();
  world_.SubmitFor("workspace.start", workspace_);
  world_.Work();
  EXPECT_EQ(Now().actual, "running") << Now().message;
  EXPECT_EQ(Now().also_on, std::vector<std::string>());
  EXPECT_EQ(NoteIn(workspace_), "");
  EXPECT_EQ(world_.Committed("b"), kGiB);
}

TEST_F(LostServer, OneThatIsDeletedOnItsWayIsRemovedFromTheOtherServerFirst) {
  FailCopies(Error(Code::kUnknownOutcome, "the connection was lost"));
  ASSERT_TRUE(Ask("workspace.move", Json::Object{{"with_volume", true}}));
  world_.hosts.before_remove = [&]() -> Result<void> {
    if (world_.Units("b").empty()) return {};
    return Error(Code::kUnavailable, "not now");
  };
  world_.Work();
  const Job gone = world_.SubmitFor("workspace.delete", workspace_);
  world_.Work();
  Lose();
  EXPECT_TRUE(world_.GetWorkspace(workspace_)) << "of \"b\" nobody has said anything";
  EXPECT_EQ(world_.Committed("b"), kGiB);
  world_.hosts.before_remove = nullptr;
  world_.WorkAfter(60'000);
  EXPECT_EQ(EndOf(gone), JobState::kSucceeded) << world_.GetJob(gone.id).message;
  EXPECT_TRUE(world_.Units("b").empty());
  EXPECT_EQ(world_.Committed("b"), 0);
}

TEST_F(LostServer, TheRoomOfABuildIsGivenBack) {
  ASSERT_TRUE(world_.instance.worker.reservations().Reserve(
      world_.Within(), kTenant, "0193-build", {.amounts = {kGiB}, .server = "a"},
      [](const Decision&) { return a4c::Commit(); }, HolderOf::kJob));
  ASSERT_EQ(world_.Committed("a"), 2 * kGiB);
  const LostCounts counts = Lose();
  EXPECT_EQ(counts.workspaces, 1);
  EXPECT_EQ(world_.Committed("a"), 0);
}

// Its answer comes when the operator has spoken.
TEST_F(LostServer, WhoeverIsAtWorkThereWritesNothingAfterwards) {
  world_.SubmitFor("workspace.stop", workspace_);
  world_.Work();
  const Job start = world_.SubmitFor("workspace.start", workspace_);
  world_.hosts.before_ensure = [&](const Unit&) -> Result<void> {
    world_.hosts.before_ensure = nullptr;
    Lose();
    return {};
  };
  world_.Work();
  EXPECT_EQ(Now().host, "");
  EXPECT_EQ(Now().actual, "lost");
  world_.WorkAfter(60'000);
  EXPECT_EQ(world_.GetJob(start.id).reason, reason::kServerLost) << world_.GetJob(start.id).message;
  EXPECT_EQ(Now().actual, "lost");
}

TEST_F(LostServer, TheSameGoesOnAfterACrashInBetween) {
  Create("dev-2", "a");
  const std::string snapshot = IdOf(Snap());
  world_.Work();
  HookedStore store(*world_.store);
  a4c::testing::FakeRuntime& fake = world_.fake;
  Instance dies(fake.runtime(), store, world_.hosts, {});
  std::stop_source crash;
  int commits = 0;
  store.before_apply = [&](auto) {
    if (++commits == 2) crash.request_stop();
  };
  Call call = world_.Within();
  call.stop = crash.get_token();
  Mark("a", {.cordoned = true});
  LostCounts before;
  ASSERT_FALSE(LetGoOfLost(call, dies.database, dies.worker.reservations(), "a", before));
  ASSERT_GT(Reserved("a"), 0);
  ASSERT_LT(Reserved("a"), 3) << "the first commit was made";
  const LostCounts rest = Lose();
  EXPECT_EQ(Reserved("a"), 0);
  EXPECT_LT(rest.workspaces + rest.snapshots, 3);
  EXPECT_EQ(Now().lost_with, "a");
  EXPECT_EQ(world_.GetWorkspace("dev-2")->lost_with, "a");
  EXPECT_FALSE(Find(snapshot));
  EXPECT_EQ(world_.Committed("a"), 0);
}

class Returned : public LostServer {
 protected:
  // It is enrolled again, with all that was there.
  void ComeBack() {
    Mark("a", {});
    world_.fake.clock().Advance(600'000);
    world_.Step("hosts");
  }
  void Reconcile() {
    for (int i = 0; i < 3; ++i) {
      world_.fake.clock().Advance(60'000);
      world_.Step("reconciler");
      world_.Work();
    }
  }
  bool IsUnitOnA() { return UnitOn("a", UnitName(workspace_)).has_value(); }
  Json Unclaimed() {
    const Job listed = world_.Submit("host.purge", Json::Object{{"host", "a"}});
    world_.Work();
    return world_.GetJob(listed.id).result["unclaimed"];
  }
  void StartAnewOn(const std::string& server) {
    const std::string other = server == "a" ? "b" : "a";
    Mark(other, {.cordoned = true});
    MayBeginAnew();
    world_.SubmitFor("workspace.start", workspace_);
    world_.Work();
    Mark(other, {});
    ASSERT_EQ(Now().host, server);
    ASSERT_EQ(Now().actual, "running");
  }
};

TEST_F(Returned, AUnitOfALivingWorkspaceWaitsForAWordAndIsNobodys) {
  Lose();
  StartAnewOn("b");
  ComeBack();
  Reconcile();
  EXPECT_TRUE(IsUnitOnA()) << "it is removed for no silence, and by no loop";
  EXPECT_EQ(Now().host, "b");
  const Json unclaimed = Unclaimed();
  ASSERT_EQ(unclaimed.Items().size(), 1u);
  EXPECT_EQ(unclaimed.Items().at(0)["unit"].Text(), UnitName(workspace_));
  const Job purge = world_.Submit(
      "host.purge", Json::Object{{"host", "a"}, {"units", Json::Array{UnitName(workspace_)}}});
  world_.Work();
  EXPECT_EQ(EndOf(purge), JobState::kSucceeded) << world_.GetJob(purge.id).message;
  EXPECT_FALSE(IsUnitOnA());
  EXPECT_EQ(Now().actual, "running");
  EXPECT_TRUE(UnitOn("b", UnitName(workspace_)));
  const Job stop = world_.SubmitFor("workspace.stop", workspace_);
  world_.Work();
  EXPECT_EQ(EndOf(stop), JobState::kSucceeded) << world_.GetJob(stop.id).message;
}

TEST_F(Returned, AUnitOfADeletedWorkspaceGoesByItself) {
  const std::string snapshot = IdOf(Snap());
  world_.Work();
  Lose();
  world_.SubmitFor("workspace.delete", workspace_);
  world_.Work();
  ComeBack();
  ASSERT_TRUE(IsUnitOnA());
  ASSERT_TRUE(UnitOn("a", SnapshotUnitName(snapshot)));
  Reconcile();
  EXPECT_FALSE(IsUnitOnA());
  EXPECT_FALSE(UnitOn("a", SnapshotUnitName(snapshot)));
}

TEST_F(Returned, AWorkspaceThatBeginsAnewOnItHasNothingOfBefore) {
  Lose();
  ComeBack();
  ASSERT_TRUE(IsUnitOnA());
  StartAnewOn("a");
  EXPECT_EQ(NoteIn(workspace_), "");
  Write(workspace_, "new");
  world_.SubmitFor("workspace.stop", workspace_);
  world_.SubmitFor("workspace.start", workspace_);
  world_.Work();
  EXPECT_EQ(NoteIn(workspace_), "new\n");
}

TEST_F(Returned, OneThatIsMovedToItWithoutItsFilesHasNothingOfBeforeEither) {
  Lose();
  StartAnewOn("b");
  ComeBack();
  const Job move = world_.SubmitFor("workspace.move", workspace_);
  world_.Work();
  ASSERT_EQ(EndOf(move), JobState::kSucceeded) << world_.GetJob(move.id).message;
  ASSERT_EQ(Now().host, "a");
  EXPECT_EQ(NoteIn(workspace_), "");
}

TEST_F(Returned, OneThatIsRestoredThereHasWhatTheSnapshotKept) {
  const std::string snapshot = IdOf(Snap(Json::Object{{"host", "b"}}));
  world_.Work();
  Lose();
  ComeBack();
  Mark("b", {.cordoned = true});
  MayBeginAnew();
  world_.hosts.before_remove = [] { return Error(Code::kInternal, "a bug"); };
  world_.SubmitFor("workspace.start", workspace_);
  world_.Work();
  world_.hosts.before_remove = nullptr;
  ASSERT_EQ(Now().host, "a");
  ASSERT_EQ(Now().actual, "failed");
  Reconcile();
  EXPECT_EQ(Now().actual, "failed") << "what is there is of a life before";
  const Job update = world_.Submit("workspace.update",
                                   Json::Object{{"workspace", workspace_}, {"memory", "64MiB"}});
  world_.Work();
  EXPECT_EQ(EndOf(update), JobState::kFailed) << "and is not made into it";
  const Job restore = Restore(workspace_, snapshot);
  world_.Work();
  ASSERT_EQ(EndOf(restore), JobState::kSucceeded) << world_.GetJob(restore.id).message;
  EXPECT_EQ(NoteIn(workspace_), "kept\n");
}

// A drain of "b", where one is on its way from a server that does not answer.
TEST_F(LostServer, AMoveThatWaitsForItHoldsUpNoDrainOfAnotherServer) {
  world_.hosts.before_remove = [&]() -> Result<void> {
    if (world_.Units("b").empty()) return {};
    return Error(Code::kUnavailable, "no route");
  };
  const Job waits = Carry();
  world_.Work();
  ASSERT_EQ(Now().host, "b");
  Mark("a", {.cordoned = true});
  const std::string other = Create("dev-2");
  ASSERT_EQ(world_.GetJob(waits.id).reason, reason::kHostUnreachable);
  ASSERT_EQ(world_.GetWorkspace(other)->host, "b");
  Mark("b", {.cordoned = true, .draining = true, .drains_volumes = true});
  world_.Step("drain");
  const auto moves =
      HasUnfinishedJob(world_.Within(), world_.instance.database, kTenant, WorkspaceSubject(other));
  ASSERT_TRUE(moves);
  EXPECT_TRUE(*moves);
}

}  // namespace
}  // namespace a4cd::testing
