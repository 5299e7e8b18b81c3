#include "a4c/highlight.h"

#include <gtest/gtest.h>

#include "a4c/json.h"
#include "tests/unit/query/query_kind.h"

namespace a4c {
namespace {

// "title: Connection [refused] by peer | ...": fragments apart by |, matches in brackets.
std::string Highlighted(std::string_view text, std::string_view body,
                        const HighlightLimits& limits = {}) {
  const auto query = ParseQuery(text, QueryKind(), 0);
  EXPECT_TRUE(query) << text << ": " << query.error().ToString();
  std::string shown;
  for (const Highlight& highlight : HighlightsOf(*query, QueryKind(), body, limits)) {
    shown += (shown.empty() ? "" : "; ") + highlight.field + ": ";
    for (size_t i = 0; i < highlight.fragments.size(); ++i) {
      std::string marked = highlight.fragments[i].text;
      const auto& matches = highlight.fragments[i].matches;
      for (auto match = matches.rbegin(); match != matches.rend(); ++match) {
        marked.insert(match->offset + match->size, "]").insert(match->offset, "[");
      }
      shown += (i > 0 ? " | " : "") + marked;
    }
  }
  return shown;
}

constexpr const char* kBody =
    R"({"title":"Connection refused, by \u00c4rger!","error":"refused 10.0.0.1 refused"})";

TEST(Highlights, AreTheWordsThatMatchedInEveryText) {
  EXPECT_EQ(Highlighted("refused", kBody),
            "title: Connection [refused], by \u00c4rger!; error: [refused] 10.0.0.1 [refused]");
  EXPECT_EQ(Highlighted("title:(CONNECTION or nothing)", kBody),
            "title: [Connection] refused, by \u00c4rger!");
  EXPECT_EQ(Highlighted("title:\u00e4rger", kBody), "title: Connection refused, by [\u00c4rger]!");
  EXPECT_EQ(Highlighted("title:*fus*", kBody), "title: Connection [refused], by \u00c4rger!");
  EXPECT_EQ(Highlighted("error:10*", kBody), "error: refused [10.0.0.1] refused");
  EXPECT_EQ(Highlighted("state:x", kBody), "");
  EXPECT_EQ(Highlighted("title:*", kBody), "");
  EXPECT_EQ(Highlighted("refused", "{}"), "");
  EXPECT_EQ(Highlighted("refused", "no JSON"), "");
}

TEST(Highlights, OfAPhraseAreItsWordsWhereItStands) {
  const char* body = R"({"title":"a b, b a b c"})";
  EXPECT_EQ(Highlighted("title:\"a b\"", body), "title: [a] [b], b [a] [b] c");
  EXPECT_EQ(Highlighted("title:\"b b a\"", body), "title: a [b], [b] [a] b c");
  EXPECT_EQ(Highlighted("title:\"a c\"", body), "");
  EXPECT_EQ(Highlighted("title:\"x x\"", R"({"title":"x x x y x"})"), "title: [x] [x] [x] y x");
}

TEST(Highlights, LeaveOutWhatIsUnderANot) {
  EXPECT_EQ(Highlighted("not refused", kBody), "");
  EXPECT_EQ(Highlighted("not not title:refused", kBody),
            "title: Connection [refused], by \u00c4rger!");
  EXPECT_EQ(Highlighted("title:by and not refused", kBody),
            "title: Connection refused, [by] \u00c4rger!");
}

TEST(Highlights, OfALongTextAreFragmentsCutBetweenWords) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += i % 25 == 5 ? "needle " : "hay ";
  const std::string body = "{\"title\":\"" + text + "\"}";
  const HighlightLimits limits{.fragments_max = 2, .fragment_bytes = 20};
  EXPECT_EQ(Highlighted("title:needle", body, limits),
            "title: hay [needle] hay hay | hay [needle] hay hay");
  EXPECT_EQ(Highlighted("title:needle", "{\"title\":\"needle" + std::string(30, '.') + "needle\"}",
                        limits),
            "title: [needle] | [needle]");
}

TEST(Highlights, AreBounded) {
  const std::string word(1000, 'w');
  const HighlightLimits limits{.fragments_max = 1, .fragment_bytes = 10, .text_bytes_max = 1500};
  EXPECT_EQ(Highlighted("title:w*", "{\"title\":\"" + word + " w\"}", limits),
            "title: [" + std::string(10, 'w') + "]");
  EXPECT_EQ(Highlighted("title:x", "{\"title\":\"" + word + " " + word + " x\"}", limits), "");
}

TEST(Highlights, NeverCutACharacter) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "\xF0\x9F\x98\x80\u00e9 ";
  for (size_t bytes = 1; bytes < 40; ++bytes) {
    const auto query = ParseQuery("title:\u00e9", QueryKind(), 0);
    const auto highlights = HighlightsOf(*query, QueryKind(), "{\"title\":\"" + text + "\"}",
                                         {.fragments_max = 50, .fragment_bytes = bytes});
    ASSERT_EQ(highlights.size(), 1u) << bytes;
    for (const Fragment& fragment : highlights[0].fragments) {
      EXPECT_TRUE(IsUtf8(fragment.text)) << bytes;
      for (const TextSpan& match : fragment.matches) {
        EXPECT_TRUE(IsUtf8(fragment.text.substr(match.offset, match.size))) << bytes;
      }
    }
  }
}

}  // namespace
}  // namespace a4c
