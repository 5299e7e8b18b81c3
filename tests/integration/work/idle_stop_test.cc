// Workspaces that nobody uses are stopped, and say why.
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>

#include "apps/a4cd/jobs/presence.h"
#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

constexpr int64_t kMinuteMs = 60'000;
constexpr const char* kComputes = "while :; do :; done";

class IdleStop : public ::testing::Test {
 protected:
  std::string Create(const std::string& name, const std::string& command = "sleep infinity",
                     const std::string& idle_stop = "10m") {
    Json payload = CreatePayload(name, kGiB, command);
    if (!idle_stop.empty()) payload.Set("idle_stop", idle_stop);
    std::string id = world_.Submit("workspace.create", std::move(payload)).workspace;
    world_.Work();
    EXPECT_EQ(ActualOf(id), "running");
    return id;
  }
  std::string ActualOf(const std::string& id) { return world_.GetWorkspace(id)->actual; }
  // As the loop and a worker see it, every half minute.
  void Pass(int64_t minutes, const std::function<void()>& meanwhile = {}) {
    for (int64_t half = 0; half < 2 * minutes; ++half) {
      world_.fake.clock().Advance(kMinuteMs / 2);
      if (meanwhile) meanwhile();
      world_.Step("idle");
      world_.Work();
    }
  }
  Presence PresenceIn(const std::string& id) {
    return {world_.instance.database, world_.fake.runtime(), kTenant, *world_.GetWorkspace(id)};
  }

  World world_;
};

TEST_F(IdleStop, AWorkspaceThatNobodyUsesIsStoppedAndSaysWhy) {
  const std::string id = Create("dev-1");
  Pass(9);
  EXPECT_EQ(ActualOf(id), "running");
  Pass(3);
  const auto workspace = world_.GetWorkspace(id);
  EXPECT_EQ(workspace->actual, "stopped");
  EXPECT_EQ(workspace->desired, "stopped");
  EXPECT_NE(workspace->message.find("idle for 10 min"), std::string::npos) << workspace->message;
  EXPECT_NE(workspace->message.find("2 % of a processor"), std::string::npos);
  const auto jobs = world_.instance.jobs.List(world_.Within(), kTenant, JobList());
  ASSERT_TRUE(jobs);
  EXPECT_EQ(jobs->jobs.at(0).type, "workspace.stop");
  EXPECT_EQ(jobs->jobs[0].created_by, "idle_stop");
  EXPECT_NE(jobs->jobs[0].title.find("idle for 10 min"), std::string::npos);
}

TEST_F(IdleStop, ItIsStartedAgainAndHasItsWholeTimeAnew) {
  const std::string id = Create("dev-1");
  Pass(12);
  ASSERT_EQ(ActualOf(id), "stopped");
  Pass(60);
  world_.SubmitFor("workspace.start", id);
  world_.Work();
  Pass(9);
  EXPECT_EQ(ActualOf(id), "running");
  EXPECT_EQ(world_.GetWorkspace(id)->message, "");
  Pass(3);
  EXPECT_EQ(ActualOf(id), "stopped");
}

TEST_F(IdleStop, OneWithoutTheOptionRunsOn) {
  const std::string id = Create("dev-1", "sleep infinity", "");
  Pass(60);
  EXPECT_EQ(ActualOf(id), "running");
}

TEST_F(IdleStop, OneThatComputesRunsOn) {
  const std::string id = Create("dev-1", kComputes);
  Pass(30);
  EXPECT_EQ(ActualOf(id), "running");
}

TEST_F(IdleStop, OneThatAJobIsWaitingForIsNotAskedToStop) {
  const std::string id = Create("dev-1");
  const Json payload(Json::Object{{"workspace", id}, {"command", Json::Array{"true"}}});
  world_.Submit("command.run", payload, [](JobDraft& draft) { draft.delay_ms = 30 * kMinuteMs; });
  Pass(20);
  const auto jobs = world_.instance.jobs.List(world_.Within(), kTenant, JobList());
  ASSERT_TRUE(jobs);
  EXPECT_EQ(jobs->jobs.at(0).type, "command.run");
}

TEST_F(IdleStop, OneThatSomebodyIsInRunsOnUntilTheyHaveLeftForSoLong) {
  const std::string id = Create("dev-1");
  Presence presence = PresenceIn(id);
  ASSERT_TRUE(presence.Begin(world_.Within()));
  Pass(30, [&] { presence.Keep(); });
  EXPECT_EQ(ActualOf(id), "running");
  Pass(9);
  EXPECT_EQ(ActualOf(id), "running");
  Pass(2);
  EXPECT_EQ(ActualOf(id), "stopped");
}

