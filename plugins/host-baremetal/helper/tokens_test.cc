#include "tokens.h"

#include <gtest/gtest.h>

#include "temporary_directory.h"

namespace a4c::helper {
namespace {

constexpr const char* kFirst = "firsttoken000000";
constexpr const char* kSecond = "secondtoken00000";
constexpr const char* kThird = "thirdtoken000000";
constexpr const char* kOther = "anothertoken0000";

class HelperTokens : public ::testing::Test {
 protected:
  bool Denied(const Result<void>& result) {
    return !result && result.error().code() == Code::kDenied;
  }
  const TemporaryDirectory directory_;
  const Tokens tokens_{directory_.path() + "/token"};
};

TEST_F(HelperTokens, WithoutOneEverybodyMayAct) {
  EXPECT_TRUE(tokens_.Allow(""));
  EXPECT_TRUE(tokens_.Allow(kFirst));
}

TEST_F(HelperTokens, BothHalvesOfAStepMayActAndNobodyElse) {
  ASSERT_TRUE(tokens_.Adopt(kFirst));
  ASSERT_TRUE(tokens_.Present(kFirst, kSecond));
  EXPECT_TRUE(tokens_.Allow(kFirst));
  EXPECT_TRUE(tokens_.Allow(kSecond));
  EXPECT_TRUE(Denied(tokens_.Allow("")));
  EXPECT_TRUE(Denied(tokens_.Allow(kOther)));
  ASSERT_TRUE(tokens_.Present(kSecond, kThird));
  EXPECT_TRUE(Denied(tokens_.Allow(kFirst))) << "two steps back";
}

TEST_F(HelperTokens, AStepMayBeRepeatedButNotTakenTwice) {
  ASSERT_TRUE(tokens_.Adopt(kFirst));
  ASSERT_TRUE(tokens_.Present(kFirst, kSecond));
  EXPECT_TRUE(tokens_.Present(kFirst, kSecond));
  EXPECT_TRUE(Denied(tokens_.Present(kFirst, kOther)));
  ASSERT_TRUE(tokens_.Present(kSecond, kThird));
  EXPECT_TRUE(Denied(tokens_.Present(kFirst, kSecond)));
}

TEST_F(HelperTokens, AdoptingNoneAsksForNoneAgain) {
  ASSERT_TRUE(tokens_.Adopt(kFirst));
  ASSERT_TRUE(tokens_.Adopt(""));
  EXPECT_TRUE(tokens_.Allow(""));
  EXPECT_TRUE(tokens_.Adopt(""));
  EXPECT_TRUE(Denied(tokens_.Present(kFirst, kSecond))) << "presenting is no enrolment";
}

}  // namespace
}  // namespace a4c::helper
