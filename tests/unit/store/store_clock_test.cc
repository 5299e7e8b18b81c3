#include "a4c/store_clock.h"

#include <gtest/gtest.h>

#include "a4c/memory.h"
#include "a4c/store.h"
#include "tests/support/fake_clock.h"

namespace a4c {
namespace {

constexpr int64_t kHourMs = 3'600'000;

class StoreClockTest : public ::testing::Test {
 protected:
  // What passes of the store's time.
  int64_t PassedIn(int64_t ms) {
    const int64_t before = clock_.NowMs();
    fake_.clock().Advance(ms);
    return clock_.NowMs() - before;
  }
  testing::FakeRuntime fake_;
  StoreClock clock_{fake_.clock()};
};

TEST_F(StoreClockTest, ItIsTheWallClocksAlsoWhenThatIsSetForward) {
  for (const int64_t step : {0, 1, 1, 1, 17, 60'000}) {
    fake_.clock().Advance(step);
    EXPECT_EQ(clock_.NowMs(), fake_.clock().NowMs());
  }
  fake_.clock().JumpWallClock(kHourMs);
  EXPECT_EQ(clock_.NowMs(), fake_.clock().NowMs());
}

TEST_F(StoreClockTest, AfterTheWallClockWasSetBackItGoesOnAtHalfThePaceUntilThatHasCaughtUp) {
  const int64_t before = clock_.NowMs();
  fake_.clock().JumpWallClock(-kHourMs);
  EXPECT_EQ(clock_.NowMs(), before);
  EXPECT_EQ(PassedIn(60'000), 30'000);
  EXPECT_EQ(PassedIn(2 * kHourMs - 60'000), kHourMs - 30'000);
  EXPECT_EQ(clock_.NowMs(), fake_.clock().NowMs());
  EXPECT_EQ(PassedIn(60'000), 60'000);
}

// So long passes between two looks at it.
class SlowlyReadClock final : public Clock {
 public:
  int64_t MonotonicNs() const override { return Pass() * 1'000'000; }
  int64_t NowMs() const override { return kWallMs + Pass(); }

  static constexpr int64_t kWallMs = 1'700'000'000'000;
  mutable int64_t passed_ms = 0;
  int64_t step_ms = 1'000;

 private:
  int64_t Pass() const { return passed_ms += step_ms; }
};

TEST_F(StoreClockTest, AThreadThatIsHeldUpWhileItLooksPutsNothingAhead) {
  SlowlyReadClock slow;
  StoreClock clock(slow);
  const int64_t told = clock.NowMs();
  EXPECT_LE(told, SlowlyReadClock::kWallMs + slow.passed_ms);
  slow.step_ms = 0;
  EXPECT_EQ(clock.NowMs(), SlowlyReadClock::kWallMs + slow.passed_ms);
}

TEST_F(StoreClockTest, ItGoesOnFromWhatAnEarlierProcessHasTold) {
  const int64_t told = fake_.clock().NowMs() + kHourMs;
  clock_.GoOnFrom(told);
  EXPECT_EQ(clock_.NowMs(), told);
  EXPECT_EQ(PassedIn(60'000), 30'000);
  clock_.GoOnFrom(fake_.clock().NowMs());
  EXPECT_EQ(clock_.NowMs(), told + 30'000) << "what lies in the past changes nothing";
}

TEST_F(StoreClockTest, TheTimeOfTheMemoryStoreGoesOnAfterTheWallClockWasSetBack) {
  const auto store = NewMemoryStore(fake_.runtime());
  const auto time = [&] {
    const Result<GetAnswer> answer = store->Get(fake_.Within(30'000), {});
    EXPECT_TRUE(answer.has_value());
    return answer ? answer->store_time_ms : 0;
  };
  const int64_t before = time();
  fake_.clock().JumpWallClock(-kHourMs);
  EXPECT_GE(time(), before);
  fake_.clock().Advance(60'000);
  EXPECT_GE(time(), before + 30'000);
}

}  // namespace
}  // namespace a4c
