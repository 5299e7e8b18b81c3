#include "collection/store_time.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"

namespace a4c {
namespace {

class StoreTimeTest : public ::testing::Test {
 protected:
  testing::FakeClock clock_;
  StoreTime time_{clock_};
};

TEST_F(StoreTimeTest, IsTheStoresWhateverTheWallClockSays) {
  time_.Heard(5'000'000);
  EXPECT_EQ(time_.NowMs(), 5'000'000);
  clock_.JumpWallClock(3'600'000);
  clock_.Advance(7);
  EXPECT_EQ(time_.NowMs(), 5'000'007);
}

TEST_F(StoreTimeTest, BeforeAnyWasHeardItIsTheWallClocks) {
  EXPECT_EQ(time_.NowMs(), clock_.NowMs());
}

TEST_F(StoreTimeTest, AnAnswerThatWasLongOnItsWayDoesNotSetItBack) {
  time_.Heard(5'000'000);
  clock_.Advance(4'000);
  time_.Heard(5'001'000);
  EXPECT_GE(time_.NowMs(), 5'004'000 - 40);
  time_.Heard(5'004'100);
  EXPECT_EQ(time_.NowMs(), 5'004'100) << "a quicker one counts at once";
}

TEST_F(StoreTimeTest, AStoreWhoseClockIsBehindIsComeToWithoutFalling) {
  constexpr int64_t kBehindMs = 2'000;
  time_.Heard(5'000'000);
  int64_t last_ms = time_.NowMs();
  int64_t store_ms = 5'000'000 - kBehindMs;
  for (int i = 0; i < 1'000; ++i) {
    clock_.Advance(250);
    store_ms += 250;
    time_.Heard(store_ms);
    const int64_t now_ms = time_.NowMs();
    ASSERT_GE(now_ms, last_ms) << i;
    last_ms = now_ms;
  }
  EXPECT_EQ(last_ms, store_ms);
}

// A primary whose clock was two hours ahead, until it was set right or another took its place.
TEST_F(StoreTimeTest, AClockThatWasFarAheadIsForgottenSoon) {
  time_.Heard(5'000'000 + 7'200'000);
  EXPECT_EQ(time_.NowMs(), 12'200'000);
  for (int i = 1; i <= 20; ++i) {
    clock_.Advance(1'000);
    time_.Heard(5'000'000 + i * 1'000);
  }
  EXPECT_EQ(time_.NowMs(), 5'020'000);
  clock_.Advance(5);
  EXPECT_EQ(time_.NowMs(), 5'020'005);
}

TEST_F(StoreTimeTest, SlowAnswersAmongOthersDoNotSetItBack) {
  time_.Heard(5'000'000);
  for (int i = 1; i <= 60; ++i) {
    clock_.Advance(1'000);
    const int64_t store_ms = 5'000'000 + i * 1'000;
    time_.Heard(i % 8 == 0 ? store_ms : store_ms - 20'000);
    ASSERT_EQ(time_.NowMs(), store_ms) << i;
  }
}

TEST_F(StoreTimeTest, AFewSlowAnswersOfAQuietTimeDoNotSetItBack) {
  time_.Heard(5'000'000);
  clock_.Advance(100);
  time_.Heard(4'990'000);
  clock_.Advance(60'000);
  time_.Heard(5'040'000);
  EXPECT_EQ(time_.NowMs(), 5'060'100);
}

}  // namespace
}  // namespace a4c
