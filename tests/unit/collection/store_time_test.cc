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

}  // namespace
}  // namespace a4c
