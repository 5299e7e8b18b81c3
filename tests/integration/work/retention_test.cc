// What has had its time goes, and nothing else does.
#include "apps/a4cd/upkeep/retention_loop.h"
#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

constexpr int64_t kDayMs = 24 * 3'600'000LL;
class Retention : public ::testing::Test {
 protected:
  Job RunCommand(const std::string& script) {
    Json payload(Json::Object{{"workspace", workspace_}});
    payload.AppendMember("command", Json::Array{"sh", "-c", script});
    const Job job = world_.Submit("command.run", std::move(payload));
    world_.Work();
    return world_.GetJob(job.id);
  }
  void SetUp() override {
    workspace_ = world_.Submit("workspace.create", CreatePayload("dev-1")).workspace;
    world_.Work();
  }
  // Steps until nothing is due.
  void Retire(const RetentionOptions& options = {}) {
    const auto loop = NewRetentionLoop(world_.instance.database, world_.fake.runtime(), options);
    for (int i = 0; i < 100; ++i) {
      const Result<int64_t> step = loop->Step(world_.Within());
      ASSERT_TRUE(step) << step.error().ToString();
      if (*step > 0) return;
    }
    FAIL() << "it never ends";
  }
  bool IsThere(const Job& job) {
    return world_.instance.jobs.Get(world_.Within(), kTenant, job.id).has_value();
  }
  size_t Chunks(const Job& job) {
    const auto page = world_.instance.database.Scan(world_.Within(), {.kind = "log_chunk",
                                                                      .index = "by_job",
                                                                      .scope = kTenant,
                                                                      .prefix = {job.id},
                                                                      .limit = 1'000});
    EXPECT_TRUE(page) << page.error().ToString();
    return page ? page->records.size() : 0;
  }

  World world_{kOneServer};
  std::string workspace_;
};

TEST_F(Retention, AFinishedJobGoesWithItsLogOnceItIsOldEnough) {
  const Job job = RunCommand("echo hello");
  ASSERT_EQ(job.state, JobState::kSucceeded);
  world_.fake.clock().Advance(30 * kDayMs - 60'000);
  Retire();
  EXPECT_TRUE(IsThere(job)) << "not yet";
  EXPECT_EQ(Chunks(job), 1u);
  world_.fake.clock().Advance(120'000);
  Retire();
  EXPECT_FALSE(IsThere(job));
  EXPECT_EQ(Chunks(job), 0u);
  const auto record = world_.Find(JobRef(kTenant, job.id));
  ASSERT_TRUE(record);
  EXPECT_TRUE(record->tombstone) << "so that the index forgets it too";
}

TEST_F(Retention, EachStateHasItsAge) {
  const Job good = RunCommand("true");
  const Job bad = RunCommand("exit 3");
  const Job canceled = world_.Submit(
      "command.run", Json::Object{{"workspace", workspace_}, {"command", Json::Array{"true"}}});
  ASSERT_TRUE(world_.Cancel(canceled.id));
  world_.fake.clock().Advance(2 * kDayMs);
  Retire({.succeeded_ms = kDayMs, .failed_ms = 3 * kDayMs, .canceled_ms = 0});
  EXPECT_FALSE(IsThere(good));
  EXPECT_TRUE(IsThere(bad));
  world_.fake.clock().Advance(1'000 * kDayMs);
  Retire({.succeeded_ms = kDayMs, .failed_ms = 3 * kDayMs, .canceled_ms = 0});
  EXPECT_FALSE(IsThere(bad));
  EXPECT_TRUE(IsThere(canceled)) << "0: for ever";
}

TEST_F(Retention, WhatIsUnfinishedStaysHoweverOldItIs) {
  const Job job = world_.Submit(
      "command.run", Json::Object{{"workspace", workspace_}, {"command", Json::Array{"true"}}});
  world_.fake.clock().Advance(1'000 * kDayMs);
  Retire();
  EXPECT_TRUE(IsThere(job));
  EXPECT_TRUE(world_.GetWorkspace(workspace_));
}

TEST_F(Retention, ALongLogGoesInBoundedCommits) {
  const Job job = RunCommand("seq 1 200000");
  ASSERT_GT(Chunks(job), 3u);
  world_.fake.clock().Advance(31 * kDayMs);
  Retire({.jobs_max = 1, .rows_max = 2});
  EXPECT_EQ(Chunks(job), 0u);
  EXPECT_FALSE(IsThere(job));
}

// The job that was judged is not the one that is there any more.
TEST_F(Retention, AJobThatIsRetriedMeanwhileKeepsItsLog) {
  const Job job = RunCommand("echo hello; exit 3");
  world_.fake.clock().Advance(31 * kDayMs);
  bool is_retried = false;
  HookedStore store(*world_.store);
  store.before_apply = [&](std::span<const a4c::WriteBatch>) {
    if (std::exchange(is_retried, true)) return;
    const Principal principal{.tenant = kTenant, .key_id = "key", .scopes = {"*"}};
    const auto write = world_.instance.jobs.PrepareRetry(principal, job);
    ASSERT_TRUE(write);
    ASSERT_TRUE(world_.instance.database.Write(world_.Within(), write->commit));
  };
  a4c::Database hooked({.store = store}, world_.fake.runtime());
  ASSERT_TRUE(hooked.Open(world_.Within(), AllCollections()));
  is_retried = false;
  // Succeeded ones stay, so that the first thing that is written is about this job.
  const auto loop = NewRetentionLoop(hooked, world_.fake.runtime(), {.succeeded_ms = 0});
  ASSERT_TRUE(loop->Step(world_.Within()));
  EXPECT_TRUE(is_retried);
  EXPECT_EQ(world_.GetJob(job.id).state, JobState::kPending);
  EXPECT_EQ(Chunks(job), 1u);
}

TEST_F(Retention, ATombstoneOfAWorkspaceIsPurgedWithItsLeaseAfterAWeek) {
  world_.SubmitFor("workspace.delete", workspace_);
  world_.Work();
  const a4c::RecordRef lease = a4c::LeaseRef("job", kTenant, WorkspaceSubject(workspace_));
  ASSERT_TRUE(world_.Find(lease));
  world_.fake.clock().Advance(7 * kDayMs - 60'000);
  Retire();
  EXPECT_TRUE(world_.Find(WorkspaceRef(kTenant, workspace_)));
  world_.fake.clock().Advance(120'000);
  Retire();
  EXPECT_FALSE(world_.Find(WorkspaceRef(kTenant, workspace_)));
  EXPECT_FALSE(world_.Find(lease));
}

TEST_F(Retention, ATombstoneWithRoomStillReservedStays) {
  world_.SubmitFor("workspace.delete", workspace_);
  world_.Work();
  const a4c::RecordRef reservation = ReservationRef("one", workspace_);
  ASSERT_TRUE(world_.instance.database.Write(
      world_.Within(), {.also = {a4c::Put{.ref = reservation, .body = "{}"}}}));
  world_.fake.clock().Advance(100 * kDayMs);
  Retire();
  EXPECT_TRUE(world_.Find(WorkspaceRef(kTenant, workspace_)));
}

}  // namespace
}  // namespace a4cd::testing
