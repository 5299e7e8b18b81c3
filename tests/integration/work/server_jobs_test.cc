// Jobs about a whole server: image builds and clean-ups of all tenants exclude one another on it,
// and a build has its room reserved.
#include "apps/a4cd/work/lease_keeper.h"
#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

using a4c::Code;
using a4c::Error;

// Builds as the inner one, after the test has done something, or not at all.
class HookedImages final : public a4c::HostImages {
 public:
  explicit HookedImages(a4c::HostImages& inner) : inner_(inner) {}
  Result<a4c::ImageInfo> Build(const Call& call, const a4c::ImageBuild& build,
                               const a4c::ByteSource& tar, const a4c::Progress& progress) override {
    if (before_build) A4C_CHECK(before_build());
    return inner_.Build(call, build, tar, progress);
  }
  Result<std::vector<a4c::ImageInfo>> List(const Call& call, const std::string& host) override {
    return inner_.List(call, host);
  }

  std::function<Result<void>()> before_build;

 private:
  a4c::HostImages& inner_;
};

class ServerJobs : public ::testing::Test {
 protected:
  void SetUp() override { world_.hosts.images = &images_; }

  Job Build(const std::string& disk = "") {
    // An archive of nothing: two blocks of zeros.
    Json payload(Json::Object{{"tag", "app:1"}, {"context", std::string(1368, 'A')}});
    if (!disk.empty()) payload.Set("disk", disk);
    return world_.Submit("image.build", std::move(payload));
  }
  bool IsReserved(const Job& job) { return world_.Find(ReservationRef("one", job.id)).has_value(); }

  World world_{kOneServer};
  HookedImages images_{*world_.memory_hosts->As<a4c::HostImages>()};
};

TEST_F(ServerJobs, ABuildHasItsRoomReservedWhileItRuns) {
  const Job job = Build("3GiB");
  int64_t committed = -1;
  images_.before_build = [&]() -> Result<void> {
    committed = world_.Committed("one");
    EXPECT_TRUE(IsReserved(job));
    return Error(Code::kInvalid, "no Dockerfile");
  };
  world_.Work();
  EXPECT_EQ(committed, 3 * kGiB);
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kFailed);
  EXPECT_EQ(world_.GetJob(job.id).host, "one");
  EXPECT_EQ(world_.Committed("one"), 0) << "the builder said that nothing is left";
  EXPECT_FALSE(IsReserved(job));
}

TEST_F(ServerJobs, ABuildWithoutRoomWaitsAndSaysSo) {
  const Job job = Build("11GiB");
  world_.Work();
  const Job waiting = world_.GetJob(job.id);
  EXPECT_EQ(waiting.state, JobState::kPending);
  EXPECT_EQ(waiting.reason, reason::kNoCapacity);
  EXPECT_EQ(waiting.attempts, 0);
  EXPECT_EQ(world_.Committed("one"), 0);
}

TEST_F(ServerJobs, OfABuildWhoseOutcomeIsUnknownTheRoomStaysForTheNextAttempt) {
  const Job job = Build("3GiB");
  images_.before_build = [&]() -> Result<void> {
    return Error(Code::kUnknownOutcome, "the connection was lost");
  };
  world_.Work();
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kPending);
  EXPECT_EQ(world_.Committed("one"), 3 * kGiB);
  int64_t committed = -1;
  images_.before_build = [&]() -> Result<void> {
    committed = world_.Committed("one");
    return Error(Code::kInvalid, "no Dockerfile");
  };
  world_.WorkAfter(60'000);
  EXPECT_EQ(committed, 3 * kGiB) << "once, not twice";
  EXPECT_EQ(world_.Committed("one"), 0);
}

TEST_F(ServerJobs, RoomOfABuildThatWasCanceledIsGivenBackOnceItsServerAnswers) {
  const Job job = Build("3GiB");
  images_.before_build = [&]() -> Result<void> {
    EXPECT_TRUE(world_.Cancel(job.id));
    return Error(Code::kUnknownOutcome, "canceled");
  };
  world_.Work();
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kCanceled);
  world_.Step("reconciler");
  EXPECT_EQ(world_.Committed("one"), 3 * kGiB) << "its worker may still be at it";
  world_.fake.clock().Advance(61'000);
  world_.Step("reconciler");
  EXPECT_EQ(world_.Committed("one"), 0);
  EXPECT_FALSE(IsReserved(job));
}

