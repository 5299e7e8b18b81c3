#include "apps/a4cd/api/rate_limit.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"

namespace a4cd {
namespace {

TEST(RateLimiter, AllowsTheBurstThenTheRate) {
  a4c::testing::FakeClock clock;
  RateLimiter limiter(clock, 10, 3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limiter.Take("a").allowed);
  const auto refused = limiter.Take("a");
  EXPECT_FALSE(refused.allowed);
  EXPECT_GE(refused.reset_s, 1);
  clock.Advance(100);
  EXPECT_TRUE(limiter.Take("a").allowed);
  EXPECT_FALSE(limiter.Take("a").allowed);
}

TEST(RateLimiter, OneKeyIsNoMatterToAnother) {
  a4c::testing::FakeClock clock;
  RateLimiter limiter(clock, 1, 1);
  EXPECT_TRUE(limiter.Take("a").allowed);
  EXPECT_FALSE(limiter.Take("a").allowed);
  EXPECT_TRUE(limiter.Take("b").allowed);
}

TEST(RateLimiter, NeverSavesMoreThanTheBurst) {
  a4c::testing::FakeClock clock;
  RateLimiter limiter(clock, 1'000, 2);
  EXPECT_TRUE(limiter.Take("a").allowed);
  clock.Advance(3'600'000);
  EXPECT_TRUE(limiter.Take("a").allowed);
  EXPECT_TRUE(limiter.Take("a").allowed);
  EXPECT_FALSE(limiter.Take("a").allowed);
}

TEST(RateLimiter, OfRateZeroAllowsEverything) {
  a4c::testing::FakeClock clock;
  RateLimiter limiter(clock, 0, 1);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(limiter.Take("a").allowed);
}

}  // namespace
}  // namespace a4cd
