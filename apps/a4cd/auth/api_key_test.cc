#include "apps/a4cd/auth/api_key.h"

#include <gtest/gtest.h>

#include "tests/support/seeded_random.h"

namespace a4cd {
namespace {

TEST(ApiKey, HasItsShapeAndChecksum) {
  a4c::testing::SeededRandom random(7);
  const std::string key = NewApiKey(random);
  EXPECT_TRUE(key.starts_with("a4c_"));
  EXPECT_EQ(key.size(), 4u + 44 + 1 + 6);
  EXPECT_TRUE(IsApiKey(key));
  EXPECT_NE(key, NewApiKey(random));
}

TEST(ApiKey, WithOneWrongLetterIsNone) {
  a4c::testing::SeededRandom random(7);
  const std::string key = NewApiKey(random);
  for (size_t i = 0; i < key.size(); ++i) {
    std::string wrong = key;
    wrong[i] = wrong[i] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(IsApiKey(wrong)) << wrong;
  }
  EXPECT_FALSE(IsApiKey(""));
  EXPECT_FALSE(IsApiKey(key + "x"));
}

TEST(ApiKey, IsKnownByAHashThatDoesNotShowIt) {
  a4c::testing::SeededRandom random(7);
  const std::string key = NewApiKey(random);
  const std::string hash = ApiKeyHash(key);
  EXPECT_EQ(hash.size(), 64u);
  EXPECT_TRUE(SameHash(hash, ApiKeyHash(key)));
  EXPECT_FALSE(SameHash(hash, ApiKeyHash(NewApiKey(random))));
  EXPECT_FALSE(SameHash(hash, hash.substr(1)));
  EXPECT_EQ(ApiKeyId(hash), "key_" + hash.substr(0, 32));
}

}  // namespace
}  // namespace a4cd
