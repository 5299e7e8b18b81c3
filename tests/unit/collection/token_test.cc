#include <gtest/gtest.h>

#include "a4c/collection.h"

namespace a4c {
namespace {

TEST(Token, RoundTripsAndTakesTheScopeFromTheCaller) {
  const Token token{{"photo", {"mine", "a.b/c"}}, 42};
  const auto parsed = ParseToken(TokenText(token), "theirs");
  ASSERT_TRUE(parsed) << parsed.error().ToString();
  EXPECT_EQ(parsed->ref.kind, "photo");
  EXPECT_EQ(parsed->ref.key.id, "a.b/c");
  EXPECT_EQ(parsed->ref.key.scope, "theirs");
  EXPECT_EQ(parsed->rev, 42);
}

TEST(Token, RefusesWhatIsNone) {
  for (const char* text : {"", "photo", "photo.1", "photo.x.a", "photo.0.a", "photo.-1.a",
                           "photo.1.", "photo.99999999999999999999.a"}) {
    EXPECT_FALSE(ParseToken(text, "s")) << text;
  }
}

}  // namespace
}  // namespace a4c
