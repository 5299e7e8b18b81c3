#include "tests/conformance/host/host_support.h"

namespace a4c::conformance {
namespace {

class HostProviderList : public HostTest {};

TEST_F(HostProviderList, ShowsUnitsInAllStates) {
  Unit created = NewUnit();
  created.wanted = UnitWanted::kStopped;
  const Unit running = NewUnit();
  const Unit exited = NewUnit({"sh", "-c", "exit 3"});
  const Unit succeeded = NewUnit({"true"});
  for (const Unit& unit : {created, running, exited, succeeded}) {
    const auto status = Ensure(unit);
    ASSERT_TRUE(status) << status.error().ToString();
  }
  EXPECT_EQ(WaitFor(exited, UnitState::kStopped).exit_code, 3);
  EXPECT_EQ(WaitFor(succeeded, UnitState::kStopped).exit_code, 0);
  EXPECT_EQ(WaitFor(running, UnitState::kRunning).exit_code, std::nullopt);
  EXPECT_EQ(WaitFor(created, UnitState::kCreated).exit_code, std::nullopt);
}

TEST_F(HostProviderList, SaysHostLabelsAndEpoch) {
  Unit unit = NewUnit();
  unit.labels = {{"a4c.workspace", "w"}};
  unit.epoch = 42;
  ASSERT_TRUE(Ensure(unit));
  const auto listed = Listed(unit);
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->host, host());
  EXPECT_EQ(listed->epoch, 42);
  EXPECT_EQ(listed->labels, unit.labels);
  EXPECT_GT(listed->started_at_ms, 0);
}

TEST_F(HostProviderList, AUnitIsListedOnItsOwnHostOnly) {
  const Unit unit = NewUnit();
  ASSERT_TRUE(Ensure(unit));
  const auto hosts = provider().Hosts(Within());
  ASSERT_TRUE(hosts) << hosts.error().ToString();
  for (const Host& other : *hosts) {
    if (!other.reachable || other.id == host()) continue;
    const auto listed = provider().List(Within(), other.id);
    ASSERT_TRUE(listed) << listed.error().ToString();
    for (const UnitStatus& status : *listed) EXPECT_NE(status.name, unit.name) << other.id;
  }
}

class HostProviderRemove : public HostTest {};

TEST_F(HostProviderRemove, RemovesARunningUnitAndTwiceIsFine) {
  const Unit unit = NewUnit();
  ASSERT_TRUE(Ensure(unit));
  const auto removed = Remove(unit, 1);
  ASSERT_TRUE(removed) << removed.error().ToString();
  EXPECT_FALSE(Listed(unit));
  const auto again = Remove(unit, 1);
  EXPECT_TRUE(again) << again.error().ToString();
}

TEST_F(HostProviderRemove, RemovesUnitsThatEndedOrNeverStarted) {
  Unit created = NewUnit();
  created.wanted = UnitWanted::kStopped;
  const Unit exited = NewUnit({"true"});
  ASSERT_TRUE(Ensure(created));
  ASSERT_TRUE(Ensure(exited));
  WaitFor(exited, UnitState::kStopped);
  for (const Unit& unit : {created, exited}) {
    const auto removed = Remove(unit, 1);
    EXPECT_TRUE(removed) << removed.error().ToString();
    EXPECT_FALSE(Listed(unit));
  }
}

// Its end says whether it found the note: `cat` of what is not there is 1.
TEST_F(HostProviderRemove, WhatTheUnitKeptGoesWithIt) {
  Unit unit = NewUnit({"sh", "-c", std::string(kEnter) + "echo kept > note; cat note"});
  ASSERT_TRUE(Ensure(unit));
  EXPECT_EQ(WaitFor(unit, UnitState::kStopped).exit_code, 0);
  ASSERT_TRUE(Remove(unit, 1));
  unit.spec.command = {"sh", "-c", std::string(kEnter) + "cat note"};
  ASSERT_TRUE(Ensure(unit));
  EXPECT_EQ(WaitFor(unit, UnitState::kStopped).exit_code, 1) << "the note is still there";
}

TEST_F(HostProviderRemove, WhatIsMadeAgainIsNew) {
  Unit unit = NewUnit();
  unit.labels = {{"generation", "1"}};
  ASSERT_TRUE(Ensure(unit));
  ASSERT_TRUE(Remove(unit, 1));
  unit.labels = {{"generation", "2"}};
  unit.wanted = UnitWanted::kStopped;
  const auto status = Ensure(unit);
  ASSERT_TRUE(status) << status.error().ToString();
  EXPECT_EQ(status->state, UnitState::kCreated);
  EXPECT_EQ(status->labels, unit.labels);
}

}  // namespace
}  // namespace a4c::conformance
