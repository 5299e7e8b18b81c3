#include "tests/conformance/host/host_support.h"

namespace a4c::conformance {
namespace {

class HostProviderEpochs : public HostTest {
 protected:
  Result<UnitStatus> EnsureAt(Unit unit, int64_t epoch) {
    unit.epoch = epoch;
    return Ensure(unit);
  }
  static void ExpectRefusedBelow(const Error& error, int64_t highest) {
    EXPECT_EQ(error.code(), Code::kConflict) << error.ToString();
    EXPECT_NE(error.message().find(std::to_string(highest)), std::string::npos) << error.message();
  }
};

TEST_F(HostProviderEpochs, ALowerEpochIsRefusedNamingTheHighest) {
  Unit unit = NewUnit();
  const auto first = EnsureAt(unit, 7003);
  ASSERT_TRUE(first) << first.error().ToString();
  unit.wanted = UnitWanted::kStopped;
  const auto lower = EnsureAt(unit, 7002);
  ASSERT_FALSE(lower);
  ExpectRefusedBelow(lower.error(), 7003);
  const auto listed = Listed(unit);
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->state, UnitState::kRunning) << "a refused call had an effect";
  EXPECT_EQ(listed->epoch, 7003);
}

TEST_F(HostProviderEpochs, AHigherEpochRaisesItAlsoWhereNothingElseChanges) {
  const Unit unit = NewUnit();
  const auto first = EnsureAt(unit, 7003);
  ASSERT_TRUE(first) << first.error().ToString();
  const auto higher = EnsureAt(unit, 7009);
  ASSERT_TRUE(higher) << higher.error().ToString();
  EXPECT_EQ(higher->epoch, 7009);
  EXPECT_EQ(higher->started_at_ms, first->started_at_ms);
  const auto between = EnsureAt(unit, 7005);
  ASSERT_FALSE(between);
  ExpectRefusedBelow(between.error(), 7009);
  const auto listed = Listed(unit);
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->epoch, 7009);
}

TEST_F(HostProviderEpochs, EpochsAreComparedAsNumbers) {
  const Unit unit = NewUnit();
  ASSERT_TRUE(EnsureAt(unit, 9));
  const auto higher = EnsureAt(unit, 10);
  ASSERT_TRUE(higher) << higher.error().ToString();
  const auto lower = EnsureAt(unit, 9);
  ASSERT_FALSE(lower);
  ExpectRefusedBelow(lower.error(), 10);
}

TEST_F(HostProviderEpochs, RemoveWithALowerEpochIsRefusedAndRemovesNothing) {
  const Unit unit = NewUnit();
  ASSERT_TRUE(EnsureAt(unit, 7003));
  const auto removed = Remove(unit, 7002);
  ASSERT_FALSE(removed);
  ExpectRefusedBelow(removed.error(), 7003);
  const auto listed = Listed(unit);
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->state, UnitState::kRunning);
}

TEST_F(HostProviderEpochs, RemoveWithARaisedEpochAsksForTheRaisedOne) {
  const Unit unit = NewUnit();
  ASSERT_TRUE(EnsureAt(unit, 7003));
  ASSERT_TRUE(EnsureAt(unit, 7004));
  const auto lower = Remove(unit, 7003);
  ASSERT_FALSE(lower);
  ExpectRefusedBelow(lower.error(), 7004);
  const auto equal = Remove(unit, 7004);
  EXPECT_TRUE(equal) << equal.error().ToString();
  EXPECT_FALSE(Listed(unit));
}

TEST_F(HostProviderEpochs, ARemovedUnitKeepsItsEpochWhereThereIsFencing) {
  const Unit unit = NewUnit();
  ASSERT_TRUE(EnsureAt(unit, 7003));
  ASSERT_TRUE(Remove(unit, 7008));
  const auto lower = EnsureAt(unit, 7004);
  if (Lacks("fencing")) {
    EXPECT_TRUE(lower) << lower.error().ToString();
    return;
  }
  ASSERT_FALSE(lower);
  ExpectRefusedBelow(lower.error(), 7008);
  EXPECT_FALSE(Listed(unit));
  const auto equal = EnsureAt(unit, 7008);
  EXPECT_TRUE(equal) << equal.error().ToString();
}

TEST_F(HostProviderEpochs, RemovingWhatNeverWasAlsoFences) {
  const Unit unit = NewUnit();
  ASSERT_TRUE(Remove(unit, 7008));
  const auto lower = EnsureAt(unit, 7004);
  EXPECT_EQ(lower.has_value(), Lacks("fencing"));
  if (!lower) ExpectRefusedBelow(lower.error(), 7008);
}

TEST_F(HostProviderEpochs, TheSameEpochOfAnotherClaimIsRefusedWhereThereIsFencing) {
  Unit unit = NewUnit();
  unit.claim = "claim-one";
  ASSERT_TRUE(EnsureAt(unit, 7003));
  ASSERT_TRUE(EnsureAt(unit, 7003)) << "the same claim again";
  Unit other = unit;
  other.claim = "claim-two";
  other.wanted = UnitWanted::kStopped;
  const auto refused = EnsureAt(other, 7003);
  const auto removed = provider().Remove(Within(), unit.host, unit.name, {7003, "claim-two"});
  if (Lacks("fencing")) return;
  ASSERT_FALSE(refused);
  ExpectRefusedBelow(refused.error(), 7003);
  ASSERT_FALSE(removed);
  ExpectRefusedBelow(removed.error(), 7003);
  const auto listed = Listed(unit);
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->state, UnitState::kRunning) << "a refused call had an effect";
  EXPECT_TRUE(EnsureAt(other, 7004));
}

TEST_F(HostProviderEpochs, AClaimThatIsNotToldIsAsGoodAsAny) {
  Unit unit = NewUnit();
  unit.claim = "claim-one";
  ASSERT_TRUE(EnsureAt(unit, 7003));
  unit.claim.clear();
  const auto untold = EnsureAt(unit, 7003);
  EXPECT_TRUE(untold) << untold.error().ToString();
  unit.claim = "claim-two";
  if (!Lacks("fencing")) {
    EXPECT_FALSE(EnsureAt(unit, 7003)) << "the untold one forgot the claim";
  }
}

}  // namespace
}  // namespace a4c::conformance
