// workspace.update: another image, other limits, the same files; never over, and never in between.
#include <map>
#include <set>

#include "a4c/leases.h"
#include "apps/a4cd/jobs/map_change.h"
#include "apps/a4cd/jobs/spec_change.h"
#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::UnitState;

constexpr int64_t kMiB = 1 << 20;

class UpdateWork : public ::testing::Test {
 protected:
  // dev-1 runs, and has written a note.
  void SetUp() override {
    Json payload = CreatePayload("dev-1", kGiB, "echo kept > note; sleep infinity");
    payload.AppendMember("image", "busybox:local");
    payload.AppendMember("memory", 256 * kMiB);
    id_ = world_.Submit("workspace.create", payload).workspace;
    world_.Work();
    ASSERT_EQ(Found().actual, "running");
  }

  Json Asking(const std::string& name, Json value) const {
    Json payload(Json::Object{{"workspace", id_}});
    payload.AppendMember(name, std::move(value));
    return payload;
  }
  Job Submit(const std::string& name, Json value, int64_t attempts_max = 3) {
    return world_.Submit("workspace.update", Asking(name, std::move(value)),
                         [attempts_max](JobDraft& draft) { draft.attempts_max = attempts_max; });
  }
  Job Update(const std::string& name, Json value) {
    const Job job = Submit(name, std::move(value));
    world_.Work();
    return world_.GetJob(job.id);
  }

  Job UpdateWith(const Json& payload) {
    const Job job = world_.Submit("workspace.update", payload);
    world_.Work();
    return world_.GetJob(job.id);
  }

