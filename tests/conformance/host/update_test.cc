// A unit made anew of another spec keeps its files.
#include "a4c/host_extensions.h"
#include "a4c/host_update.h"
#include "tests/conformance/host/host_support.h"

namespace a4c::conformance {
namespace {

class HostProviderUpdate : public HostTest {
 protected:
  // A unit that runs and has written a note.
  Unit Original() {
    Unit unit = NewUnit({"sh", "-c", std::string(kEnter) + "echo kept > note; sleep 600"});
    unit.spec.env["ROUND"] = "one";
    EXPECT_TRUE(Ensure(unit));
    EXPECT_TRUE(Eventually([&] { return OutputOf(unit, "cat note") == "kept\n"; }));
    return unit;
  }
  // The same of another spec, in the name of the next holder.
  static Unit Changed(Unit unit) {
    unit.epoch += 1;
    unit.spec.command = {"sh", "-c", std::string(kEnter) + "echo $ROUND > round; sleep 600"};
    unit.spec.env["ROUND"] = "two";
    return unit;
  }
  Result<UnitStatus> Update(const Unit& unit) {
    return provider().As<HostUpdate>()->Update(Within(), unit);
  }
  std::string OutputOf(const Unit& unit, const std::string& command) {
    std::string output;
    const auto code =
        provider().As<HostExec>()->Run(Within(),
                                       {.host = unit.host,
                                        .unit = unit.name,
                                        .command = {"sh", "-c", std::string(kEnter) + command}},
                                       [&](std::string_view bytes) { output += bytes; });
    return code && *code == 0 ? output : "";
  }
};

TEST_F(HostProviderUpdate, TheExtensionIsThereUnlessAbsent) {
  EXPECT_EQ(provider().As<HostUpdate>() == nullptr, Absent("update"));
}

TEST_F(HostProviderUpdate, AUnitThatRunsIsMadeAnewKeepsItsFilesAndRuns) {
  if (Absent("update")) return;
  const Unit original = Original();
  const Unit changed = Changed(original);
  for (int twice = 0; twice < 2; ++twice) {
    const auto updated = Update(changed);
    ASSERT_TRUE(updated) << updated.error().ToString();
    EXPECT_EQ(updated->state, UnitState::kRunning) << updated->reason;
    EXPECT_EQ(updated->epoch, changed.epoch);
    EXPECT_TRUE(Eventually([&] { return OutputOf(changed, "cat round") == "two\n"; }))
        << "another command and another environment";
    EXPECT_EQ(OutputOf(changed, "cat note"), "kept\n");
  }
  EXPECT_TRUE(Remove(changed, changed.epoch));
}

TEST_F(HostProviderUpdate, AUnitThatIsStoppedStaysSoAndIsStartedOfItsNewSpec) {
  if (Absent("update")) return;
  Unit original = Original();
  original.wanted = UnitWanted::kStopped;
  ASSERT_TRUE(Ensure(original));
  Unit changed = Changed(original);
  const auto updated = Update(changed);
  ASSERT_TRUE(updated) << updated.error().ToString();
  EXPECT_NE(updated->state, UnitState::kRunning);
  changed.wanted = UnitWanted::kRunning;
  const auto started = Ensure(changed);
  ASSERT_TRUE(started) << started.error().ToString();
  EXPECT_EQ(started->state, UnitState::kRunning) << started->reason;
  EXPECT_TRUE(Eventually([&] { return OutputOf(changed, "cat round") == "two\n"; }));
  EXPECT_EQ(OutputOf(changed, "cat note"), "kept\n");
}

TEST_F(HostProviderUpdate, OneThatIsNotThereIsMade) {
  if (Absent("update")) return;
  const Unit unit = NewUnit();
  const auto made = Update(unit);
  ASSERT_TRUE(made) << made.error().ToString();
  EXPECT_EQ(made->state, UnitState::kRunning) << made->reason;
  EXPECT_TRUE(Remove(unit, unit.epoch));
}

TEST_F(HostProviderUpdate, AHolderOfALowerEpochChangesNothing) {
  if (Absent("update")) return;
  const Unit original = Original();
  Unit newer = original;
  newer.epoch = 5;
  ASSERT_TRUE(Ensure(newer));
  const auto updated = Update(Changed(original));
  ASSERT_FALSE(updated);
  EXPECT_EQ(updated.error().code(), Code::kConflict) << updated.error().ToString();
  EXPECT_EQ(Listed(original)->state, UnitState::kRunning);
  EXPECT_EQ(OutputOf(original, "cat round"), "") << "the command is still the first";
}

TEST_F(HostProviderUpdate, AnImageThatIsNotThereLeavesTheUnitAsItWas) {
  if (Absent("update") || Absent("images")) return;
  const Unit original = Original();
  Unit changed = Changed(original);
  changed.spec.image = "no-such-image:1";
  const auto updated = Update(changed);
  ASSERT_FALSE(updated);
  EXPECT_EQ(updated.error().code(), Code::kNotFound) << updated.error().ToString();
  EXPECT_EQ(Listed(original)->state, UnitState::kRunning);
  EXPECT_EQ(OutputOf(original, "cat note"), "kept\n");
}

}  // namespace
}  // namespace a4c::conformance
