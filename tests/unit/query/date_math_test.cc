#include "query/date_math.h"

#include <gtest/gtest.h>

#include "a4c/query.h"
#include "a4c/time_period.h"
#include "tests/unit/query/query_kind.h"

namespace a4c {
namespace {

int64_t At(std::string_view text) {
  const auto period = ParseTimePeriod(text);
  EXPECT_TRUE(period) << text;
  return period ? period->start_ms : 0;
}

// A Thursday.
const int64_t kNow = At("2026-11-26T15:04:05.678Z");

struct Case {
  const char* text;
  const char* start;
  const char* end;  // "" for one millisecond
};

TEST(DateMath, MovesAndRoundsFromLeftToRight) {
  for (const Case& c : {Case{"now", "2026-11-26T15:04:05.678", ""},
                        Case{"now-1h", "2026-11-26T14:04:05.678", ""},
                        Case{"now-1H", "2026-11-26T14:04:05.678", ""},
                        Case{"now+90m", "2026-11-26T16:34:05.678", ""},
                        Case{"now-d", "2026-11-25T15:04:05.678", ""},
                        Case{"now-1d+2h-3m+4s", "2026-11-25T17:01:09.678", ""},
                        Case{"now/s", "2026-11-26T15:04:05", "2026-11-26T15:04:06"},
                        Case{"now/m", "2026-11-26T15:04", "2026-11-26T15:05"},
                        Case{"now/h", "2026-11-26T15:00", "2026-11-26T16:00"},
                        Case{"now/d", "2026-11-26", "2026-11-27"},
                        Case{"now/w", "2026-11-23", "2026-11-30"},
                        Case{"now/M", "2026-11-01", "2026-12-01"},
                        Case{"now/y", "2026-01-01", "2027-01-01"},
                        Case{"now-1M/M", "2026-10-01", "2026-11-01"},
                        Case{"now-1y/y", "2025-01-01", "2026-01-01"},
                        Case{"now/d+8h", "2026-11-26T08:00", "2026-11-27T08:00"},
                        Case{"now/M/w", "2026-10-26", "2026-11-02"},
                        Case{"2026-11-01||", "2026-11-01", "2026-11-02"},
                        Case{"2026-11-01||+1M", "2026-12-01", "2026-12-02"},
                        Case{"2026-01-31||+1M", "2026-02-28", "2026-03-01"},
                        Case{"2024-02-29||+1y", "2025-02-28", "2025-03-01"},
                        Case{"2026-02||+1M", "2026-03-01", "2026-04-01"},
                        Case{"2026||-1y", "2025-01-01", "2026-01-01"},
                        Case{"2026-11-01T10:00||/h", "2026-11-01T10:00", "2026-11-01T11:00"},
                        Case{"1969-12-31T23:30||/w", "1969-12-29", "1970-01-05"},
                        Case{"9999||", "9999-01-01", "10000"}}) {
    const auto period = ParseDateMath(c.text, kNow);
    ASSERT_TRUE(period) << c.text << ": " << period.error().ToString();
    EXPECT_EQ(period->start_ms, At(c.start)) << c.text;
    const std::string_view end = c.end;
    const int64_t end_ms = end.empty()      ? At(c.start) + 1
                           : end == "10000" ? At("9999-12-31T23:59:59.999") + 1
                                            : At(end);
    EXPECT_EQ(period->end_ms, end_ms) << c.text;
  }
}

TEST(DateMath, AnythingElseIsNoTime) {
  for (const char* text :
       {"now-", "now-1", "now-1x", "now+-1h", "now/", "now/2d", "now 1h", "now--1h", "now-1h/",
        "now-1h ", "x||", "||+1d", "2026-13||+1d", "2026||+1d||+1d", "now-1000000000h"}) {
    const auto period = ParseDateMath(text, kNow);
    ASSERT_FALSE(period) << text;
    EXPECT_EQ(period.error().message(), "no time") << text;
  }
  for (const char* text : {"now-9999y", "now+999999999y", "now-999999999M", "now+999999999w"}) {
    const auto period = ParseDateMath(text, kNow);
    ASSERT_FALSE(period) << text;
    EXPECT_EQ(period.error().message(), "outside of the years 0 to 9999") << text;
  }
}

std::string Parsed(std::string_view text) {
  const auto query = ParseQuery(text, QueryKind(), kNow);
  return query ? Show(*query) : query.error().ToString();
}

TEST(DateMath, InAQueryIsAPeriodAsDatesAre) {
  const std::string day = std::to_string(At("2026-11-26"));
  const std::string next = std::to_string(At("2026-11-27"));
  EXPECT_EQ(Parsed("created_at:now/d"), "created_at[" + day + "," + next + ")");
  EXPECT_EQ(Parsed("created_at > now/d"), "created_at[" + next + ",)");
  EXPECT_EQ(Parsed("created_at >= \"now/d\""), "created_at[" + day + ",)");
  EXPECT_EQ(Parsed("created_at < now/d"), "created_at[," + day + ")");
  EXPECT_EQ(Parsed("created_at <= now/d"), "created_at[," + next + ")");
  EXPECT_EQ(Parsed("created_at >= now-1h"),
            "created_at[" + std::to_string(kNow - 3'600'000) + ",)");
  EXPECT_EQ(Parsed("created_at:(now/d or 2026-11-01||/M)"),
            "or(created_at[" + day + "," + next + "), created_at[" +
                std::to_string(At("2026-11-01")) + "," + std::to_string(At("2026-12-01")) + "))");
  EXPECT_EQ(Parsed("state:now-1h"), "state='now-1h'");
  EXPECT_EQ(
      Parsed("done:true and created_at > now-1x"),
      "invalid: column 28: \"now-1x\" is no time (hint: after now, or a date and ||: +1h, -7d "
      "or /d, of y M w d h m s)");
}

}  // namespace
}  // namespace a4c
