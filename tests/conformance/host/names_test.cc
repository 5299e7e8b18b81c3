#include "tests/conformance/host/host_support.h"

namespace a4c::conformance {
namespace {

class HostProviderNames : public HostTest {};

TEST_F(HostProviderNames, NamesOutOfFormAreRefusedByEveryMethod) {
  const std::string names[] = {"",
                               "a",
                               "..",
                               "../etc",
                               "/etc/passwd",
                               "a/../../b",
                               "with space",
                               "-leads",
                               ".leads",
                               "new\nline",
                               "semi;colon",
                               "\xc3\xa4\xc3\xa4",
                               "per%2fcent",
                               std::string(129, 'n'),
                               std::string("nul\0nul", 7)};
  for (const std::string& name : names) {
    Unit unit = NewUnit();
    unit.name = name;
    const auto ensured = provider().Ensure(Within(), unit);
    ASSERT_FALSE(ensured) << name;
    EXPECT_EQ(ensured.error().code(), Code::kInvalid) << name;
    const auto removed = provider().Remove(Within(), host(), name, 1);
    ASSERT_FALSE(removed) << name;
    EXPECT_EQ(removed.error().code(), Code::kInvalid) << name;
  }
}

TEST_F(HostProviderNames, TheLongestNameAndAllItsCharactersWork) {
  Unit unit = NewUnit();
  unit.name += "_A.b-9";
  unit.name += std::string(128 - unit.name.size(), 'z');
  const auto status = Ensure(unit);
  ASSERT_TRUE(status) << status.error().ToString();
  EXPECT_EQ(status->name, unit.name);
  EXPECT_TRUE(Listed(unit));
}

TEST_F(HostProviderNames, NamesThatBeginAlikeAreDifferentUnits) {
  Unit longer = NewUnit();
  Unit shorter = longer;
  longer.name += ".1";
  ASSERT_TRUE(Ensure(longer));
  const auto status = Ensure(shorter);
  ASSERT_TRUE(status) << status.error().ToString();
  ASSERT_TRUE(Remove(shorter, 1));
  EXPECT_FALSE(Listed(shorter));
  const auto listed = Listed(longer);
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->state, UnitState::kRunning);
}

TEST_F(HostProviderNames, ANameOfHexadecimalDigitsIsAName) {
  Unit unit = NewUnit();
  unit.name = "ab";  // what could be taken for the beginning of an id
  const auto removed = Remove(unit, 1);
  ASSERT_TRUE(removed) << removed.error().ToString();
  EXPECT_FALSE(Listed(unit));
}

TEST_F(HostProviderNames, LabelsOfTheProviderAreRefused) {
  Unit unit = NewUnit();
  unit.labels = {{"a4c.epoch", "1000000"}};
  const auto status = Ensure(unit);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kInvalid) << status.error().ToString();
}

}  // namespace
}  // namespace a4c::conformance
