#include "fences.h"

#include <gtest/gtest.h>

#include <fstream>

#include "temporary_directory.h"

namespace a4c::helper {
namespace {

class HelperFences : public ::testing::Test {
 protected:
  Result<void> Raise(const Fence& fence) {
    const auto lock = UnitLock::Take(directory_.path(), "ws-1", 1'000);
    EXPECT_TRUE(lock) << lock.error().message();
    return lock->Raise(fence);
  }
  void ExpectRefused(const Fence& fence, const std::string& highest) {
    const auto raised = Raise(fence);
    ASSERT_FALSE(raised);
    EXPECT_EQ(raised.error().code(), Code::kConflict);
    EXPECT_NE(raised.error().message().find(highest), std::string::npos)
        << raised.error().message();
  }
  const TemporaryDirectory directory_;
};

TEST_F(HelperFences, ALowerEpochIsRefusedNamingTheHighest) {
  ASSERT_TRUE(Raise({7003, "one"}));
  ExpectRefused({7002, "one"}, "7003");
  EXPECT_TRUE(Raise({7003, "one"}));
  EXPECT_TRUE(Raise({7004, "two"}));
  ExpectRefused({7003, "one"}, "7004");
}

TEST_F(HelperFences, TheSameEpochOfAnotherClaimIsRefused) {
  ASSERT_TRUE(Raise({7003, "one"}));
  ExpectRefused({7003, "two"}, "7003");
  EXPECT_TRUE(Raise({7003, ""})) << "one that is not told is as good as any";
  ExpectRefused({7003, "two"}, "7003");
}

TEST_F(HelperFences, AClaimThatIsToldLaterIsKept) {
  ASSERT_TRUE(Raise({7003, ""}));
  ASSERT_TRUE(Raise({7003, "one"}));
  ExpectRefused({7003, "two"}, "7003");
}

TEST_F(HelperFences, EpochsAreComparedAsNumbersAndClaimsMayGetShorter) {
  ASSERT_TRUE(Raise({9, "a-long-claim-of-the-ninth"}));
  ASSERT_TRUE(Raise({10, "b"}));
  ExpectRefused({9, "a-long-claim-of-the-ninth"}, "10");
  ExpectRefused({10, "c"}, "10");
}

TEST_F(HelperFences, OneHolderAtATime) {
  auto first = UnitLock::Take(directory_.path(), "ws-1", 0);
  ASSERT_TRUE(first);
  const auto second = UnitLock::Take(directory_.path(), "ws-1", 30);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::kUnavailable);
  EXPECT_TRUE(UnitLock::Take(directory_.path(), "ws-2", 0)) << "another unit waits for nobody";
}

TEST_F(HelperFences, ADamagedFileRefusesEverybody) {
  std::ofstream(directory_.path() + "/ws-1") << "not a number\n";
  const auto raised = Raise({7003, "one"});
  ASSERT_FALSE(raised);
  EXPECT_EQ(raised.error().code(), Code::kInternal);
}

TEST_F(HelperFences, WhatIsWrittenIsRead) {
  for (const Fence& fence : {Fence{0, ""}, Fence{7, "x"}, Fence{INT64_MAX, "claim-1"}}) {
    const auto read = DecodeFence(EncodeFence(fence));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->epoch, fence.epoch);
    EXPECT_EQ(read->claim, fence.claim);
  }
  for (const char* text : {"", "\n", " x\n", "12", "12x\n", "12 claim"}) {
    EXPECT_FALSE(DecodeFence(text)) << text;
  }
}

}  // namespace
}  // namespace a4c::helper
