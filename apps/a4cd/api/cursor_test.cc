#include "apps/a4cd/api/cursor.h"

#include <gtest/gtest.h>

namespace a4cd {
namespace {

TEST(Cursor, BringsItsPositionBack) {
  const std::string position("a\0b\xff", 4);
  const auto decoded = DecodeCursor("jobs", EncodeCursor("jobs", position));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, position);
}

TEST(Cursor, OfAnotherListIsRefused) {
  EXPECT_FALSE(DecodeCursor("tenant b\njobs", EncodeCursor("tenant a\njobs", "x")));
}

TEST(Cursor, ThatIsNoneIsRefused) {
  for (const char* text : {"x", "!!!!", "AAAAAAAAAAAAAAAAAAAAAAAA"}) {
    EXPECT_FALSE(DecodeCursor("jobs", text)) << text;
  }
  EXPECT_FALSE(DecodeCursor("jobs", std::string(100'000, 'A')));
}

TEST(Cursor, ThatIsEmptyIsTheBeginning) {
  const auto decoded = DecodeCursor("jobs", "");
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, "");
}

}  // namespace
}  // namespace a4cd