TEST_F(IdleStop, OneThatGetsTheOptionWhileSomebodyIsInRunsOnUntilTheyHaveLeft) {
  const std::string id = Create("dev-1", "sleep infinity", "");
  Presence presence = PresenceIn(id);
  ASSERT_TRUE(presence.Begin(world_.Within()));
  Pass(3, [&] { presence.Keep(); });
  world_.Submit("workspace.update", Json(Json::Object{{"workspace", id}, {"idle_stop", "10m"}}));
  world_.Work();
  ASSERT_EQ(world_.GetWorkspace(id)->idle_stop_ms, 10 * kMinuteMs);
  Pass(30, [&] { presence.Keep(); });
  EXPECT_EQ(ActualOf(id), "running");
  Pass(12);
  EXPECT_EQ(ActualOf(id), "stopped");
}

TEST_F(IdleStop, ASessionIsNotedAtABoundedRate) {
  const std::string id = Create("dev-1");
  Presence presence = PresenceIn(id);
  ASSERT_TRUE(presence.Begin(world_.Within()));
  const auto noted = [&] { return world_.Find(WorkspaceRef(kTenant, id))->quiet.at(kSessionAt); };
  const auto first = noted();
  world_.fake.clock().Advance(14'000);
  presence.Keep();
  EXPECT_EQ(noted(), first);
  world_.fake.clock().Advance(1'000);
  presence.Keep();
  EXPECT_NE(noted(), first);
}

TEST_F(IdleStop, OfOneWithoutTheOptionNothingIsNoted) {
  const std::string id = Create("dev-1", "sleep infinity", "");
  Presence presence = PresenceIn(id);
  ASSERT_TRUE(presence.Begin(world_.Within()));
  presence.Keep();
  EXPECT_FALSE(world_.Find(WorkspaceRef(kTenant, id))->quiet.contains(kSessionAt));
}

TEST_F(IdleStop, WhoComesAsItIsStoppedIsToldSoAndNotCutOff) {
  const std::string id = Create("dev-1");
  Presence presence = PresenceIn(id);
  Pass(12);
  ASSERT_EQ(ActualOf(id), "stopped");
  const auto begun = presence.Begin(world_.Within());
  ASSERT_FALSE(begun);
  EXPECT_EQ(begun.error().code(), a4c::Code::kConflict);
}

// It hangs until the others have told, which they would never have by one thread.
TEST(IdleStopOfServers, WhileOneHangsTheOthersAreAsked) {
  WorkerOptions options;
  options.idle.hosts_at_once = 2;
  World world({.servers = {{.id = "a"}, {.id = "b"}, {.id = "c"}}}, options);
  std::set<std::string> hosts;
  std::string hanging;
  for (const char* name : {"dev-1", "dev-2", "dev-3"}) {
    Json payload = CreatePayload(name);
    payload.Set("idle_stop", "10m");
    const Job job = world.Submit("workspace.create", std::move(payload));
    world.Work();
    const Workspace workspace = *world.GetWorkspace(job.workspace);
    hosts.insert(workspace.host);
    if (workspace.host == "a") hanging = UnitName(workspace.id);
  }
  ASSERT_EQ(hosts.size(), 3u);
  std::mutex mutex;
  std::condition_variable changed;
  int others = 0;
  bool were_asked = false;
  world.hosts.before_activity = [&](const std::vector<std::string>& units) -> Result<void> {
    std::unique_lock lock(mutex);
    if (units != std::vector{hanging}) {
      ++others;
      changed.notify_all();
      return {};
    }
    were_asked = changed.wait_for(lock, std::chrono::seconds(30), [&] { return others == 2; });
    return {};
  };
  world.Step("idle");
  EXPECT_TRUE(were_asked);
}

// Between the look and the commit.
TEST(IdleStopRaces, WhoComesAfterTheLookKeepsItRunning) {
  a4c::testing::FakeRuntime fake;
  const auto memory = a4c::NewMemoryStore(fake.runtime());
  HookedStore store(*memory);
  const auto hosts = a4c::NewMemoryHostProvider(fake.runtime(), {});
  Instance instance(fake.runtime(), store, *hosts, {});
  const auto step = [&](const std::string& name) {
    for (auto& loop :
         name == "idle" ? instance.worker.NewSingletons() : instance.worker.NewWorkLoops()) {
      if (loop->name() != name) continue;
      for (auto next = loop->Step(fake.Within(30'000)); next && *next == 0;) {
        next = loop->Step(fake.Within(30'000));
      }
    }
  };
  Json payload = CreatePayload("dev-1");
  payload.Set("idle_stop", "10m");
  JobDraft draft;
  draft.type = "workspace.create";
  draft.payload = payload;
  const auto job = Submit(fake.runtime(), instance, draft);
  ASSERT_TRUE(job);
  step("worker-1");
  step("idle");
  fake.clock().Advance(9 * kMinuteMs);
  step("idle");
  fake.clock().Advance(11 * kMinuteMs);
  const auto workspace = instance.jobs.FindWorkspace(fake.Within(30'000), kTenant, job->workspace);
  ASSERT_TRUE(workspace);
  bool has_come = false;
  store.before_apply = [&](std::span<const a4c::WriteBatch> batches) {
    const bool is_stop = batches[0].ops.size() > 1;
    if (!is_stop || std::exchange(has_come, true)) return;
    const a4c::WriteBatch come{{a4c::Put{.ref = WorkspaceRef(kTenant, workspace->id),
                                         .quiet = {{kSessionAt, fake.clock().NowMs()}}}}};
    const auto applied = memory->Apply(fake.Within(30'000), std::span(&come, 1));
    ASSERT_TRUE(applied);
    EXPECT_EQ(applied->results.at(0).outcome, a4c::BatchOutcome::kApplied);
  };
  step("idle");
  store.before_apply = nullptr;
  EXPECT_TRUE(has_come);
  step("worker-1");
  const auto after = instance.jobs.FindWorkspace(fake.Within(30'000), kTenant, job->workspace);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->desired, "running");
  EXPECT_EQ(after->actual, "running");
}

TEST_F(IdleStop, OneThatRunsAJobIsNotIdleAndAJobCountsAsUse) {
  const std::string id = Create("dev-1");
  Pass(8);
  Json payload(Json::Object{{"workspace", id}});
  payload.AppendMember("command", Json::Array{"true"});
  world_.Submit("command.run", std::move(payload));
  world_.Work();
  Pass(8);
  EXPECT_EQ(ActualOf(id), "running");
  Pass(4);
  EXPECT_EQ(ActualOf(id), "stopped");
}

TEST_F(IdleStop, AServerThatDoesNotAnswerStopsNothing) {
  const std::string id = Create("dev-1");
  const std::string host = world_.GetWorkspace(id)->host;
  world_.hosts.before_activity = [](const std::vector<std::string>&) {
    return a4c::Error(a4c::Code::kUnavailable, "no route");
  };
  Pass(30);
  EXPECT_EQ(ActualOf(id), "running") << "nobody has seen that it is idle";
  world_.hosts.before_activity = nullptr;
  Pass(12);
  EXPECT_EQ(ActualOf(id), "stopped");
}

// dockerd may take a second for each, and is given five for an answer.
TEST_F(IdleStop, AServerIsAskedForSoManyAtOnceAsItAnswersForInTime) {
  std::vector<std::string> ids;
  for (int i = 0; i < 20; ++i) {
    Json payload = CreatePayload("dev-" + std::to_string(i), 1 << 20, "sleep infinity");
    payload.Set("idle_stop", "10m").Set("memory", 1 << 20).Set("cpu_millis", 1);
    ids.push_back(world_.Submit("workspace.create", std::move(payload)).workspace);
  }
  world_.Work();
  size_t asked_max = 0;
  world_.hosts.before_activity = [&](const std::vector<std::string>& units) -> a4c::Result<void> {
    asked_max = std::max(asked_max, units.size());
    return {};
  };
  Pass(12);
  EXPECT_LE(asked_max, 4u);
  for (const std::string& id : ids) EXPECT_EQ(ActualOf(id), "stopped") << id;
}

TEST(IdleStopOption, LessThanTwoMinutesAreRefused) {
  Faults faults;
  Json payload = CreatePayload("dev-1");
  payload.Set("idle_stop", "119s");
  ReadWorkspace(payload, "", 0, faults);
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].pointer, "/idle_stop");
  faults.clear();
  payload.Set("idle_stop", "2m");
  EXPECT_EQ(ReadWorkspace(payload, "", 0, faults).idle_stop_ms, 2 * kMinuteMs);
  EXPECT_TRUE(faults.empty());
}

}  // namespace
}  // namespace a4cd::testing
