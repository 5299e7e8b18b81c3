#include "a4c/host_description.h"
#include "tests/conformance/host/host_support.h"

namespace a4c::conformance {
namespace {

class HostProviderDescription : public HostTest {
 protected:
  Result<Unit> Describe(const Unit& unit) {
    return provider().As<HostDescription>()->Describe(Within(), unit.host, unit.name);
  }
};

TEST_F(HostProviderDescription, TheExtensionIsThereUnlessAbsent) {
  EXPECT_EQ(provider().As<HostDescription>() == nullptr, Absent("description"));
}

TEST_F(HostProviderDescription, AUnitIsDescribedAsItWasAskedFor) {
  if (Absent("description")) return;
  Unit unit = NewUnit();
  unit.labels = {{"a4c.workspace", "7"}, {"team", "infra"}};
  unit.spec.env = {{"NAME", "a=b c"}};
  unit.spec.memory_bytes = 64 << 20;
  unit.spec.pids = 50;
  unit.spec.disk_bytes = 16 << 20;
  unit.epoch = 3;
  ASSERT_TRUE(Ensure(unit));
  unit.epoch = 4;
  ASSERT_TRUE(Ensure(unit));
  auto described = Describe(unit);
  ASSERT_TRUE(described) << described.error().ToString();
  EXPECT_EQ(described->host, unit.host);
  EXPECT_EQ(described->name, unit.name);
  EXPECT_EQ(described->epoch, 4);
  EXPECT_EQ(described->labels, unit.labels);
  EXPECT_EQ(described->spec.image, unit.spec.image);
  EXPECT_EQ(described->spec.command, unit.spec.command);
  EXPECT_EQ(described->spec.env.at("NAME"), "a=b c");
  EXPECT_EQ(described->spec.memory_bytes, unit.spec.memory_bytes);
  EXPECT_EQ(described->spec.pids, unit.spec.pids);
  EXPECT_EQ(described->wanted, UnitWanted::kRunning);
  unit.wanted = UnitWanted::kStopped;
  ASSERT_TRUE(Ensure(unit));
  described = Describe(unit);
  ASSERT_TRUE(described);
  EXPECT_EQ(described->wanted, UnitWanted::kStopped);
}

TEST_F(HostProviderDescription, AUnitThatIsNotThereIsNotFound) {
  if (Absent("description")) return;
  const auto described = Describe(NewUnit());
  ASSERT_FALSE(described);
  EXPECT_EQ(described.error().code(), Code::kNotFound);
}

}  // namespace
}  // namespace a4c::conformance
