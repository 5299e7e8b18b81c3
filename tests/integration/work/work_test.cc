// The main job over memory back ends: workspaces are placed, run, stopped and deleted; commands
// run.
#include <algorithm>

#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::UnitState;

TEST(Work, ACreatedWorkspaceIsPlacedAndReallyRuns) {
  World world;
  const Job created = world.Submit("workspace.create", CreatePayload("dev-1"));
  world.Work();
  const Job job = world.GetJob(created.id);
  ASSERT_EQ(job.state, JobState::kSucceeded) << job.message;
  EXPECT_EQ(job.attempts, 1);
  const auto workspace = world.GetWorkspace(created.workspace);
  ASSERT_TRUE(workspace);
  EXPECT_EQ(workspace->actual, "running");
  EXPECT_EQ(job.result["host"].Text(), workspace->host);
  const auto units = world.Units(workspace->host);
  ASSERT_EQ(units.size(), 1u);
  EXPECT_EQ(units[0].state, UnitState::kRunning);
  EXPECT_EQ(units[0].name, job.result["unit"].Text());
  EXPECT_EQ(units[0].labels.at("a4c.tenant"), kTenant);
  EXPECT_EQ(world.Committed(workspace->host), kGiB);
  EXPECT_TRUE(world.Find(ReservationRef(workspace->host, workspace->id)));
  EXPECT_EQ(job.placement["server"].Text(), workspace->host);
  EXPECT_EQ(job.placement["servers"].Items().size(), 3u);
  EXPECT_NE(world.LogOf(job.id).find("placed on " + workspace->host), std::string::npos);
}

TEST(Work, TheLeastUsedDiskGetsTheWorkspace) {
  World world({.servers = {{.id = "big", .disk_total_bytes = 100 * kGiB},
                           {.id = "small", .disk_total_bytes = 10 * kGiB}}});
  std::vector<std::string> hosts;
  for (int i = 0; i < 5; ++i) {
    const Job job =
        world.Submit("workspace.create", CreatePayload("dev-" + std::to_string(i), 2 * kGiB));
    world.Work();
    hosts.push_back(world.GetJob(job.id).host);
  }
  EXPECT_EQ(hosts, std::vector<std::string>(5, "big"));
}

TEST(Work, AWorkspaceIsStoppedStartedAndDeleted) {
  World world(kOneServer);
  const std::string id = world.Submit("workspace.create", CreatePayload("dev-1")).workspace;
  world.Work();
  const Job stop = world.SubmitFor("workspace.stop", id);
  world.Work();
  EXPECT_EQ(world.GetJob(stop.id).state, JobState::kSucceeded);
  EXPECT_EQ(world.GetWorkspace(id)->actual, "stopped");
  EXPECT_EQ(world.Units("one").at(0).state, UnitState::kStopped);
  EXPECT_EQ(world.Committed("one"), kGiB);

  const Job start = world.SubmitFor("workspace.start", id);
  world.Work();
  EXPECT_EQ(world.GetJob(start.id).state, JobState::kSucceeded);
  EXPECT_EQ(world.Units("one").at(0).state, UnitState::kRunning);
  EXPECT_EQ(world.Committed("one"), kGiB);

  const Job gone = world.SubmitFor("workspace.delete", id);
  world.Work();
  EXPECT_EQ(world.GetJob(gone.id).state, JobState::kSucceeded);
  EXPECT_FALSE(world.GetWorkspace(id));
  EXPECT_TRUE(world.Units("one").empty());
  EXPECT_EQ(world.Committed("one"), 0);
  EXPECT_FALSE(world.Find(ReservationRef("one", id)));
  EXPECT_TRUE(world.Find(WorkspaceRef(kTenant, id))->tombstone);
}

