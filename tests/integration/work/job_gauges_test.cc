// What whoever watches a4cd sees of jobs that wait, of workers, and of loops.
#include "apps/a4cd/work/job_gauges.h"

#include <atomic>

#include "apps/a4cd/loop_runner.h"
#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

class JobGaugesTest : public ::testing::Test {
 protected:
  double Of(const std::string& name) { return world_.fake.metrics().GaugeOf("a4c_" + name); }
  double Due(const char* length = "short") {
    return Of("jobs_due{length=\"" + std::string(length) + "\"}");
  }
  double AgeOf(const char* length = "short") {
    return Of("jobs_due_age_seconds{length=\"" + std::string(length) + "\"}");
  }
  void Look() {
    const auto gauges = NewJobGauges(world_.instance.database, world_.fake.runtime(), options_);
    ASSERT_TRUE(gauges->Step(world_.Within()));
  }
  void Submit(const std::string& name, int priority = 5, int64_t delay_ms = 0) {
    world_.Submit("workspace.create", CreatePayload(name), [&](JobDraft& draft) {
      draft.priority = priority;
      draft.delay_ms = delay_ms;
    });
  }
  void Run(const std::string& workspace) {
    world_.Submit("command.run",
                  Json::Object{{"workspace", workspace}, {"command", Json::Array{"true"}}});
  }

  World world_{kOneServer};
  JobGaugesOptions options_;
};

TEST_F(JobGaugesTest, JobsThatAreDueAreCountedWithTheAgeOfTheOldest) {
  Look();
  EXPECT_EQ(Due(), 0);
  Submit("low", 2);
  world_.fake.clock().Advance(30'000);
  Submit("high", 9);
  world_.fake.clock().Advance(10'000);
  Submit("later", 5, 60'000);
  Look();
  EXPECT_EQ(Due(), 2);
  EXPECT_EQ(AgeOf(), 40) << "whatever its priority";
  world_.Work();
  Look();
  EXPECT_EQ(Due(), 0);
  EXPECT_EQ(AgeOf(), 0);
  world_.fake.clock().Advance(60'000);
  Look();
  EXPECT_EQ(Due(), 1);
}

TEST_F(JobGaugesTest, OneThatIsAtWorkDoesNotWait) {
  double due = -1;
  double busy = -1;
  world_.hosts.before_ensure = [&](const Unit&) -> Result<void> {
    world_.fake.clock().Advance(31'000);  // when another one would look at it, were this one dead
    Look();
    due = Due();
    busy = Of("workers_busy");
    return {};
  };
  Submit("dev-1");
  EXPECT_EQ(Of("workers"), 4);
  EXPECT_EQ(Of("workers_busy"), 0);
  world_.Work();
  EXPECT_EQ(due, 0);
  EXPECT_EQ(busy, 1);
  EXPECT_EQ(Of("workers_busy"), 0);
}

TEST_F(JobGaugesTest, ALookIsBoundedAndSeesEachPriorityAllTheSame) {
  options_.counted_max = 3;
  options_.of_each_min = 1;
  Submit("low", 2);
  world_.fake.clock().Advance(5'000);
  for (const char* name : {"a", "b", "c", "d"}) Submit(name);
  Look();
  EXPECT_EQ(Due(), 4);
  EXPECT_EQ(AgeOf(), 5);
}

TEST_F(JobGaugesTest, LongJobsAreCountedApart) {
  world_.Submit("image.build", Json::Object{{"tag", "one"}, {"context", "AAAA"}});
  world_.fake.clock().Advance(7'000);
  Submit("dev-1");
  world_.fake.clock().Advance(1'000);
  Look();
  EXPECT_EQ(Due("long"), 1);
  EXPECT_EQ(AgeOf("long"), 8);
  EXPECT_EQ(Due(), 1);
  EXPECT_EQ(AgeOf(), 1);
}

// A workspace that finds no room tries again, and lets go of its worker in between.
TEST_F(JobGaugesTest, OneThatIsHeldByAnEarlierJobOfItsWorkspaceWaitsForNoWorker) {
  const Job created = world_.Submit("workspace.create", CreatePayload("dev-1", 100 * kGiB));
  world_.Work();
  ASSERT_EQ(world_.GetJob(created.id).reason, reason::kNoCapacity);
  Run(created.workspace);
  world_.fake.clock().Advance(1'000);
  Run(created.workspace);
  Look();
  EXPECT_EQ(Due("long"), 2);
  EXPECT_EQ(AgeOf("long"), 0);
  world_.fake.clock().Advance(600'000);
  world_.Submit("image.build", Json::Object{{"tag", "one"}, {"context", "AAAA"}});
  world_.fake.clock().Advance(7'000);
  Look();
  EXPECT_EQ(Due("long"), 3);
  EXPECT_EQ(AgeOf("long"), 7) << "of the one that is due after those that are held";
  EXPECT_GT(AgeOf(), 0) << "the one that holds them is due again itself";
}

TEST_F(JobGaugesTest, BeyondTheBoundEachIsTakenForOneWhoseTurnItIs) {
  options_.turns_max = 1;
  for (const char* name : {"dev-1", "dev-2"}) {
    const Job created = world_.Submit("workspace.create", CreatePayload(name, 100 * kGiB));
    world_.Work();
    Run(created.workspace);
    world_.fake.clock().Advance(1'000);
  }
  Look();
  EXPECT_EQ(AgeOf("long"), 1);
}

// Succeeds and fails as the test says.
class TwoFacedLoop final : public a4c::Loop {
 public:
  TwoFacedLoop(std::atomic<bool>& fails, std::atomic<int>& steps) : fails_(fails), steps_(steps) {}
  const std::string& name() const override { return name_; }
  Result<int64_t> Step(const Call&) override {
    ++steps_;
    steps_.notify_all();
    if (fails_) return a4c::Error(a4c::Code::kUnavailable, "broken");
    return int64_t{1'000};
  }

 private:
  const std::string name_ = "two-faced";
  std::atomic<bool>& fails_;
  std::atomic<int>& steps_;
};

TEST(LoopGauge, ALoopThatFailsIsZeroUntilAStepSucceeds) {
  a4c::testing::FakeRuntime fake;
  std::atomic<bool> fails = false;
  std::atomic<int> steps = 0;
  LoopRunner runner(fake.runtime());
  runner.Start("test", std::make_unique<TwoFacedLoop>(fails, steps));
  // Of the step after so many, once the loop waits again.
  const auto healthy_after = [&](int before) {
    steps.wait(before);
    EXPECT_TRUE(fake.clock().AwaitWaiting(1));
    return fake.metrics().GaugeOf(R"(a4c_loop_healthy{loop="two-faced"})");
  };
  EXPECT_EQ(healthy_after(0), 1);
  fails = true;
  fake.clock().Advance(1'000);
  EXPECT_EQ(healthy_after(1), 0);
  fails = false;
  fake.clock().Advance(1'000);
  EXPECT_EQ(healthy_after(2), 1);
}

}  // namespace
}  // namespace a4cd::testing
