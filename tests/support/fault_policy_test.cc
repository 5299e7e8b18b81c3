#include "tests/support/fault_policy.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/fake_clock.h"
#include "tests/support/faulty_call.h"

namespace a4c::testing {
namespace {

std::vector<Fault> Draw(uint64_t seed, const FaultRates& rates, int count) {
  SeededRandom random(seed);
  const auto policy = NewRandomFaults(random, rates);
  std::vector<Fault> faults;
  for (int i = 0; i < count; ++i) faults.push_back(policy->Next("Store.Get").fault);
  return faults;
}

TEST(RandomFaults, AreTheSameForTheSameSeed) {
  const FaultRates rates{.error = 0.3, .unknown_after = 0.3, .delay = 0.2};
  EXPECT_EQ(Draw(1, rates, 200), Draw(1, rates, 200));
  EXPECT_NE(Draw(1, rates, 200), Draw(2, rates, 200));
}

TEST(RandomFaults, ComeAsOftenAsAsked) {
  const auto faults = Draw(1, {.error = 0.25, .drop = 0.5}, 10'000);
  EXPECT_NEAR(static_cast<double>(std::ranges::count(faults, Fault::kError)), 2'500, 250);
  EXPECT_NEAR(static_cast<double>(std::ranges::count(faults, Fault::kDrop)), 5'000, 250);
  EXPECT_NEAR(static_cast<double>(std::ranges::count(faults, Fault::kNone)), 2'500, 250);
}

TEST(RandomFaults, OfNoRateNeverCome) {
  const auto faults = Draw(1, {}, 1'000);
  EXPECT_EQ(std::ranges::count(faults, Fault::kNone), 1'000);
}

TEST(RandomFaults, DelayWithinTheBound) {
  SeededRandom random(1);
  const auto policy = NewRandomFaults(random, {.delay = 1, .delay_ms_max = 5});
  for (int i = 0; i < 200; ++i) {
    const FaultDraw draw = policy->Next("Store.Get");
    ASSERT_GE(draw.delay_ms, 1);
    ASSERT_LE(draw.delay_ms, 5);
  }
}

TEST(ScriptedFaults, FollowTheScriptCallByCall) {
  FakeRuntime fake;
  const auto policy = NewScriptedFaults(
      fake.runtime(), {{"A", {{Fault::kError}, {Fault::kDrop}}}, {"B", {{Fault::kDelay}}}});
  EXPECT_EQ(policy->Next("A").fault, Fault::kError);
  EXPECT_EQ(policy->Next("B").fault, Fault::kDelay);
  EXPECT_EQ(policy->Next("A").fault, Fault::kDrop);
  EXPECT_EQ(policy->Next("A").fault, Fault::kNone);
  EXPECT_EQ(policy->Next("C").fault, Fault::kNone);
}

TEST(Shuffled, IsAPermutationThatItsBitsDecide) {
  auto order = Shuffled(50, 7);
  EXPECT_EQ(order, Shuffled(50, 7));
  EXPECT_NE(order, Shuffled(50, 8));
  std::ranges::sort(order);
  for (size_t i = 0; i < order.size(); ++i) ASSERT_EQ(order[i], i);
  EXPECT_TRUE(Shuffled(0, 7).empty());
}

// What every decorator does with a call, seen on an effect that counts how often it happened.
struct Effects {
  int done = 0;
  FakeRuntime fake{1, Passing::kAtWaits};

  Result<void> Run(FaultDraw draw, int64_t timeout_ms = 10'000, std::stop_token stop = {}) {
    const auto policy = NewScriptedFaults(fake.runtime(), {{"Call", {draw}}});
    FaultSource faults(*policy, fake.runtime());
    return faults.Effect(fake.Within(timeout_ms, stop), "Call", [this]() -> Result<void> {
      ++done;
      return {};
    });
  }
};

TEST(FaultSource, AnErrorIsBeforeTheEffect) {
  Effects effects;
  EXPECT_EQ(effects.Run({Fault::kError}).error().code(), Code::kUnavailable);
  EXPECT_EQ(effects.done, 0);
}

TEST(FaultSource, AnUnknownOutcomeIsBeforeOrAfterTheEffect) {
  Effects effects;
  EXPECT_EQ(effects.Run({Fault::kUnknownBefore}).error().code(), Code::kUnknownOutcome);
  EXPECT_EQ(effects.done, 0);
  EXPECT_EQ(effects.Run({Fault::kUnknownAfter}).error().code(), Code::kUnknownOutcome);
  EXPECT_EQ(effects.done, 1);
}

TEST(FaultSource, ADuplicateHappensTwice) {
  Effects effects;
  EXPECT_TRUE(effects.Run({Fault::kDuplicate}));
  EXPECT_EQ(effects.done, 2);
}

TEST(FaultSource, ADelayTakesVirtualTimeAndThenTheEffectHappens) {
  Effects effects;
  const int64_t start_ms = effects.fake.clock().MonotonicMs();
  EXPECT_TRUE(effects.Run({Fault::kDelay, 700}));
  EXPECT_EQ(effects.fake.clock().MonotonicMs() - start_ms, 700);
  EXPECT_EQ(effects.done, 1);
}

TEST(FaultSource, ADelayPastTheDeadlineIsATimeoutAndNothingIsDone) {
  Effects effects;
  EXPECT_EQ(effects.Run({Fault::kDelay, 700}, 500).error().code(), Code::kTimeout);
  EXPECT_EQ(effects.done, 0);
}

TEST(FaultSource, ADelayEndsWhenTheCallerStops) {
  Effects effects;
  std::stop_source source;
  source.request_stop();
  const auto result = effects.Run({Fault::kDelay, 700}, 10'000, source.get_token());
  EXPECT_EQ(result.error().code(), Code::kCanceled);
  EXPECT_EQ(effects.done, 0);
}

TEST(FaultSource, AReadIsNeverUnknown) {
  FakeRuntime fake;
  const auto policy = NewScriptedFaults(
      fake.runtime(), {{"Call", {{Fault::kUnknownAfter}, {Fault::kUnknownBefore}}}});
  FaultSource faults(*policy, fake.runtime());
  for (int i = 0; i < 2; ++i) {
    const auto read = faults.Read(fake.Within(1'000), "Call", []() -> Result<int> { return 1; });
    EXPECT_EQ(read.error().code(), Code::kUnavailable);
  }
}

}  // namespace
}  // namespace a4c::testing