  Workspace Found() { return world_.GetWorkspace(id_).value_or(Workspace{}); }
  Unit Described() {
    const auto unit = world_.memory_hosts->As<a4c::HostDescription>()->Describe(
        world_.Within(), "one", UnitName(id_));
    EXPECT_TRUE(unit) << unit.error().ToString();
    return unit ? *unit : Unit{};
  }
  std::string Note() {
    std::string output;
    const auto code = world_.memory_hosts->As<a4c::HostExec>()->Run(
        world_.Within(), {.host = "one", .unit = UnitName(id_), .command = {"cat", "note"}},
        [&](std::string_view bytes) { output += bytes; });
    return code && *code == 0 ? output : "";
  }
  int64_t Counter(std::string_view name) {
    return std::get<int64_t>(world_.Find(HostRef("one"))->quiet.at(std::string(name)));
  }
  // It is made of this memory, runs, has its files, and room for this and no more.
  void ExpectSettled(int64_t memory_bytes) {
    const Workspace workspace = Found();
    EXPECT_EQ(workspace.updating, "");
    EXPECT_EQ(workspace.memory_bytes, memory_bytes);
    EXPECT_EQ(workspace.actual, "running") << workspace.message;
    EXPECT_EQ(Described().spec.memory_bytes, memory_bytes);
    EXPECT_EQ(Described().wanted, a4c::UnitWanted::kRunning);
    EXPECT_EQ(Note(), "kept\n");
    EXPECT_EQ(Counter(kMemoryCommitted), memory_bytes);
  }
  // The lease of the job that is being worked at is another's from now on, for half a minute.
  Result<void> LoseLease() {
    const auto leases = a4c::NewLeases(*world_.store);
    world_.fake.clock().Advance(31'000);
    const auto claimed = leases->Claim(world_.Within(), {.kind = JobKind(),
                                                         .index = "by_due",
                                                         .prefix = {int64_t{kPriorityMax - 5}},
                                                         .upper = world_.fake.clock().NowMs() + 1,
                                                         .holder = "other",
                                                         .lease_ms = 30'000});
    EXPECT_TRUE(claimed && claimed->size() == 1);
    return {};
  }

  World world_{kOneServer};
  std::string id_;
};

TEST_F(UpdateWork, LimitsChangeTheFilesStayAndTheRoomFollows) {
  Job job = Update("memory", 512 * kMiB);
  ASSERT_EQ(job.state, JobState::kSucceeded) << job.message;
  ExpectSettled(512 * kMiB);
  job = Update("memory", 128 * kMiB);
  ASSERT_EQ(job.state, JobState::kSucceeded) << job.message;
  ExpectSettled(128 * kMiB);
  EXPECT_EQ(Found().image, "busybox:local");
}

// Each of them was asked for before the other was there.
TEST_F(UpdateWork, TwoAtOnceDoNotPassABoundTogether) {
  Json first(Json::Object{});
  Json second(Json::Object{});
  for (int i = 0; i < 40; ++i) {
    first.Set("A" + std::to_string(i), "x");
    second.Set("B" + std::to_string(i), "x");
  }
  const Job one = Submit("env", Json::Object{{"set", first}});
  const Job other = Submit("env", Json::Object{{"set", second}});
  world_.Work();
  EXPECT_EQ(world_.GetJob(one.id).state, JobState::kSucceeded);
  const Job refused = world_.GetJob(other.id);
  EXPECT_EQ(refused.state, JobState::kFailed);
  EXPECT_NE(refused.message.find("more than 64"), std::string::npos) << refused.message;
  EXPECT_EQ(Found().env.size(), 40u);
  EXPECT_EQ(Described().spec.env.size(), 40u);
  ExpectSettled(256 * kMiB);
  EXPECT_EQ(Update("ttl", "8h").state, JobState::kSucceeded);
}

// Its server need not answer for it.
TEST_F(UpdateWork, WhatIsOnlyTheRecordsChangesWithoutItsServer) {
  world_.hosts.silent = "one";
  world_.hosts.before_update = world_.hosts.before_ensure = [](const Unit&) -> Result<void> {
    return Error(Code::kUnavailable, "no route to host");
  };
  Json payload = Asking("ttl", "8h");
  payload.AppendMember("idle_stop", "30m");
  payload.AppendMember("restart", "always");
  payload.AppendMember("on_drain", "recreate");
  payload.AppendMember("labels",
                       Json::Object{{"set", Json::Object{{"team", "blue"}, {"stage", "test"}}}});
  Job job = world_.Submit("workspace.update", payload);
  world_.Work();
  job = world_.GetJob(job.id);
  ASSERT_EQ(job.state, JobState::kSucceeded) << job.message;
  Workspace changed = Found();
  EXPECT_EQ(changed.expires_at, job.created_at + 8 * 3'600'000);
  EXPECT_EQ(changed.idle_stop_ms, 30 * 60'000);
  EXPECT_EQ(changed.restart, "always");
  EXPECT_EQ(changed.on_drain, "recreate");
  EXPECT_EQ(changed.labels.at("stage"), "test");

  payload = Asking("ttl", "never");
  payload.AppendMember("idle_stop", "never");
  payload.AppendMember("labels", Json::Object{{"remove", Json::Array{Json("stage")}}});
  job = world_.Submit("workspace.update", payload);
  world_.Work();
  ASSERT_EQ(world_.GetJob(job.id).state, JobState::kSucceeded);
  changed = Found();
  EXPECT_EQ(changed.expires_at, 0);
  EXPECT_EQ(changed.idle_stop_ms, 0);
  EXPECT_EQ(changed.restart, "always");
  EXPECT_EQ(changed.labels, (std::map<std::string, std::string>{{"team", "blue"}}));
  world_.hosts.silent.clear();
  ExpectSettled(256 * kMiB);
}

// Together with what its unit is made of, in one step.
TEST_F(UpdateWork, TtlAndLimitsChangeTogether) {
  Json payload = Asking("memory", 512 * kMiB);
  payload.AppendMember("ttl", "1h");
  const Job job = world_.Submit("workspace.update", payload);
  world_.Work();
  ASSERT_EQ(world_.GetJob(job.id).state, JobState::kSucceeded) << world_.GetJob(job.id).message;
  EXPECT_EQ(Found().expires_at, job.created_at + 3'600'000);
  ExpectSettled(512 * kMiB);
}

TEST_F(UpdateWork, CommandAndVariablesChangeAndTheFilesStay) {
  Json payload =
      Asking("env", Json::Object{{"set", Json::Object{{"STAGE", "test"}, {"LEVEL", "3"}}}});
  payload.AppendMember("command", Json::Array{"sh", "-c", "sleep 1000"});
  ASSERT_EQ(UpdateWith(payload).state, JobState::kSucceeded);
  ExpectSettled(256 * kMiB);
  EXPECT_EQ(Described().spec.env.at("STAGE"), "test");
  EXPECT_EQ(Described().spec.command.back(), "sleep 1000");
  const Json remove(Json::Object{{"remove", Json::Array{Json("LEVEL")}}});
  ASSERT_EQ(Update("env", remove).state, JobState::kSucceeded);
  EXPECT_EQ(Found().env, (std::map<std::string, std::string>{{"STAGE", "test"}}));
  EXPECT_EQ(Described().spec.env, Found().env);
  EXPECT_EQ(Described().spec.command.back(), "sleep 1000") << "what is not said stays";
  ASSERT_EQ(Update("command", Json(Json::Array{})).state, JobState::kSucceeded);
  EXPECT_TRUE(Described().spec.command.empty()) << "what the image says";
}

TEST(SpecChange, AVariableIsSetOrASecretAndNotBoth) {
  Workspace workspace;
  workspace.image = "busybox:local";
  workspace.env = {{"TOKEN", "plain"}, {"HOME", "/"}};
  SpecChange change;
  change.secrets.set = {{"TOKEN", "token"}};
  change.To(workspace, 0);
  EXPECT_EQ(workspace.env, (std::map<std::string, std::string>{{"HOME", "/"}}));
  EXPECT_EQ(workspace.secrets.at("TOKEN"), "token");
  SpecChange back;
  back.env.set = {{"TOKEN", "plain"}};
  back.To(workspace, 0);
  EXPECT_TRUE(workspace.secrets.empty());
  EXPECT_EQ(workspace.env.at("TOKEN"), "plain");
}

TEST(SpecChange, WhatAWorkspaceCannotBecomeIsSaid) {
  Workspace process;
  process.name = "dev-1";
  process.command = {"sleep", "600"};
  SpecChange none;
  none.command.emplace();
  EXPECT_EQ(none.Check(process).error().message(), "command: without an image there has to be one");
  SpecChange many;
  for (size_t i = 0; i <= kEntriesMax; ++i) many.env.set["V" + std::to_string(i)] = "x";
  EXPECT_EQ(many.Check(process).error().hint(),
            "remove some: a4c workspace update dev-1 --env NAME-");
  SpecChange long_names;
  for (size_t i = 0; i < kEntriesMax; ++i) {
    long_names.secrets.set["V" + std::to_string(i)] = std::string(200, 's');
  }
  EXPECT_EQ(long_names.Check(process).error().message(), "secrets: they would be too many");
}

TEST_F(UpdateWork, NoMoreLabelsThanThereMayBe) {
  Json many(Json::Object{});
  for (size_t i = 0; i < kEntriesMax; ++i) many.Set("label-" + std::to_string(i), "x");
  ASSERT_EQ(Update("labels", Json::Object{{"set", many}}).state, JobState::kSucceeded);
  JobDraft draft;
  draft.type = "workspace.update";
  draft.payload = Asking("labels", Json::Object{{"set", Json::Object{{"one-more", "x"}}}});
  const auto refused = testing::Submit(world_.fake.runtime(), world_.instance, draft);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kInvalid);
  EXPECT_NE(refused.error().message().find("64"), std::string::npos) << refused.error().message();
}

TEST_F(UpdateWork, ADiskGrowsAndNeverShrinks) {
  const Job job = Update("disk", 3 * kGiB);
  ASSERT_EQ(job.state, JobState::kSucceeded) << job.message;
  EXPECT_EQ(Counter(kDiskCommitted), 3 * kGiB);
  EXPECT_EQ(Described().spec.disk_bytes, 3 * kGiB);
  EXPECT_EQ(Note(), "kept\n");
  JobDraft draft;
  draft.type = "workspace.update";
  draft.payload = Asking("disk", 2 * kGiB);
  const auto refused = testing::Submit(world_.fake.runtime(), world_.instance, draft);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kInvalid);
  EXPECT_NE(refused.error().message().find("a disk only grows"), std::string::npos);
}

TEST_F(UpdateWork, WithoutRoomItWaitsAndTheWorkspaceRunsOn) {
  const std::string other =
      world_.Submit("workspace.create", CreatePayload("dev-2", 4 * kGiB)).workspace;
  world_.Work();
  world_.hosts.before_update = [](const Unit&) -> Result<void> {
    ADD_FAILURE() << "nothing is touched before there is room";
    return {};
  };
  const Job job = Submit("disk", 6 * kGiB);
  world_.Work();
  EXPECT_EQ(world_.GetJob(job.id).reason, reason::kNoCapacity);
  EXPECT_EQ(world_.GetJob(job.id).message, "server one has not the room: disk");
  EXPECT_EQ(Counter(kDiskCommitted), 5 * kGiB);
  world_.hosts.before_update = nullptr;
  world_.SubmitFor("workspace.delete", other);
  world_.WorkAfter(6'000);
  world_.WorkAfter(6'000);
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kSucceeded) << world_.GetJob(job.id).message;
  EXPECT_EQ(Counter(kDiskCommitted), 6 * kGiB);
}

TEST_F(UpdateWork, AnImageThatNobodyHasLeavesItAsItWas) {
  const int64_t started_ms = world_.Units("one").at(0).started_at_ms;
  world_.fake.clock().Advance(5'000);
  const Job job = Update("image", "no-such-image:1");
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_NE(job.message.find("no-such-image:1"), std::string::npos) << job.message;
  EXPECT_NE(job.message.find("as it was"), std::string::npos) << job.message;
  EXPECT_EQ(world_.Units("one").at(0).started_at_ms, started_ms) << "it was not even stopped";
  EXPECT_EQ(Found().image, "busybox:local");
  ExpectSettled(256 * kMiB);
}

TEST_F(UpdateWork, ADiskThatAnotherUpdateMadeLargerMeanwhileStaysSo) {
  Submit("disk", 3 * kGiB);
  const Job smaller = Submit("disk", 2 * kGiB);
  world_.Work();
  EXPECT_EQ(world_.GetJob(smaller.id).state, JobState::kSucceeded);
  EXPECT_EQ(Found().disk_bytes, 3 * kGiB);
  EXPECT_EQ(Described().spec.disk_bytes, 3 * kGiB);
  EXPECT_EQ(Counter(kDiskCommitted), 3 * kGiB);
}

TEST_F(UpdateWork, AnotherImageIsTakenWithTheSameFiles) {
  const Job job = Update("image", "registry.local/busybox:1");
  ASSERT_EQ(job.state, JobState::kSucceeded) << job.message;
  EXPECT_EQ(Found().image, "registry.local/busybox:1");
  EXPECT_EQ(Described().spec.image, "registry.local/busybox:1");
  ExpectSettled(256 * kMiB);
}

TEST_F(UpdateWork, AStoppedOneStaysStopped) {
  world_.SubmitFor("workspace.stop", id_);
  world_.Work();
  const Job job = Update("memory", 512 * kMiB);
  ASSERT_EQ(job.state, JobState::kSucceeded) << job.message;
  EXPECT_EQ(Found().actual, "stopped");
  EXPECT_NE(world_.Units("one").at(0).state, UnitState::kRunning);
  world_.SubmitFor("workspace.start", id_);
  world_.Work();
  ExpectSettled(512 * kMiB);
}

TEST_F(UpdateWork, OneThatFailsHalfWayIsMadeAgainAsItWas) {
  world_.hosts.after_update = [](const Unit& unit) -> Result<void> {
    if (unit.spec.memory_bytes == 256 * kMiB) return {};
    return Error(Code::kInvalid, "the engine does not like it");
  };
  const Job job = Update("memory", 512 * kMiB);
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_NE(job.message.find("made again as it was"), std::string::npos) << job.message;
  ExpectSettled(256 * kMiB);
}

TEST_F(UpdateWork, AnUnknownOutcomeIsResolvedByDoingItAgain) {
  int times = 0;
  std::map<std::string, std::set<int64_t>> asked;  // by the claim in whose name
  world_.hosts.after_update = [&](const Unit& unit) -> Result<void> {
    asked[unit.claim].insert(unit.spec.memory_bytes);
    if (++times > 2) return {};
    return Error(Code::kUnknownOutcome, "the connection was lost");
  };
  const Job submitted = Submit("memory", 512 * kMiB);
  world_.Work();
  EXPECT_EQ(Counter(kMemoryCommitted), 512 * kMiB) << "room for either, until it is settled";
  EXPECT_EQ(Found().updating, submitted.id);
  for (int i = 0; i < 2; ++i) world_.WorkAfter(5'000);
  EXPECT_EQ(world_.GetJob(submitted.id).state, JobState::kSucceeded);
  ExpectSettled(512 * kMiB);
  EXPECT_GT(asked.size(), 1u);
  for (const auto& [claim, amounts] : asked) {
    EXPECT_EQ(amounts.size(), 1u) << "what was sent before may arrive after it, and is as good";
  }
}

// Whether the worker was stopped before its effect or after it, the next one ends it.
TEST_F(UpdateWork, ALeaseThatEndsInTheMidstLeavesOneOfBoth) {
  for (const bool has_effect : {false, true}) {
    const int64_t memory_bytes = has_effect ? 512 * kMiB : 384 * kMiB;
    auto& hook = has_effect ? world_.hosts.after_update : world_.hosts.before_update;
    hook = [&](const Unit&) -> Result<void> {
      hook = nullptr;
      return LoseLease();
    };
    const Job job = Submit("memory", memory_bytes);
    world_.Step("worker-1");
    EXPECT_EQ(Found().updating, job.id);
    world_.WorkAfter(31'000);
    EXPECT_EQ(world_.GetJob(job.id).state, JobState::kSucceeded) << world_.GetJob(job.id).message;
    ExpectSettled(memory_bytes);
  }
}

// No attempt is left: the reconciler brings it to what its record says.
TEST_F(UpdateWork, WhatNobodyEndsTheReconcilerBringsBack) {
  for (const bool has_effect : {false, true}) {
    auto& hook = has_effect ? world_.hosts.after_update : world_.hosts.before_update;
    hook = [&](const Unit&) -> Result<void> {
      hook = nullptr;
      return LoseLease();
    };
    const Job job = Submit("memory", 512 * kMiB, 1);
    world_.Step("worker-1");
    world_.WorkAfter(31'000);
    EXPECT_EQ(world_.GetJob(job.id).state, JobState::kFailed);
    EXPECT_EQ(Counter(kMemoryCommitted), 512 * kMiB) << "it may be of either";
    world_.fake.clock().Advance(60'000);
    world_.Step("reconciler");
    world_.Work();
    ExpectSettled(256 * kMiB);
  }
}

// What the one sent may still arrive while the other begins.
TEST_F(UpdateWork, AnotherUpdateKeepsTheRoomOfOneThatNobodyEnded) {
  world_.hosts.before_update = [&](const Unit&) -> Result<void> {
    world_.hosts.before_update = nullptr;
    return LoseLease();
  };
  Submit("memory", 512 * kMiB, 1);
  world_.Step("worker-1");
  world_.WorkAfter(31'000);
  world_.hosts.before_update = [&](const Unit&) -> Result<void> {
    EXPECT_EQ(Counter(kMemoryCommitted), 512 * kMiB);
    return {};
  };
  const Job job = Update("memory", 384 * kMiB);
  EXPECT_EQ(job.state, JobState::kSucceeded) << job.message;
  ExpectSettled(384 * kMiB);
}

TEST_F(UpdateWork, WhoStartsOrStopsItMeanwhileBringsItBackToo) {
  world_.hosts.after_update = [&](const Unit&) -> Result<void> {
    world_.hosts.after_update = nullptr;
    return LoseLease();
  };
  Submit("memory", 512 * kMiB, 1);
  world_.Step("worker-1");
  world_.WorkAfter(31'000);
  world_.SubmitFor("workspace.stop", id_);
  world_.Work();
  EXPECT_EQ(Found().actual, "stopped");
  EXPECT_EQ(Described().spec.memory_bytes, 256 * kMiB);
  world_.SubmitFor("workspace.start", id_);
  world_.Work();
  ExpectSettled(256 * kMiB);
}

TEST_F(UpdateWork, ADeleteInTheMidstGivesBackAllThatWasReserved) {
  world_.hosts.after_update = [&](const Unit&) -> Result<void> {
    world_.hosts.after_update = nullptr;
    world_.SubmitFor("workspace.delete", id_);
    return {};
  };
  Update("memory", 512 * kMiB);
  world_.WorkAfter(31'000);
  EXPECT_FALSE(world_.GetWorkspace(id_));
  EXPECT_TRUE(world_.Units("one").empty());
  EXPECT_EQ(Counter(kMemoryCommitted), 0);
  EXPECT_EQ(Counter(kDiskCommitted), 0);
}

}  // namespace
}  // namespace a4cd::testing
