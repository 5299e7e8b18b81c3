#include <algorithm>

#include "a4c/host_activity.h"
#include "tests/conformance/host/host_support.h"

namespace a4c::conformance {
namespace {

class HostProviderActivity : public HostTest {
 protected:
  // Processor time; nothing if the unit is not told of.
  std::optional<int64_t> CpuMs(const Unit& unit) {
    const auto read = provider().As<HostActivity>()->Read(Within(), host(), {unit.name});
    EXPECT_TRUE(read) << read.error().ToString();
    if (!read || read->empty()) return std::nullopt;
    EXPECT_EQ(read->at(0).name, unit.name);
    return read->at(0).cpu_ms;
  }
};

TEST_F(HostProviderActivity, TheExtensionIsThereUnlessAbsent) {
  EXPECT_EQ(provider().As<HostActivity>() == nullptr, Absent("activity"));
}

TEST_F(HostProviderActivity, AUnitThatComputesUsesTheProcessorAndOneThatSleepsDoesNot) {
  if (Absent("activity")) return;
  const Unit busy = NewUnit({"sh", "-c", "while :; do :; done"});
  const Unit idle = NewUnit();
  ASSERT_TRUE(Ensure(idle));
  ASSERT_TRUE(Ensure(busy));
  EXPECT_TRUE(Eventually([&] { return CpuMs(busy).value_or(0) >= 500; }));
  const auto idle_ms = CpuMs(idle);
  ASSERT_TRUE(idle_ms);
  EXPECT_LT(*idle_ms, 250);
}

TEST_F(HostProviderActivity, AUnitThatRunsHasMemoryAndProcessesWithinItsLimits) {
  if (Absent("activity")) return;
  Unit unit = NewUnit();
  ASSERT_TRUE(Ensure(unit));
  UnitActivity use;
  EXPECT_TRUE(Eventually([&] {
    const auto read = provider().As<HostActivity>()->Read(Within(), host(), {unit.name});
    if (read && read->size() == 1) use = read->at(0);
    return use.memory_bytes > 0 && use.processes > 0;
  }));
  if (use.memory_limit_bytes > 0) {
    EXPECT_LE(use.memory_bytes, use.memory_limit_bytes);
  }
  EXPECT_GE(use.disk_used_bytes, 0);
}

TEST_F(HostProviderActivity, OnlyUnitsThatRunAreToldOf) {
  if (Absent("activity")) return;
  Unit unit = NewUnit();
  EXPECT_FALSE(CpuMs(unit)) << "there is none";
  ASSERT_TRUE(Ensure(unit));
  EXPECT_TRUE(CpuMs(unit));
  unit.wanted = UnitWanted::kStopped;
  ASSERT_TRUE(Ensure(unit));
  EXPECT_FALSE(CpuMs(unit)) << "it has stopped";
}

TEST_F(HostProviderActivity, AnUnknownHostIsNotFound) {
  if (Absent("activity")) return;
  const auto read = provider().As<HostActivity>()->Read(Within(), "nowhere", {"unit"});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), Code::kNotFound);
}

}  // namespace
}  // namespace a4c::conformance
