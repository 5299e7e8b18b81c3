#include "a4c/time_period.h"

#include <gtest/gtest.h>

namespace a4c {
namespace {

constexpr int64_t kDay = 86'400'000;
constexpr int64_t kNovember = 1793491200000;  // 2026-11-01T00:00:00Z

std::pair<int64_t, int64_t> Period(std::string_view text) {
  const auto period = ParseTimePeriod(text);
  return period ? std::pair(period->start_ms, period->end_ms) : std::pair<int64_t, int64_t>(-1, -1);
}

using Span = std::pair<int64_t, int64_t>;

TEST(TimePeriod, IsAsLongAsItIsWritten) {
  EXPECT_EQ(Period("2026-11-01"), Span(kNovember, kNovember + kDay));
  EXPECT_EQ(Period("2026-11"), Span(kNovember, kNovember + 30 * kDay));
  EXPECT_EQ(Period("2026-12"), Span(kNovember + 30 * kDay, kNovember + 61 * kDay));
  EXPECT_EQ(Period("1970"), Span(0, 365 * kDay));
  EXPECT_EQ(Period("2026-11-01T00:01"), Span(kNovember + 60'000, kNovember + 120'000));
  EXPECT_EQ(Period("2026-11-01T00:00:02Z"), Span(kNovember + 2000, kNovember + 3000));
  EXPECT_EQ(Period("2026-11-01t00:00:02.5z"), Span(kNovember + 2500, kNovember + 2501));
  EXPECT_EQ(Period("2026-11-01 00:00:00.123456"), Span(kNovember + 123, kNovember + 124));
  EXPECT_EQ(Period("2026-11-01T02:00+02:00").first, kNovember);
  EXPECT_EQ(Period("2026-10-31T22:00:00-02:00").first, kNovember);
  EXPECT_EQ(Period("2024-02-29").second - Period("2024-02-29").first, kDay);
  EXPECT_EQ(Period("1969-12-31").second, 0);
}

TEST(TimePeriod, OfAnythingElseIsNone) {
  for (const char* text : {"",
                           "26",
                           "202",
                           "2026-",
                           "2026-1-1",
                           "2026-13",
                           "2026-00-01",
                           "2026-02-30",
                           "2025-02-29",
                           "2026-11-01T",
                           "2026-11-01T10",
                           "2026-11-01T24:00",
                           "2026-11-01T10:60",
                           "2026-11-01T10:00:60",
                           "2026-11-01T10:00:00.",
                           "2026-11-01T10:00:00.1234567890",
                           "2026-11-01T10:00:00Zx",
                           "2026-11-01T10:00:00+2",
                           "2026-11-01x",
                           "20261101"}) {
    EXPECT_FALSE(ParseTimePeriod(text)) << text;
  }
}

TEST(TimePeriod, OnlyADateWithATimeStartsLikeOne) {
  EXPECT_TRUE(StartsLikeTime("2026-11-01T10:00:00Z and"));
  EXPECT_FALSE(StartsLikeTime("2026-11-01"));
  EXPECT_FALSE(StartsLikeTime("2026-11-01T1"));
  EXPECT_FALSE(StartsLikeTime("state:failed-or-so"));
}

}  // namespace
}  // namespace a4c
