#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "a4c/query.h"

namespace a4c {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Words, AreLowerCaseSegmentsWithLettersOrNumbers) {
  EXPECT_THAT(
      Words("Connection REFUSED: 10.0.0.1:8080, can't (retry) -- a_b C++"),
      ElementsAre("connection", "refused", "10.0.0.1", "8080", "can't", "retry", "a_b", "c"));
}

TEST(Words, WithoutLettersOrNumbersThereAreNone) {
  EXPECT_THAT(Words(""), IsEmpty());
  EXPECT_THAT(Words(" \t\n--- ... ___ !? \xF0\x9F\x98\x80"), IsEmpty());
}

TEST(Words, OfOtherScriptsAreLowerCaseAndNotFolded) {
  EXPECT_THAT(Words("ÄRGER Straße naïve ΟΔΥΣΣΕΥΣ Привет"),
              ElementsAre("ärger", "straße", "naïve", "οδυσσευς", "привет"));
  EXPECT_THAT(Words("cafe\xCC\x81"), ElementsAre("cafe\xCC\x81"));
}

TEST(Words, OfChineseAreSegmented) {
  EXPECT_GT(Words("北京大学生前来应聘").size(), 1u);
}

TEST(Words, InvalidBytesSeparateWords) {
  EXPECT_THAT(Words("good\xFF\xFE"
                    "bad\xC3"),
              ElementsAre("good", "bad"));
  EXPECT_THAT(Words(std::string_view("a\0b", 3)), ElementsAre("a", "b"));
}

TEST(Words, AreCutAt255BytesOfWholeCharacters) {
  EXPECT_EQ(Words(std::string(10'000, 'x')).at(0).size(), 255u);
  std::string umlauts;
  for (int i = 0; i < 1000; ++i) umlauts += "Ä";
  const std::string word = Words(umlauts).at(0);
  EXPECT_EQ(word.size(), 254u);
  EXPECT_TRUE(word.ends_with("ä"));
}

TEST(Words, OfALongTextAreAllThere) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "w" + std::to_string(i) + (i % 2 ? "\n" : ", ");
  const auto words = Words(text);
  ASSERT_EQ(words.size(), 20'000u);
  EXPECT_EQ(words.back(), "w19999");
}

}  // namespace
}  // namespace a4c
