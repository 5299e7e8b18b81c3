// Jobs without room: they wait with a reason, are woken when there is some, and end in time.
#include "apps/a4cd/jobs/room_waits.h"
#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

using a4c::Code;
using a4c::Error;

TEST(Room, WithoutRoomAJobWaitsWithAReasonAndIsPlacedOnceRoomIsGivenBack) {
  World world(kOneServer);
  const std::string first =
      world.Submit("workspace.create", CreatePayload("dev-1", 8 * kGiB)).workspace;
  world.Work();
  const Job second = world.Submit("workspace.create", CreatePayload("dev-2", 8 * kGiB));
  for (int i = 0; i < 5; ++i) {
    world.WorkAfter(6'000);
    const Job waiting = world.GetJob(second.id);
    EXPECT_EQ(waiting.state, JobState::kPending);
    EXPECT_EQ(waiting.reason, reason::kNoCapacity);
    EXPECT_EQ(waiting.attempts, 0);
    EXPECT_NE(waiting.message.find("none of 1 servers fits: 1 disk; it is placed once room"),
              std::string::npos)
        << waiting.message;
  }
  world.SubmitFor("workspace.delete", first);
  world.Work();
  world.WorkAfter(6'000);
  EXPECT_EQ(world.GetJob(second.id).state, JobState::kSucceeded);
  EXPECT_EQ(world.Committed("one"), 8 * kGiB);
}

TEST(Room, AJobThatNoServerCouldEverTakeSaysSo) {
  World world(kOneServer);
  const Job job = world.Submit("workspace.create", CreatePayload("dev-1", 11 * kGiB));
  world.Work();
  EXPECT_NE(world.GetJob(job.id).message.find("waiting cannot help"), std::string::npos);
}

TEST(Room, AJobThatNoServerCouldEverTakeIsTriedEverLessOften) {
  World world(kOneServer);
  const Job job = world.Submit("workspace.create", CreatePayload("dev-1", 11 * kGiB));
  int64_t longest_ms = 0;
  for (int i = 0; i < 360; ++i) {
    world.WorkAfter(5'000);
    const Job waiting = world.GetJob(job.id);
    ASSERT_EQ(waiting.reason, reason::kNoCapacity);
    longest_ms = std::max(longest_ms, waiting.due_at - waiting.updated_at);
  }
  EXPECT_LE(longest_ms, 300'000);
  EXPECT_GE(longest_ms, 150'000);
  EXPECT_LT(world.GetJob(job.id).rev, 2 * 40) << "in half an hour, with two writes an attempt";
}

TEST(Room, AJobThatNoServerCouldTakeIsTriedAtOnceWhenItIsWoken) {
  World world(kOneServer);
  const Job job = world.Submit("workspace.create", CreatePayload("dev-1", 11 * kGiB));
  for (int i = 0; i < 60; ++i) world.WorkAfter(5'000);
  const Job before = world.GetJob(job.id);
  ASSERT_GT(before.due_at, world.fake.clock().NowMs() + 10'000);
  ASSERT_TRUE(WakeRoomWaits(world.Within(), world.instance.database));
  world.Work();
  const Job after = world.GetJob(job.id);
  EXPECT_GT(after.rev, before.rev + 1);
  EXPECT_LE(after.due_at - after.updated_at, 5'000) << "its wait grows from the start";
}

// They are woken many in a commit, of which each could fail by a job that is no longer as it was.
TEST(Room, JobsThatWaitForRoomAreWokenBesideOneThatIsCanceledMeanwhile) {
  World world(kOneServer);
  std::vector<std::string> jobs;
  for (int i = 0; i < 120; ++i) {
    const std::string name = "dev-" + std::to_string(i);
    jobs.push_back(world.Submit("workspace.create", CreatePayload(name, 11 * kGiB)).id);
  }
  world.Work();
  world.WorkAfter(60'000);
  const std::string& canceled = jobs[60];
  HookedStore store(*world.store);
  Instance other(world.fake.runtime(), store, world.hosts, {});
  int commits = 0;
  store.before_apply = [&](std::span<const a4c::WriteBatch>) {
    if (++commits == 1) {
      EXPECT_TRUE(world.Cancel(canceled));
    }
  };
  ASSERT_TRUE(WakeRoomWaits(world.Within(), other.database));
  EXPECT_LE(commits, 3 + 50) << "of 120 jobs, those beside the canceled one by themselves";
  for (const std::string& id : jobs) {
    if (id == canceled) continue;
    EXPECT_EQ(world.GetJob(id).due_at, world.fake.clock().NowMs()) << id;
  }
  EXPECT_EQ(world.GetJob(canceled).state, JobState::kCanceled);
}

// One that is new, and so the emptiest, would get all that are made.
TEST(Room, AServerStartsOnlySoManyAtATime) {
  WorkerOptions options;
  options.placement.limits.starts_in_flight_max = 1;
  World world(kOneServer, options);
  std::string second;
  world.hosts.before_ensure = [&](const Unit&) -> Result<void> {
    if (!second.empty()) return {};
    second = world.Submit("workspace.create", CreatePayload("dev-2")).id;
    world.Step("worker-2");
    return {};
  };
  const Job first = world.Submit("workspace.create", CreatePayload("dev-1"));
  world.Step("worker-1");
  EXPECT_EQ(world.GetJob(first.id).state, JobState::kSucceeded);
  const Job waiting = world.GetJob(second);
  EXPECT_EQ(waiting.reason, reason::kNoCapacity);
  EXPECT_NE(waiting.message.find("1 starts_in_flight"), std::string::npos) << waiting.message;
  world.WorkAfter(10'000);
  EXPECT_EQ(world.GetJob(second).state, JobState::kSucceeded);
}

TEST(Room, LongJobsAreWokenToo) {
  World world(kOneServer);
  const Job job = world.Submit(
      "image.build", Json::Object{{"tag", "one"}, {"context", "AAAA"}, {"disk", 11 * kGiB}});
  world.Work();
  ASSERT_EQ(world.GetJob(job.id).reason, reason::kNoCapacity);
  ASSERT_TRUE(WakeRoomWaits(world.Within(), world.instance.database));
  EXPECT_EQ(world.GetJob(job.id).due_at, world.fake.clock().NowMs());
}

TEST(Room, OnlyWhoWaitsForRoomIsWoken) {
  World world(kOneServer);
  world.hosts.before_ensure = [](const Unit&) -> Result<void> {
    return Error(Code::kUnavailable, "out of reach");
  };
  const Job job = world.Submit("workspace.create", CreatePayload("dev-1"));
  world.Work();
  const Job before = world.GetJob(job.id);
  ASSERT_EQ(before.reason, reason::kRetrying);
  ASSERT_TRUE(WakeRoomWaits(world.Within(), world.instance.database));
  EXPECT_EQ(world.GetJob(job.id).rev, before.rev);
}

TEST(Room, AJobWithoutRoomFailsAtItsDeadline) {
  World world(kOneServer);
  const Job job = world.Submit("workspace.create", CreatePayload("dev-1", 11 * kGiB),
                               [](JobDraft& draft) { draft.deadline_ms = 20'000; });
  for (int i = 0; i < 6; ++i) world.WorkAfter(6'000);
  EXPECT_EQ(world.GetJob(job.id).state, JobState::kFailed);
  EXPECT_EQ(world.GetJob(job.id).reason, reason::kDeadline);
}

}  // namespace
}  // namespace a4cd::testing
