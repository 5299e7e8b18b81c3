// Loops that one instance at a time steps for all.
#include "apps/a4cd/upkeep/singletons.h"

#include <optional>

#include "apps/a4cd/jobs/kinds.h"
#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

// Counts its steps, and does what the test wants.
class CountingLoop final : public a4c::Loop {
 public:
  explicit CountingLoop(int& steps, std::function<Result<int64_t>()> then = {})
      : steps_(steps), then_(std::move(then)) {}
  const std::string& name() const override { return name_; }
  Result<int64_t> Step(const Call&) override {
    ++steps_;
    return then_ ? then_() : Result<int64_t>(60'000);
  }

 private:
  const std::string name_ = "counting";
  int& steps_;
  const std::function<Result<int64_t>()> then_;
};

class SingletonsTest : public ::testing::Test {
 protected:
  std::unique_ptr<Singletons> NewInstance(const std::string& name) {
    return std::make_unique<Singletons>(
        world_.instance.database, *world_.store, world_.fake.runtime(), name,
        SingletonOptions{.lease_ms = 60'000, .look_period_ms = 5'000, .retry_wait_ms = 7'000});
  }
  int64_t Step(a4c::Loop& loop) {
    const Result<int64_t> step = loop.Step(world_.Within());
    EXPECT_TRUE(step) << step.error().ToString();
    return step ? *step : -1;
  }

  World world_;
  std::unique_ptr<Singletons> one_ = NewInstance("one");
  std::unique_ptr<Singletons> two_ = NewInstance("two");
};

TEST_F(SingletonsTest, OfTwoInstancesOneStepsALoopWhenItIsDue) {
  int steps = 0;
  const auto mine = one_->Wrap(std::make_unique<CountingLoop>(steps));
  const auto theirs = two_->Wrap(std::make_unique<CountingLoop>(steps));
  EXPECT_EQ(mine->name(), "counting");
  EXPECT_EQ(Step(*mine), 5'000);
  EXPECT_EQ(steps, 1);
  EXPECT_EQ(Step(*theirs), 5'000);
  EXPECT_EQ(Step(*mine), 5'000);
  EXPECT_EQ(steps, 1) << "it is not due again";
  world_.fake.clock().Advance(58'000);
  EXPECT_EQ(Step(*mine), 2'000) << "sooner, if it is due sooner";
  world_.fake.clock().Advance(2'000);
  Step(*theirs);
  Step(*mine);
  EXPECT_EQ(steps, 2);
}

TEST_F(SingletonsTest, WhileOneIsAtItTheOtherIsNot) {
  int steps = 0;
  int others = 0;
  const auto theirs = two_->Wrap(std::make_unique<CountingLoop>(others));
  const auto mine = one_->Wrap(std::make_unique<CountingLoop>(steps, [&] {
    Step(*theirs);
    return Result<int64_t>(60'000);
  }));
  Step(*mine);
  EXPECT_EQ(steps, 1);
  EXPECT_EQ(others, 0);
}

TEST_F(SingletonsTest, ALoopWhoseInstanceDiedIsTakenOverAfterTheLease) {
  int steps = 0;
  const auto mine = one_->Wrap(std::make_unique<CountingLoop>(steps));
  Step(*mine);
  world_.fake.clock().Advance(60'000);
  const auto leases = a4c::NewLeases(*world_.store);
  const auto claimed = leases->Claim(world_.Within(), {.kind = LoopKind(),
                                                       .index = "by_name",
                                                       .prefix = {"counting"},
                                                       .holder = "dead",
                                                       .lease_ms = 60'000});
  ASSERT_TRUE(claimed && claimed->size() == 1);
  Step(*mine);
  EXPECT_EQ(steps, 1) << "it is another's";
  world_.fake.clock().Advance(60'001);
  Step(*mine);
  EXPECT_EQ(steps, 2);
}

TEST_F(SingletonsTest, AStepThatFailsIsToldAndTriedAgainAfterAWait) {
  int steps = 0;
  const auto mine = one_->Wrap(std::make_unique<CountingLoop>(
      steps, [] { return Result<int64_t>(a4c::Error(a4c::Code::kUnavailable, "broken")); }));
  const Result<int64_t> failed = mine->Step(world_.Within());
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message(), "broken");
  world_.fake.clock().Advance(6'999);
  const Result<int64_t> still = mine->Step(world_.Within());
  ASSERT_FALSE(still) << "that it is not due yet is no success";
  EXPECT_EQ(still.error().message(), "broken");
  EXPECT_EQ(steps, 1);
  world_.fake.clock().Advance(1);
  EXPECT_FALSE(mine->Step(world_.Within()));
  EXPECT_EQ(steps, 2);
}

TEST_F(SingletonsTest, AFailureIsToldByWhoMadeTheLastStepAndByNobodyElse) {
  int steps = 0;
  bool broken = true;
  const auto then = [&broken] {
    return broken ? Result<int64_t>(a4c::Error(a4c::Code::kUnavailable, "broken"))
                  : Result<int64_t>(60'000);
  };
  const auto mine = one_->Wrap(std::make_unique<CountingLoop>(steps, then));
  const auto theirs = two_->Wrap(std::make_unique<CountingLoop>(steps, then));
  EXPECT_FALSE(mine->Step(world_.Within()));
  EXPECT_TRUE(theirs->Step(world_.Within()));
  world_.fake.clock().Advance(7'000);
  EXPECT_FALSE(theirs->Step(world_.Within()));
  EXPECT_TRUE(mine->Step(world_.Within()));
  broken = false;
  world_.fake.clock().Advance(7'000);
  EXPECT_TRUE(mine->Step(world_.Within()));
  EXPECT_TRUE(theirs->Step(world_.Within()));
  EXPECT_EQ(steps, 3);
}

// A holder whose lease was taken over says nothing about when the loop is due.
TEST_F(SingletonsTest, WhoWasOvertakenWritesNothing) {
  int steps = 0;
  int others = 0;
  const auto theirs = two_->Wrap(std::make_unique<CountingLoop>(others));
  const auto mine = one_->Wrap(std::make_unique<CountingLoop>(steps, [&] {
    world_.fake.clock().Advance(60'001);
    Step(*theirs);
    return Result<int64_t>(1'000'000);
  }));
  Step(*mine);
  EXPECT_EQ(others, 1);
  world_.fake.clock().Advance(60'000);
  Step(*theirs);
  EXPECT_EQ(others, 2) << "due when the one who took it over said";
}

TEST_F(SingletonsTest, NoLoopStaysNone) {
  EXPECT_EQ(one_->Wrap(nullptr), nullptr);
}

}  // namespace
}  // namespace a4cd::testing
