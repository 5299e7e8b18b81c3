#include "apps/a4cd/sessions/log_tail.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/fake_clock.h"

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Result;

// A log of one unit, whose pages have at most so many bytes.
class OneLog final : public a4c::HostLogs {
 public:
  Result<a4c::LogPage> Read(const Call&, const std::string&, const std::string&,
                            const std::string& after, int64_t bytes_max) override {
    ++reads;
    const size_t at = after.empty() ? 0 : std::stoull(after);
    text += grows;
    const auto most = std::min(static_cast<size_t>(bytes_max), page_bytes);
    a4c::LogPage page{.bytes = text.substr(at, most), .next = {}};
    page.next = std::to_string(at + page.bytes.size());
    return page;
  }

  std::string text;
  std::string grows;  // at each look
  size_t page_bytes = 1 << 20;
  int reads = 0;
};

class LogTail : public testing::Test {
 protected:
  Result<a4c::LogPage> Read(int64_t lines, const std::string& from = "") {
    return ReadLogTail(fake_.Within(10'000), log_, "one", "unit", from, lines);
  }

  a4c::testing::FakeRuntime fake_{1};
  OneLog log_;
};

TEST_F(LogTail, IsTheLastLinesAndThePositionBehindThem) {
  log_.text = "one\ntwo\nthree\n";
  log_.page_bytes = 5;
  for (const auto& [lines, text] :
       std::initializer_list<std::pair<int64_t, const char*>>{{0, ""},
                                                              {1, "three\n"},
                                                              {2, "two\nthree\n"},
                                                              {3, "one\ntwo\nthree\n"},
                                                              {9, "one\ntwo\nthree\n"}}) {
    const auto tail = Read(lines);
    ASSERT_TRUE(tail) << tail.error().ToString();
    EXPECT_EQ(tail->bytes, text);
    EXPECT_EQ(tail->next, "14");
  }
  EXPECT_EQ(Read(9, "4")->bytes, "two\nthree\n");
  EXPECT_EQ(Read(1, "4")->bytes, "three\n");
  EXPECT_EQ(Read(0, "14")->next, "14");
}

TEST_F(LogTail, OfAnEmptyLogIsEmpty) {
  const auto tail = Read(5);
  ASSERT_TRUE(tail);
  EXPECT_EQ(tail->bytes, "");
  EXPECT_EQ(tail->next, "0");
}

TEST_F(LogTail, HasWholeLinesWithinItsBound) {
  while (log_.text.size() < 5 << 20) log_.text += "line " + std::to_string(log_.text.size()) + "\n";
  const auto tail = Read(100'000);
  ASSERT_TRUE(tail) << tail.error().ToString();
  EXPECT_LE(tail->bytes.size(), static_cast<size_t>(kLogTailBytesMax));
  EXPECT_GT(tail->bytes.size(), static_cast<size_t>(kLogTailBytesMax) - 100);
  EXPECT_TRUE(tail->bytes.starts_with("line ")) << tail->bytes.substr(0, 20);
  EXPECT_TRUE(log_.text.ends_with(tail->bytes));
  log_.text.assign(5 << 20, 'x');
  EXPECT_EQ(Read(1)->bytes.size(), static_cast<size_t>(kLogTailBytesMax)) << "one endless line";
}

TEST_F(LogTail, OfALogThatGrowsAllTheTimeEnds) {
  log_.text = "one\n";
  log_.grows = "more\n";
  const auto tail = Read(1);
  ASSERT_TRUE(tail) << tail.error().ToString();
  EXPECT_EQ(tail->bytes, "more\n");
  EXPECT_LE(log_.reads, 64);
}

TEST_F(LogTail, OfALogThatIsTooLongIsRefused) {
  log_.text.assign((64 << 20) + 1, 'x');
  const auto tail = Read(1);
  ASSERT_FALSE(tail);
  EXPECT_EQ(tail.error().code(), a4c::Code::kUnsupported);
  EXPECT_NE(tail.error().message().find("64 MiB"), std::string::npos);
}

}  // namespace
}  // namespace a4cd
