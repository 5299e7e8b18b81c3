// An instance whose wall clock is not the store's.
#include "apps/a4cd/upkeep/clock_watch.h"

#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

// The store has the time of another machine, and takes as long to answer as the test says.
class ClockWatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(database_.Open(here_.Within(30'000), AllCollections()));
    hooked_.before_get = [this] {
      here_.clock().Advance(answer_ms_ / 2);
      there_.clock().Advance(answer_ms_ / 2);
    };
    hooked_.after_get = [this] { here_.clock().Advance(answer_ms_ / 2); };
  }
  void Look() { ASSERT_TRUE(loop_->Step(here_.Within(30'000))); }
  double Gauge() { return here_.metrics().GaugeOf("a4c_clock_ahead_seconds"); }
  int Warnings() { return here_.log().CountOf("not the store's", a4c::LogLevel::kWarning); }

  a4c::testing::FakeRuntime here_;
  a4c::testing::FakeRuntime there_;
  int64_t answer_ms_ = 0;
  const std::unique_ptr<a4c::Store> store_ = a4c::NewMemoryStore(there_.runtime());
  HookedStore hooked_{*store_};
  a4c::Database database_{{.store = hooked_}, here_.runtime()};
  ClockWatch watch_{database_, here_.runtime()};
  const std::unique_ptr<a4c::Loop> loop_ = watch_.NewLoop();
};

TEST_F(ClockWatchTest, HowFarTheClockIsAheadIsToldLessHalfOfTheRoundTrip) {
  EXPECT_FALSE(watch_.AheadMs());
  answer_ms_ = 400;
  here_.clock().JumpWallClock(2'000);
  Look();
  EXPECT_EQ(watch_.AheadMs(), 2'000);
  EXPECT_EQ(Gauge(), 2);
  EXPECT_EQ(Warnings(), 0);
}

TEST_F(ClockWatchTest, AnAnswerThatTookLongSaysNothing) {
  here_.clock().JumpWallClock(1'000);
  Look();
  hooked_.after_get = [this] { here_.clock().Advance(9'000); };  // all of it on the way back
  Look();
  EXPECT_EQ(Gauge(), 1) << "half of it would be 4.5 s too much";
}

TEST_F(ClockWatchTest, FiveSecondsAreAWarningOnceForEachTime) {
  here_.clock().JumpWallClock(-5'001);
  Look();
  Look();
  EXPECT_EQ(Gauge(), -5.001);
  EXPECT_EQ(Warnings(), 1);
  here_.clock().JumpWallClock(10);
  Look();
  here_.clock().JumpWallClock(-10);
  Look();
  EXPECT_EQ(Warnings(), 1) << "it is about there";
  here_.clock().JumpWallClock(5'001);
  Look();
  here_.clock().JumpWallClock(6'000);
  Look();
  EXPECT_EQ(Warnings(), 2);
}

}  // namespace
}  // namespace a4cd::testing
