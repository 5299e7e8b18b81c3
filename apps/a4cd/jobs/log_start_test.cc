#include "apps/a4cd/jobs/log_start.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "a4c/json.h"
#include "a4c/memory.h"
#include "apps/a4cd/jobs/kinds.h"
#include "tests/support/fake_clock.h"

namespace a4cd {
namespace {

using a4c::Json;

TEST(LastLines, BeginBehindTheLineBeforeThem) {
  EXPECT_EQ(LastLines(1).Add("a\nb\nc\n"), 4u);
  EXPECT_EQ(LastLines(2).Add("a\nb\nc\n"), 2u);
  EXPECT_EQ(LastLines(2).Add("a\nb\nc"), 2u) << "a line that is not ended is one";
  EXPECT_EQ(LastLines(1).Add("a\n\n"), 2u) << "so is an empty one";
  EXPECT_EQ(LastLines(0).Add("a\nb\n"), 4u);
  EXPECT_FALSE(LastLines(3).Add("a\nb\nc\n")) << "there is none before them";
  EXPECT_FALSE(LastLines(1).Add(""));
}

TEST(LastLines, AreFoundWhereverTheTextIsCut) {
  const std::string text = "one\ntwo\n\nfour\nfive";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    LastLines lines(3);  // "", four, five
    const auto late = lines.Add(std::string_view(text).substr(cut));
    const auto early = late ? std::nullopt : lines.Add(std::string_view(text).substr(0, cut));
    const size_t at = late ? cut + *late : early.value_or(99);
    EXPECT_EQ(text.substr(std::min(at, text.size())), "\nfour\nfive") << cut;
  }
}

class JobLogStart : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(database_.Open(fake_.Within(10'000), AllCollections())); }

  void Log(int64_t seq, const std::string& text, int64_t at_ms) {
    Json body(Json::Object{{"job", "j"}, {"seq", seq}, {"text", text}});
    if (at_ms >= 0) body.AppendMember("at", at_ms);
    const a4c::RecordRef ref{"log_chunk", {"acme", "j/" + std::to_string(seq)}};
    const auto done =
        database_.Write(fake_.Within(10'000), {.changes = {{.ref = ref, .body = body.ToString()}}});
    ASSERT_TRUE(done) << done.error().ToString();
  }
  // "seq+skip"
  std::string Start(const LogCut& cut) {
    const auto start = FindLogStart(fake_.Within(10'000), database_, "acme", "j", cut);
    return start ? std::to_string(start->seq) + "+" + std::to_string(start->skip)
                 : start.error().ToString();
  }

  a4c::testing::FakeRuntime fake_{1};
  const std::unique_ptr<a4c::Store> store_ = a4c::NewMemoryStore(fake_.runtime());
  a4c::Database database_{{.store = *store_}, fake_.runtime()};
};

TEST_F(JobLogStart, IsWithinAChunkWhereLinesAreWanted) {
  EXPECT_EQ(Start({.lines = 5}), "0+0") << "there is nothing yet";
  Log(0, "one\ntw", 100);
  Log(1, "o\nthree\n", 200);
  EXPECT_EQ(Start({.lines = 0}), "1+8");
  EXPECT_EQ(Start({.lines = 1}), "1+2");
  EXPECT_EQ(Start({.lines = 2}), "0+4") << "a line may lie in two chunks";
  EXPECT_EQ(Start({.lines = 3}), "0+0");
  EXPECT_EQ(Start({.lines = 100'000}), "0+0");
}

TEST_F(JobLogStart, IsTheFirstChunkSinceATime) {
  EXPECT_EQ(Start({.since_ms = 100}), "0+0");
  Log(0, "one\n", 100);
  Log(1, "two\n", 200);
  Log(2, "three\n", 300);
  EXPECT_EQ(Start({.since_ms = 50}), "0+0");
  EXPECT_EQ(Start({.since_ms = 200}), "1+0");
  EXPECT_EQ(Start({.since_ms = 201}), "2+0");
  EXPECT_EQ(Start({.since_ms = 301}), "3+0") << "only what comes";
  EXPECT_EQ(Start({.lines = 1, .since_ms = 200}), "1+4") << "both hold";
  EXPECT_EQ(Start({.lines = 3, .since_ms = 200}), "1+0");
}

TEST_F(JobLogStart, IsNotGuessedWhereNoTimeWasKept) {
  Log(0, "old\n", -1);
  Log(1, "new\n", 200);
  EXPECT_EQ(Start({.since_ms = 201}), "2+0") << "the old one is not reached";
  EXPECT_NE(Start({.since_ms = 100}).find("kept no times"), std::string::npos);
  EXPECT_EQ(Start({.lines = 2}), "0+0");
}

TEST_F(JobLogStart, OfALongLogIsFoundBeyondOnePageOfIt) {
  for (int64_t seq = 0; seq < 50; ++seq) Log(seq, "a\nb\n", seq);
  EXPECT_EQ(Start({.lines = 81}), "9+2");
  EXPECT_EQ(Start({.since_ms = 3}), "3+0");
}

}  // namespace
}  // namespace a4cd
