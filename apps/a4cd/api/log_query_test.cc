#include "apps/a4cd/api/log_query.h"

#include <gtest/gtest.h>

#include <string>

namespace a4cd {
namespace {

constexpr int64_t kNowMs = 1'800'000'000'000;

a4c::Result<LogCut> Cut(const NameValues& query) {
  Request request;
  request.query = query;
  return ReadLogCut(request, kNowMs);
}

TEST(LogQuery, HasLinesAndATime) {
  EXPECT_TRUE(Cut({})->empty());
  EXPECT_TRUE(Cut({{"from", "7"}})->empty());
  EXPECT_EQ(Cut({{"tail", "0"}})->lines, 0);
  EXPECT_EQ(Cut({{"tail", "100000"}, {"from", ""}})->lines, kLogLinesMax);
  EXPECT_EQ(Cut({{"since", "10m"}})->since_ms, kNowMs - 600'000);
  EXPECT_EQ(Cut({{"since", "2026-11-28T10:00:00Z"}})->since_ms, 1'795'860'000'000);
  EXPECT_EQ(Cut({{"since", "2026-11-28T10:00:00.250Z"}})->since_ms, 1'795'860'000'250);
  EXPECT_EQ(Cut({{"since", "2026-11-28T10:00:00+02:00"}})->since_ms, 1'795'852'800'000);
  EXPECT_EQ(Cut({{"since", "2026-11-28T10:00:00-00:30"}})->since_ms, 1'795'861'800'000);
  EXPECT_EQ(Cut({{"since", "2026-11-28T10:00"}})->since_ms, 1'795'860'000'000) << "UTC";
  EXPECT_EQ(Cut({{"since", "2026-11-28"}})->since_ms, 1'795'824'000'000);
  EXPECT_EQ(Cut({{"since", "9000000d"}})->since_ms, kNowMs - 9'000'000 * 86'400'000LL);
}

TEST(LogQuery, RefusesWhatIsNoNumberOfLines) {
  for (const char* wrong : {"-1", "100001", "99999999999999999999", "ten", "1.5", "", " 5"}) {
    const auto cut = Cut({{"tail", wrong}});
    ASSERT_FALSE(cut) << wrong;
    EXPECT_EQ(cut.error().message(), "tail is a whole number from 0 to 100000");
  }
}

TEST(LogQuery, RefusesWhatIsNeitherADurationNorATime) {
  for (const char* wrong :
       {"", "10", "-5m", "m", "5 m", "5w", "9223372036854775807d", "yesterday",
        "2026-11-28T10:00:00.Z", "2026-13-28T10:00:00Z", "2026-02-30T10:00:00Z",
        "2026-11-28T24:00:00Z", "2026-11-28T10:60:00Z", "2026-11-28T10:00:00+2:00",
        "2026-11-28T10:00:00+25:00", "2026-11-28T10:00:00Zx", "2026-11-28T10:00:00+02:0x"}) {
    const auto cut = Cut({{"since", wrong}});
    ASSERT_FALSE(cut) << wrong;
    EXPECT_EQ(cut.error().message(), "since is a duration or a time");
    EXPECT_NE(cut.error().hint().find("10m"), std::string::npos);
  }
}

TEST(LogQuery, RefusesABeginningThatIsAlsoAPosition) {
  for (const char* name : {"tail", "since"}) {
    const auto cut = Cut({{name, name == std::string("tail") ? "5" : "5m"}, {"from", "7"}});
    ASSERT_FALSE(cut) << name;
    EXPECT_EQ(cut.error().code(), a4c::Code::kInvalid);
  }
}

}  // namespace
}  // namespace a4cd
