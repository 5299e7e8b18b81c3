#include "a4c/host_extensions.h"
#include "a4c/host_volumes.h"
#include "tests/conformance/host/host_support.h"

namespace a4c::conformance {
namespace {

class HostProviderVolumes : public HostTest {
 protected:
  // A unit that has written a note, and is stopped.
  Unit Original() {
    Unit unit = NewUnit({"sh", "-c", std::string(kEnter) + "echo kept > note; sleep 600"});
    EXPECT_TRUE(Ensure(unit));
    EXPECT_TRUE(Eventually([&] { return NoteIn(unit) == "kept\n"; }));
    unit.wanted = UnitWanted::kStopped;
    EXPECT_TRUE(Ensure(unit));
    return unit;
  }
  // One that was never started.
  Unit Receiver(const std::string& on) {
    Unit unit = NewUnit();
    unit.host = on;
    unit.wanted = UnitWanted::kStopped;
    const auto made = Ensure(unit);
    EXPECT_TRUE(made) << made.error().ToString();
    return unit;
  }
  Result<int64_t> Copy(const Unit& from, const Unit& to, int64_t epoch = 1) {
    return provider().As<HostVolumes>()->Copy(Within(),
                                              {from.host, from.name, to.host, to.name, epoch});
  }
  std::string NoteIn(const Unit& unit) {
    std::string output;
    const auto code =
        provider().As<HostExec>()->Run(Within(),
                                       {.host = unit.host,
                                        .unit = unit.name,
                                        .command = {"sh", "-c", std::string(kEnter) + "cat note"}},
                                       [&](std::string_view bytes) { output += bytes; });
    return code && *code == 0 ? output : "";
  }
};

TEST_F(HostProviderVolumes, TheExtensionIsThereUnlessAbsent) {
  EXPECT_EQ(provider().As<HostVolumes>() == nullptr, Absent("volumes"));
}

TEST_F(HostProviderVolumes, WhatAUnitKeepsIsCarriedToAnotherOnEachHost) {
  if (Absent("volumes")) return;
  const Unit original = Original();
  for (const std::string& on : {hosts().front(), hosts().back()}) {
    Unit copy = Receiver(on);
    const auto bytes = Copy(original, copy);
    ASSERT_TRUE(bytes) << bytes.error().ToString();
    EXPECT_GE(*bytes, 5);
    copy.wanted = UnitWanted::kRunning;
    ASSERT_TRUE(Ensure(copy));
    EXPECT_EQ(NoteIn(copy), "kept\n") << on;
  }
}

TEST_F(HostProviderVolumes, ACopyCanBeCopiedWithoutEverBeingStarted) {
  if (Absent("volumes")) return;
  const Unit kept = Receiver(host());
  ASSERT_TRUE(Copy(Original(), kept));
  Unit again = Receiver(host());
  ASSERT_TRUE(Copy(kept, again));
  again.wanted = UnitWanted::kRunning;
  ASSERT_TRUE(Ensure(again));
  EXPECT_EQ(NoteIn(again), "kept\n");
}

TEST_F(HostProviderVolumes, AUnitThatRunsIsNotCopied) {
  if (Absent("volumes")) return;
  Unit original = Original();
  original.wanted = UnitWanted::kRunning;
  ASSERT_TRUE(Ensure(original));
  const auto refused = Copy(original, Receiver(host()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kConflict) << refused.error().ToString();
}

TEST_F(HostProviderVolumes, NothingIsCopiedIntoAUnitThatWasStarted) {
  if (Absent("volumes")) return;
  const Unit original = Original();
  Unit other = NewUnit();
  ASSERT_TRUE(Ensure(other));
  EXPECT_EQ(Copy(original, other).error().code(), Code::kConflict);
  other.wanted = UnitWanted::kStopped;
  ASSERT_TRUE(Ensure(other));
  const auto refused = Copy(original, other);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kConflict) << refused.error().ToString();
}

TEST_F(HostProviderVolumes, ALowerEpochCopiesNothing) {
  if (Absent("volumes")) return;
  const Unit original = Original();
  Unit copy = Receiver(host());
  copy.epoch = 5;
  ASSERT_TRUE(Ensure(copy));
  const auto refused = Copy(original, copy, 4);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kConflict) << refused.error().ToString();
  EXPECT_TRUE(Copy(original, copy, 5));
}

TEST_F(HostProviderVolumes, UnitsThatAreNotThereAreNotFound) {
  if (Absent("volumes")) return;
  const Unit nobody = NewUnit();
  const Unit copy = Receiver(host());
  const auto from_nobody = Copy(nobody, copy);
  ASSERT_FALSE(from_nobody);
  EXPECT_EQ(from_nobody.error().code(), Code::kNotFound) << from_nobody.error().ToString();
  const auto to_nobody = Copy(copy, nobody);
  ASSERT_FALSE(to_nobody);
  EXPECT_EQ(to_nobody.error().code(), Code::kNotFound) << to_nobody.error().ToString();
}

}  // namespace
}  // namespace a4c::conformance