// While instances are upgraded one by one. Done in part, it would be called done.
TEST(Work, WhatANewerVersionHasMadeWaitsForOne) {
  World world(kOneServer);
  const std::string id = world.Submit("workspace.create", CreatePayload("dev-1")).workspace;
  world.Work();
  const int64_t rev = world.GetWorkspace(id)->rev;
  const Job member =
      world.Submit("workspace.update", Json::Object{{"workspace", id}, {"ttl", "8h"}, {"gpus", 2}});
  world.Work();
  EXPECT_EQ(world.GetJob(member.id).state, JobState::kPending);
  EXPECT_EQ(world.GetJob(member.id).attempts, 0);
  EXPECT_NE(world.GetJob(member.id).message.find("newer version"), std::string::npos);
  EXPECT_EQ(world.GetWorkspace(id)->rev, rev) << "no part of it is done";
  ASSERT_TRUE(world.Cancel(member.id));
  const Job type = world.Submit("workspace.rename", Json::Object{{"workspace", id}, {"to", "x"}});
  world.Work();
  EXPECT_EQ(world.GetJob(type.id).state, JobState::kPending);
}

TEST(Work, RoomIsGivenBackOnlyAfterTheServerConfirmedTheRemoval) {
  World world(kOneServer);
  const std::string id = world.Submit("workspace.create", CreatePayload("dev-1")).workspace;
  world.Work();
  world.hosts.before_remove = [] {
    return Result<void>(Error(Code::kUnavailable, "out of reach"));
  };
  const Job gone = world.SubmitFor("workspace.delete", id);
  for (int i = 0; i < 5; ++i) {
    world.WorkAfter(10'000);
    const Job job = world.GetJob(gone.id);
    EXPECT_EQ(job.state, JobState::kPending);
    EXPECT_EQ(job.reason, reason::kHostUnreachable);
    EXPECT_EQ(world.Committed("one"), kGiB);
    EXPECT_TRUE(world.Find(ReservationRef("one", id)));
  }
  world.hosts.before_remove = nullptr;
  world.WorkAfter(10'000);
  EXPECT_EQ(world.GetJob(gone.id).state, JobState::kSucceeded);
  EXPECT_EQ(world.Committed("one"), 0);
}

// Somebody has to set right there what it refuses; a removal of which nobody knows is tried again.
TEST(Work, ADeleteWaitsForAServerThatRefusesOrDoesNotSay) {
  for (const Code code : {Code::kDenied, Code::kUnknownOutcome}) {
    World world(kOneServer);
    const std::string id = world.Submit("workspace.create", CreatePayload("dev-1")).workspace;
    world.Work();
    world.hosts.before_remove = [code] { return Result<void>(Error(code, "not now")); };
    const Job gone = world.SubmitFor("workspace.delete", id);
    for (int i = 0; i < 5; ++i) world.WorkAfter(10'000);
    EXPECT_EQ(world.GetJob(gone.id).state, JobState::kPending);
    EXPECT_EQ(world.GetJob(gone.id).reason, reason::kHostUnreachable);
    world.hosts.before_remove = nullptr;
    world.WorkAfter(10'000);
    EXPECT_EQ(world.GetJob(gone.id).state, JobState::kSucceeded);
    EXPECT_FALSE(world.GetWorkspace(id));
  }
}

TEST(Work, AWorkspaceWhoseDeleteHasFailedForGoodIsDeletedAgain) {
  World world(kOneServer);
  const std::string id = world.Submit("workspace.create", CreatePayload("dev-1")).workspace;
  world.Work();
  world.hosts.before_remove = [] { return Result<void>(Error(Code::kInternal, "a bug")); };
  const Job failed = world.SubmitFor("workspace.delete", id);
  JobDraft again;
  again.type = "workspace.delete";
  again.payload = Json::Object{{"workspace", id}};
  const auto too_early = Submit(world.fake.runtime(), world.instance, again);
  ASSERT_FALSE(too_early) << "there is one on its way";
  EXPECT_EQ(too_early.error().code(), Code::kConflict);
  world.Work();
  ASSERT_EQ(world.GetJob(failed.id).state, JobState::kFailed);
  world.hosts.before_remove = nullptr;
  const Job second = world.SubmitFor("workspace.delete", id);
  world.Work();
  EXPECT_EQ(world.GetJob(second.id).state, JobState::kSucceeded);
  EXPECT_FALSE(world.GetWorkspace(id));
  EXPECT_EQ(world.Committed("one"), 0);
}

TEST(Work, ACanceledPendingJobIsNeverRun) {
  World world;
  const Job job = world.Submit("workspace.create", CreatePayload("dev-1"));
  ASSERT_TRUE(world.Cancel(job.id));
  world.Work();
  EXPECT_EQ(world.GetJob(job.id).state, JobState::kCanceled);
  for (const char* server : {"local-1", "local-2", "local-3"}) {
    EXPECT_TRUE(world.Units(server).empty());
  }
}

TEST(Work, ACancelWhileTheJobRunsIsNotOverwritten) {
  for (const bool fails : {false, true}) {
    World world;
    const Job job = world.Submit("workspace.create", CreatePayload("dev-1"));
    world.hosts.before_ensure = [&](const Unit&) -> Result<void> {
      EXPECT_TRUE(world.Cancel(job.id));
      if (fails) return Error(Code::kUnavailable, "out of reach");
      return {};
    };
    world.Work();
    world.hosts.before_ensure = nullptr;
    world.WorkAfter(120'000);
    const Job after = world.GetJob(job.id);
    EXPECT_EQ(after.state, JobState::kCanceled);
    EXPECT_EQ(after.reason, reason::kCanceledByUser);
    EXPECT_EQ(after.attempts, 1);
  }
}

TEST(Work, ADeleteDuringACreateWinsAndLeavesNothing) {
  World world(kOneServer);
  const Job created = world.Submit("workspace.create", CreatePayload("dev-1"));
  Job gone;
  world.hosts.before_ensure = [&](const Unit&) -> Result<void> {
    if (gone.id.empty()) gone = world.SubmitFor("workspace.delete", created.workspace);
    return {};
  };
  world.Work();
  EXPECT_EQ(world.GetJob(created.id).state, JobState::kCanceled);
  EXPECT_EQ(world.GetJob(created.id).reason, reason::kSubjectGone);
  EXPECT_EQ(world.GetJob(gone.id).state, JobState::kSucceeded);
  EXPECT_TRUE(world.Units("one").empty());
  EXPECT_EQ(world.Committed("one"), 0);
}

TEST(Work, ErrorsThatCanPassAreTriedAgainAndThenFail) {
  World world;
  int calls = 0;
  world.hosts.before_ensure = [&](const Unit&) -> Result<void> {
    ++calls;
    return Error(Code::kUnavailable, "the server is down", "start it");
  };
  const Job job = world.Submit("workspace.create", CreatePayload("dev-1"));
  world.Work();
  EXPECT_EQ(world.GetJob(job.id).state, JobState::kPending);
  EXPECT_EQ(world.GetJob(job.id).reason, reason::kRetrying);
  for (int i = 0; i < 10; ++i) world.WorkAfter(60'000);
  const Job failed = world.GetJob(job.id);
  EXPECT_EQ(failed.state, JobState::kFailed);
  EXPECT_EQ(failed.message, "the server is down (start it)");
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(world.GetWorkspace(job.workspace)->actual, "failed");
}

TEST(Work, AnErrorThatCannotPassFailsAtOnceWithTheMessageOfWhoRefused) {
  World world;
  Json payload = CreatePayload("dev-1");
  payload.Set("image", "nowhere:1");
  const Job job = world.Submit("workspace.create", std::move(payload));
  world.Work();
  EXPECT_EQ(world.GetJob(job.id).state, JobState::kFailed);
  EXPECT_NE(world.GetJob(job.id).message.find("no image nowhere:1"), std::string::npos);
}

TEST(Work, AnUnknownOutcomeIsResolvedByDoingTheSameAgain) {
  World world(kOneServer);
  int calls = 0;
  world.hosts.before_ensure = [&](const Unit& unit) -> Result<void> {
    if (++calls > 1) return {};
    EXPECT_TRUE(world.memory_hosts->Ensure(world.Within(), unit));
    return Error(Code::kUnknownOutcome, "the connection was lost");
  };
  const Job job = world.Submit("workspace.create", CreatePayload("dev-1"));
  world.Work();
  world.WorkAfter(60'000);
  EXPECT_EQ(world.GetJob(job.id).state, JobState::kSucceeded);
  EXPECT_EQ(world.Units("one").size(), 1u);
  EXPECT_EQ(world.Committed("one"), kGiB);
}

TEST(Work, AJobWhoseWorkerDiedIsTakenOverAndTheDeadOneWritesNothingMore) {
  World world(kOneServer);
  const Job job = world.Submit("workspace.create", CreatePayload("dev-1"));
  const auto leases = a4c::NewLeases(*world.store);
  const auto claimed = leases->Claim(world.Within(), {.kind = JobKind(),
                                                      .index = "by_due",
                                                      .prefix = {int64_t{kPriorityMax - 5}},
                                                      .upper = world.fake.clock().NowMs() + 1,
                                                      .holder = "dead",
                                                      .lease_ms = 30'000});
  ASSERT_TRUE(claimed);
  ASSERT_EQ(claimed->size(), 1u);
  const auto write = [&](const Job& before, const Result<Job>& after) {
    return world.instance.database.Write(
        world.Within(), {.changes = {{.ref = JobRef(kTenant, job.id),
                                      .body = JobBody(*after),
                                      .expect = a4c::Expect::Rev(before.rev)}},
                         .also = {a4c::Check{.ref = claimed->at(0).lease.subject,
                                             .quiet = {{"epoch", claimed->at(0).lease.epoch}}}}});
  };
  const int64_t now_ms = world.fake.clock().NowMs();
  ASSERT_EQ(write(job, Started(job, now_ms, claimed->at(0).lease.until_ms))->outcome,
            a4c::Committed::Outcome::kApplied);
  world.WorkAfter(10'000);
  EXPECT_EQ(world.GetJob(job.id).state, JobState::kRunning);
  world.WorkAfter(21'000);
  const Job after = world.GetJob(job.id);
  EXPECT_EQ(after.state, JobState::kSucceeded);
  EXPECT_EQ(after.attempts, 2);
  EXPECT_EQ(world.Units("one").at(0).epoch, 2);
  Job revived = after;
  revived.state = JobState::kRunning;
  EXPECT_EQ(write(after, Failed(revived, now_ms, "error", "the dead one"))->outcome,
            a4c::Committed::Outcome::kConflict);
}

// Nothing of the job was written since: the epoch alone tells.
TEST(Work, AWorkerWhoseLeaseWasTakenOverWritesNothingMore) {
  World world(kOneServer);
  const Job job = world.Submit("workspace.create", CreatePayload("dev-1"));
  const auto leases = a4c::NewLeases(*world.store);
  world.hosts.before_ensure = [&](const Unit&) -> Result<void> {
    world.fake.clock().Advance(31'000);
    const auto claimed = leases->Claim(world.Within(), {.kind = JobKind(),
                                                        .index = "by_due",
                                                        .prefix = {int64_t{kPriorityMax - 5}},
                                                        .upper = world.fake.clock().NowMs() + 1,
                                                        .holder = "other",
                                                        .lease_ms = 30'000});
    EXPECT_TRUE(claimed && claimed->size() == 1);
    return {};
  };
  world.Step("worker-1");
  EXPECT_EQ(world.GetJob(job.id).state, JobState::kRunning);
  EXPECT_EQ(world.GetWorkspace(job.workspace)->actual, "pending");
  EXPECT_EQ(world.LogOf(job.id), "");
}

TEST(Work, AJobWhoseWorkersKeepDyingFailsWhenItsAttemptsAreUsedUp) {
  World world(kOneServer);
  const Job job = world.Submit("workspace.create", CreatePayload("dev-1"),
                               [](JobDraft& draft) { draft.attempts_max = 1; });
  Job running = *Started(job, world.fake.clock().NowMs(), world.fake.clock().NowMs());
  ASSERT_TRUE(world.instance.database.Write(world.Within(),
                                            {.changes = {{.ref = JobRef(kTenant, job.id),
                                                          .body = JobBody(running),
                                                          .expect = a4c::Expect::Rev(job.rev)}}}));
  world.Work();
  EXPECT_EQ(world.GetJob(job.id).state, JobState::kFailed);
  EXPECT_TRUE(world.Units("one").empty());
}

TEST(Work, UrgentJobsGoFirst) {
  World world;
  std::vector<std::string> order;
  world.hosts.before_ensure = [&](const Unit& unit) -> Result<void> {
    order.push_back(unit.labels.at("a4c.workspace"));
    return {};
  };
  const Job late = world.Submit("workspace.create", CreatePayload("late"),
                                [](JobDraft& draft) { draft.priority = 1; });
  const Job urgent = world.Submit("workspace.create", CreatePayload("urgent"),
                                  [](JobDraft& draft) { draft.priority = 9; });
  world.Work();
  EXPECT_EQ(order, (std::vector<std::string>{urgent.workspace, late.workspace}));
}

Json RunPayload(const std::string& workspace, const std::string& script) {
  Json payload(Json::Object{{"workspace", workspace}});
  payload.AppendMember("command", Json::Array{"sh", "-c", script});
  return payload;
}

TEST(Work, ACommandRunsInItsWorkspaceAndItsOutputIsTheLog) {
  World world(kOneServer);
  const std::string id = world.Submit("workspace.create", CreatePayload("dev-1")).workspace;
  const Job good = world.Submit("command.run", RunPayload(id, "echo hello; echo again"));
  const Job bad = world.Submit("command.run", RunPayload(id, "echo oops; exit 3"));
  world.Work();
  EXPECT_EQ(world.GetJob(good.id).state, JobState::kSucceeded);
  EXPECT_EQ(world.GetJob(good.id).result["exit_code"].Int(-1), 0);
  EXPECT_EQ(world.LogOf(good.id), "hello\nagain\n");
  const Job failed = world.GetJob(bad.id);
  EXPECT_EQ(failed.state, JobState::kFailed);
  EXPECT_EQ(failed.reason, reason::kExitCode);
  EXPECT_EQ(failed.result["exit_code"].Int(-1), 3);
  EXPECT_EQ(failed.attempts, 1);
  EXPECT_EQ(world.LogOf(bad.id), "oops\n");
}

TEST(Work, ACommandKnowsItsJob) {
  World world(kOneServer);
  const std::string id = world.Submit("workspace.create", CreatePayload("dev-1")).workspace;
  const Job job = world.Submit("command.run", RunPayload(id, "echo $A4C_JOB"));
  world.Work();
  EXPECT_EQ(world.LogOf(job.id), job.id + "\n");
}

// Its process is told to end while it runs.
class CutShort final : public a4c::HostExec {
 public:
  Result<int> Run(const Call&, const a4c::ExecRequest& request,
                  const std::function<void(std::string_view)>&) override {
    keys.push_back(request.env.at("A4C_JOB"));
    stop.request_stop();
    return a4c::Error(a4c::Code::kUnknownOutcome, "the command was started");
  }
  std::stop_source stop;
  std::vector<std::string> keys;
};

TEST(Work, ACommandBeginsAnewElsewhereUnlessItIsToRunOnce) {
  for (const int64_t attempts_max : {1, 3}) {
    World world(kOneServer);
    const std::string id = world.Submit("workspace.create", CreatePayload("dev-1")).workspace;
    world.Work();
    CutShort exec;
    world.hosts.exec = &exec;
    const Job job = world.Submit("command.run", RunPayload(id, "true"),
                                 [&](JobDraft& draft) { draft.attempts_max = attempts_max; });
    world.Step("worker-1", exec.stop.get_token());
    const bool is_once = attempts_max == 1;
    EXPECT_EQ(world.GetJob(job.id).state, is_once ? JobState::kFailed : JobState::kPending);
    exec.stop = {};
    world.Step("worker-1", exec.stop.get_token());
    EXPECT_EQ(exec.keys, std::vector<std::string>(is_once ? 1 : 2, job.id));
  }
}

TEST(Work, OfALongLogHeadAndTailAreKept) {
  WorkerOptions options;
  options.work.log_bytes_max = 4'000;
  World world(kOneServer, options);
  const std::string id = world.Submit("workspace.create", CreatePayload("dev-1")).workspace;
  const Job job = world.Submit("command.run", RunPayload(id, "seq 1 50000"));
  world.Work();
  const std::string log = world.LogOf(job.id);
  EXPECT_TRUE(log.starts_with("1\n2\n3\n"));
  EXPECT_TRUE(log.ends_with("49999\n50000\n"));
  EXPECT_NE(log.find("bytes were left out here"), std::string::npos);
  EXPECT_LT(log.size(), 4'100u);
}

TEST(Work, WhatTheProviderCannotDoFailsWithItsName) {
  World world(kOneServer);
  const std::string id = world.Submit("workspace.create", CreatePayload("dev-1")).workspace;
  world.Work();
  world.hosts.has_extensions = false;
  const Job run = world.Submit("command.run", RunPayload(id, "true"));
  const Job build =
      world.Submit("image.build", Json::Object{{"tag", "app:1"}, {"context", "AAAA"}});
  world.Work();
  EXPECT_EQ(world.GetJob(run.id).state, JobState::kFailed);
  EXPECT_NE(world.GetJob(run.id).message.find("cannot run commands"), std::string::npos);
  EXPECT_EQ(world.GetJob(build.id).state, JobState::kFailed);
  EXPECT_NE(world.GetJob(build.id).message.find("cannot build images"), std::string::npos);
}

TEST(Work, AWorkspaceWhoseTimeIsOverIsDeleted) {
  World world(kOneServer);
  Json payload = CreatePayload("dev-1");
  payload.Set("ttl", "60s");
  const std::string id = world.Submit("workspace.create", std::move(payload)).workspace;
  world.Work();
  world.Step("expiry");
  world.Work();
  EXPECT_TRUE(world.GetWorkspace(id));
  world.fake.clock().Advance(61'000);
  world.Step("expiry");
  world.Step("expiry");
  world.Work();
  EXPECT_FALSE(world.GetWorkspace(id));
  EXPECT_TRUE(world.Units("one").empty());
}

// Nobody else would: the one who gave it a ttl does not look.
TEST(Work, AWorkspaceWhoseExpiryHasFailedForGoodIsDeletedAgain) {
  World world(kOneServer);
  Json payload = CreatePayload("dev-1");
  payload.Set("ttl", "60s");
  const std::string id = world.Submit("workspace.create", std::move(payload)).workspace;
  world.Work();
  world.hosts.before_remove = [] { return Result<void>(Error(Code::kInternal, "a bug")); };
  const auto deletes = [&] {
    const auto jobs = world.instance.jobs.List(world.Within(), kTenant, JobList());
    EXPECT_TRUE(jobs);
    return std::ranges::count(jobs->jobs, "workspace.delete", &Job::type);
  };
  const auto expire_after = [&](int64_t ms) {
    world.fake.clock().Advance(ms);
    world.Step("expiry");
    world.Work();
  };
  expire_after(61'000);
  EXPECT_EQ(deletes(), 1);
  EXPECT_EQ(world.GetWorkspace(id)->desired, "deleted");
  expire_after(60'000);
  EXPECT_EQ(deletes(), 1) << "not at once";
  expire_after(5 * 60'000);
  EXPECT_EQ(deletes(), 2);
  expire_after(60'000);
  EXPECT_EQ(deletes(), 2) << "nor the next one";
  world.hosts.before_remove = nullptr;
  expire_after(5 * 60'000);
  EXPECT_EQ(deletes(), 3);
  EXPECT_FALSE(world.GetWorkspace(id));
  EXPECT_TRUE(world.Units("one").empty());
}

// They would run after it, one by one.
TEST(Work, ADeleteCancelsHoweverManyWereToRunBefore) {
  World world(kOneServer);
  const std::string id = world.Submit("workspace.create", CreatePayload("dev-1")).workspace;
  world.Work();
  std::vector<std::string> jobs;
  for (int i = 0; i < 450; ++i) {
    jobs.push_back(world.SubmitFor("workspace.stop", id).id);
  }
  const Job gone = world.SubmitFor("workspace.delete", id);
  const auto is_canceled = [&](const std::string& job) {
    return world.GetJob(job).reason == reason::kSubjectGone;
  };
  EXPECT_EQ(std::ranges::count_if(jobs, is_canceled), 450);
  world.Work();
  EXPECT_EQ(world.GetJob(gone.id).state, JobState::kSucceeded);
}

TEST(Work, ADeleteThatWouldCancelThousandsIsRefused) {
  World world(kOneServer);
  const std::string id = world.Submit("workspace.create", CreatePayload("dev-1")).workspace;
  world.Work();
  for (int i = 0; i < 2'001; ++i) world.SubmitFor("workspace.move", id);
  JobDraft draft;
  draft.type = "workspace.delete";
  draft.payload = Json::Object{{"workspace", id}};
  const auto refused = Submit(world.fake.runtime(), world.instance, draft);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kConflict);
  EXPECT_NE(refused.error().hint().find("cancel some of them first"), std::string::npos);
}

}  // namespace
}  // namespace a4cd::testing