// Another worker, with a job of another tenant, looks while the build is at work.
TEST_F(ServerJobs, JobsOfTwoTenantsExcludeEachOtherOnAServer) {
  Build();
  JobDraft draft;
  draft.type = "host.cleanup";
  draft.payload = Json::Object{{"host", "one"}};
  const Principal other{.tenant = "other", .key_id = "key", .scopes = {"*"}};
  const auto write = world_.instance.jobs.PrepareCreate(world_.Within(), other, draft);
  ASSERT_TRUE(write);
  bool has_looked = false;
  images_.before_build = [&]() -> Result<void> {
    EXPECT_TRUE(world_.instance.database.Write(world_.Within(), write->commit));
    has_looked = true;
    world_.Step("worker-2");
    const auto job = world_.instance.jobs.Get(world_.Within(), "other", write->id);
    EXPECT_TRUE(job);
    EXPECT_EQ(job->state, JobState::kPending);
    EXPECT_EQ(job->reason, reason::kServerBusy);
    EXPECT_EQ(job->attempts, 0);
    return {};
  };
  world_.Work();
  ASSERT_TRUE(has_looked);
  world_.WorkAfter(10'000);
  const auto job = world_.instance.jobs.Get(world_.Within(), "other", write->id);
  ASSERT_TRUE(job);
  EXPECT_EQ(job->state, JobState::kSucceeded) << job->message;
}

TEST_F(ServerJobs, AServerThatNobodyKnowsIsNotFound) {
  const Job job = world_.Submit("host.cleanup", Json::Object{{"host", "nowhere"}});
  world_.Work();
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kFailed);
  EXPECT_NE(world_.GetJob(job.id).message.find("nowhere"), std::string::npos);
}

const a4c::MemoryHostOptions kTwoServers{.servers = {{.id = "a", .disk_total_bytes = 10 * kGiB},
                                                     {.id = "b", .disk_total_bytes = 10 * kGiB}}};

void Say(World& world, const std::string& id, bool cordoned, bool draining) {
  auto host = ReadHost(world.Within(), world.instance.database, id);
  ASSERT_TRUE(host) << host.error().ToString();
  host->cordoned = cordoned;
  host->draining = draining;
  const auto done = world.instance.database.Write(
      world.Within(),
      {.changes = {
           {.ref = HostRef(id), .body = HostBody(*host), .expect = a4c::Expect::Rev(host->rev)}}});
  ASSERT_TRUE(done);
  ASSERT_EQ(done->outcome, a4c::Committed::Outcome::kApplied);
}

class Draining : public ::testing::Test {
 protected:
  // A workspace on server a.
  std::string Create(const std::string& name, const std::string& on_drain, int64_t disk = kGiB) {
    Json payload = CreatePayload(name, disk);
    payload.Set("on_drain", on_drain);
    Say(world_, "b", true, false);
    std::string id = world_.Submit("workspace.create", std::move(payload)).workspace;
    world_.Work();
    Say(world_, "b", false, false);
    EXPECT_EQ(world_.GetWorkspace(id)->host, "a");
    return id;
  }
  void SetUp() override { world_.Step("hosts"); }

  World world_{kTwoServers};
};

TEST_F(Draining, WorkspacesAreMovedOneByOneWithTheirReservations) {
  const std::string one = Create("one", "recreate");
  const std::string two = Create("two", "recreate");
  Say(world_, "a", true, true);
  world_.Step("drain");
  world_.Step("drain");
  const auto on_their_way = [&] {
    int jobs = 0;
    for (const std::string& id : {one, two}) {
      const auto page = world_.instance.database.Scan(
          world_.Within(),
          {.kind = "job", .index = "by_turn", .scope = kTenant, .prefix = {WorkspaceSubject(id)}});
      jobs += static_cast<int>(page->records.size());
    }
    return jobs;
  };
  EXPECT_EQ(on_their_way(), 1) << "one at a time";
  world_.Work();
  EXPECT_EQ(world_.Committed("a"), kGiB);
  EXPECT_EQ(world_.Committed("b"), kGiB);
  world_.Step("drain");
  world_.Work();
  for (const std::string& id : {one, two}) {
    EXPECT_EQ(world_.GetWorkspace(id)->host, "b");
    EXPECT_EQ(world_.GetWorkspace(id)->actual, "running");
  }
  EXPECT_TRUE(world_.Units("a").empty());
  EXPECT_EQ(world_.Units("b").size(), 2u);
  EXPECT_EQ(world_.Committed("a"), 0);
  EXPECT_EQ(world_.Committed("b"), 2 * kGiB);
  world_.Step("drain");
  EXPECT_EQ(on_their_way(), 0);
}

