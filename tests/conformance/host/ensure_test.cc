#include <algorithm>

#include "tests/conformance/host/host_support.h"

namespace a4c::conformance {
namespace {

class HostProviderEnsure : public HostTest {};

TEST_F(HostProviderEnsure, CreatesAndStarts) {
  const Unit unit = NewUnit();
  const auto status = Ensure(unit);
  ASSERT_TRUE(status) << status.error().ToString();
  EXPECT_EQ(status->host, unit.host);
  EXPECT_EQ(status->name, unit.name);
  EXPECT_EQ(status->epoch, 1);
  EXPECT_EQ(status->state, UnitState::kRunning) << status->reason;
  EXPECT_GT(status->started_at_ms, 0);
  EXPECT_FALSE(status->exit_code);
}

TEST_F(HostProviderEnsure, TheSameAgainChangesNothing) {
  const Unit unit = NewUnit();
  const auto first = Ensure(unit);
  ASSERT_TRUE(first) << first.error().ToString();
  const auto second = Ensure(unit);
  ASSERT_TRUE(second) << second.error().ToString();
  EXPECT_EQ(second->state, UnitState::kRunning) << second->reason;
  EXPECT_EQ(second->started_at_ms, first->started_at_ms);
}

TEST_F(HostProviderEnsure, WantedStoppedOfANewUnitCreatesItWithoutStarting) {
  Unit unit = NewUnit();
  unit.wanted = UnitWanted::kStopped;
  const auto status = Ensure(unit);
  ASSERT_TRUE(status) << status.error().ToString();
  EXPECT_EQ(status->state, UnitState::kCreated) << status->reason;
  EXPECT_EQ(status->started_at_ms, 0);
}

TEST_F(HostProviderEnsure, StopsAndStopsOnlyOnce) {
  Unit unit = NewUnit();
  const auto running = Ensure(unit);
  ASSERT_TRUE(running) << running.error().ToString();
  unit.wanted = UnitWanted::kStopped;
  const auto stopped = Ensure(unit);
  ASSERT_TRUE(stopped) << stopped.error().ToString();
  EXPECT_EQ(stopped->state, UnitState::kStopped) << stopped->reason;
  ASSERT_TRUE(stopped->exit_code);
  EXPECT_GE(*stopped->exit_code, 128);  // ended by a signal
  const auto again = Ensure(unit);
  ASSERT_TRUE(again) << again.error().ToString();
  EXPECT_EQ(again->state, UnitState::kStopped);
  EXPECT_EQ(again->exit_code, stopped->exit_code);
  EXPECT_EQ(again->started_at_ms, stopped->started_at_ms);
}

TEST_F(HostProviderEnsure, StartsAgainWhatWasStopped) {
  Unit unit = NewUnit();
  ASSERT_TRUE(Ensure(unit));
  unit.wanted = UnitWanted::kStopped;
  ASSERT_TRUE(Ensure(unit));
  unit.wanted = UnitWanted::kRunning;
  const auto status = Ensure(unit);
  ASSERT_TRUE(status) << status.error().ToString();
  EXPECT_EQ(status->state, UnitState::kRunning) << status->reason;
  EXPECT_FALSE(status->exit_code);
}

TEST_F(HostProviderEnsure, TheSpecOfAUnitThatExistsIsNotCompared) {
  Unit unit = NewUnit();
  const auto first = Ensure(unit);
  ASSERT_TRUE(first) << first.error().ToString();
  unit.spec.command = {"true"};
  unit.spec.env = {{"NEW", "1"}};
  const auto second = Ensure(unit);
  ASSERT_TRUE(second) << second.error().ToString();
  EXPECT_EQ(second->state, UnitState::kRunning);
  EXPECT_EQ(second->started_at_ms, first->started_at_ms);
}

TEST_F(HostProviderEnsure, LabelsComeBackAsTheyWereGiven) {
  Unit unit = NewUnit();
  unit.labels = {{"a4c.workspace", "01890000-0000-7000-8000-000000000000"},
                 {"empty", ""},
                 {"equals", "a=b,c=d;e"},
                 {"quotes", "\"double\" 'single' \\back\\ `tick` $HOME"},
                 {"lines", "one\ntwo\r\n\tthree"},
                 {"words", "\xc3\xa4\xc3\xb6\xc3\xbc \xe2\x82\xac \xf0\x9f\x9a\x80"},
                 {"key with spaces/and:more", "x"},
                 {"long", std::string(4096, 'l')}};
  const auto status = Ensure(unit);
  ASSERT_TRUE(status) << status.error().ToString();
  EXPECT_EQ(status->labels, unit.labels);
  const auto listed = Listed(unit);
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->labels, unit.labels);
}

TEST_F(HostProviderEnsure, AnUnknownImageIsNotFoundAndLeavesNothing) {
  Unit unit = NewUnit();
  unit.spec.image = "a4c-no-such-image:none";
  const auto status = Ensure(unit);
  ASSERT_FALSE(status);
  const Code expected = Absent("images") ? Code::kUnsupported : Code::kNotFound;
  EXPECT_EQ(status.error().code(), expected) << status.error().ToString();
  EXPECT_FALSE(Listed(unit));
}

TEST_F(HostProviderEnsure, AUnitWithoutImageNeedsThatCapability) {
  Unit unit = NewUnit();
  unit.spec.image.clear();
  const auto status = Ensure(unit);
  if (Absent("image_less")) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), Code::kUnsupported) << status.error().ToString();
    EXPECT_FALSE(Listed(unit));
  } else {
    EXPECT_TRUE(status) << status.error().ToString();
  }
}

TEST_F(HostProviderEnsure, ACommandThatIsNotThereIsAStateOfTheUnitAndNoError) {
  const Unit unit = NewUnit({"/a4c/no/such/program"});
  const auto status = Ensure(unit);
  ASSERT_TRUE(status) << status.error().ToString();
  UnitStatus listed;
  EXPECT_TRUE(Eventually([&] {
    listed = Listed(unit).value_or(UnitStatus{});
    return listed.state == UnitState::kBroken || listed.state == UnitState::kStopped;
  }));
  if (listed.state == UnitState::kBroken) {
    EXPECT_NE(listed.reason, "");
  } else {
    EXPECT_TRUE(listed.exit_code == 126 || listed.exit_code == 127);
  }
  const auto removed = Remove(unit, 1);
  EXPECT_TRUE(removed) << removed.error().ToString();
  EXPECT_FALSE(Listed(unit));
}

TEST_F(HostProviderEnsure, TheUnitIsSeenByAnotherInstance) {
  const Unit unit = NewUnit();
  const auto status = Ensure(unit);
  ASSERT_TRUE(status) << status.error().ToString();
  const auto other = Make<HostProvider>();
  const auto listed = other->List(Within(), host());
  ASSERT_TRUE(listed) << listed.error().ToString();
  const bool seen = std::ranges::any_of(
      *listed, [&](const UnitStatus& found) { return found.name == unit.name; });
  EXPECT_EQ(seen, !Absent("shared_instances"));
  if (!seen) return;
  const auto again = other->Ensure(Within(), unit);
  ASSERT_TRUE(again) << again.error().ToString();
  EXPECT_EQ(again->started_at_ms, status->started_at_ms);
}

}  // namespace
}  // namespace a4c::conformance