TEST_F(Draining, WhatIsKeptStaysAndNothingIsTakenAwayBeforeThereIsRoom) {
  const std::string kept = Create("kept", "keep");
  const std::string moved = Create("moved", "recreate");
  Say(world_, "a", true, true);
  Say(world_, "b", true, false);
  world_.Step("drain");
  world_.Work();
  EXPECT_EQ(world_.GetWorkspace(moved)->host, "a") << "there is no room elsewhere";
  EXPECT_EQ(world_.GetWorkspace(moved)->actual, "running");
  Say(world_, "b", false, false);
  world_.WorkAfter(10'000);
  EXPECT_EQ(world_.GetWorkspace(moved)->host, "b");
  world_.Step("drain");
  world_.Work();
  EXPECT_EQ(world_.GetWorkspace(kept)->host, "a");
  EXPECT_EQ(world_.Units("a").size(), 1u);
}

TEST_F(Draining, OneThatFitsNowhereElseKeepsNoneOfTheOthers) {
  const std::string big = Create("big", "recreate", 8 * kGiB);
  const std::string small = Create("small", "recreate");
  Say(world_, "a", true, false);
  world_.Submit("workspace.create", CreatePayload("there", 3 * kGiB));
  world_.Work();
  Say(world_, "a", true, true);
  for (int i = 0; i < 4; ++i) {
    world_.Step("drain");
    world_.Work();
  }
  EXPECT_EQ(world_.GetWorkspace(small)->host, "b");
  EXPECT_EQ(world_.GetWorkspace(big)->host, "a") << "it waits for room";
  EXPECT_EQ(world_.GetWorkspace(big)->actual, "running");
}

TEST_F(Draining, AMoveThatIsForLaterKeepsNothingHere) {
  const std::string planned = Create("planned", "recreate");
  const std::string other = Create("other", "recreate");
  const Job later = world_.Submit("workspace.move", Json::Object{{"workspace", planned}},
                                  [](JobDraft& draft) { draft.delay_ms = 8 * 3'600'000; });
  Say(world_, "a", true, true);
  for (int i = 0; i < 2; ++i) {
    world_.Step("drain");
    world_.Work();
  }
  EXPECT_EQ(world_.GetWorkspace(planned)->host, "b");
  EXPECT_EQ(world_.GetWorkspace(other)->host, "b");
  EXPECT_EQ(world_.GetJob(later.id).state, JobState::kPending);
}

TEST_F(Draining, AServerThatIsOutOfReachKeepsItsReservationUntilItConfirms) {
  const std::string id = Create("one", "recreate");
  Say(world_, "a", true, true);
  world_.hosts.before_remove = [] { return Error(Code::kUnavailable, "no route"); };
  world_.Step("drain");
  world_.Work();
  EXPECT_EQ(world_.GetWorkspace(id)->host, "a");
  EXPECT_EQ(world_.Committed("a"), kGiB);
  world_.hosts.before_remove = nullptr;
  world_.WorkAfter(10'000);
  EXPECT_EQ(world_.GetWorkspace(id)->host, "b");
  EXPECT_EQ(world_.Committed("a"), 0);
}

TEST_F(Draining, AStoppedWorkspaceIsPlacedAgainWhenItIsStarted) {
  const std::string id = Create("one", "recreate");
  world_.SubmitFor("workspace.stop", id);
  world_.Work();
  Say(world_, "a", true, true);
  world_.Step("drain");
  world_.Work();
  EXPECT_EQ(world_.GetWorkspace(id)->host, "");
  EXPECT_EQ(world_.GetWorkspace(id)->actual, "stopped");
  world_.SubmitFor("workspace.start", id);
  world_.Work();
  EXPECT_EQ(world_.GetWorkspace(id)->host, "b");
  EXPECT_EQ(world_.GetWorkspace(id)->actual, "running");
}

// Placement looked before the cordon, and commits after it.
TEST(Reservations, AServerThatWasCordonedMeanwhileGetsNothing) {
  World world(kOneServer);
  Reservations& reservations = world.instance.worker.reservations();
  world.Step("hosts");
  const auto reserved = reservations.Reserve(world.Within(), kTenant, "mine", {.amounts = {kGiB}},
                                             [&](const Decision&) {
                                               Say(world, "one", true, false);
                                               return a4c::Commit{};
                                             });
  ASSERT_TRUE(reserved);
  EXPECT_EQ(reserved->outcome, Reserved::Outcome::kConflict);
  EXPECT_EQ(world.Committed("one"), 0);
}

}  // namespace
}  // namespace a4cd::testing
