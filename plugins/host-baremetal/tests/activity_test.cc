// HostActivity over a dockerd that is only pretended.
#include "a4c/host_activity.h"
#include "tests/engine_fixture.h"

namespace a4c::baremetal {
namespace {

constexpr const char* kStats = R"({"cpu_stats":{"cpu_usage":{"total_usage":7000000}}})";

class EngineActivity : public EngineTest {
 protected:
  Result<std::vector<UnitActivity>> Read(const std::vector<std::string>& units) {
    return provider_->As<HostActivity>()->Read(Soon(), "one", units);
  }
};

// A real one takes up to a second for an answer, and the same one for all that ask in it.
TEST_F(EngineActivity, AsksForSeveralAtOnceAndForNoMoreThanHalfOfItsConnectionsCarry) {
  engine_.SetAnswerToMany("/containers/c1/stats?", 2, kStats);
  const auto read = Read(std::vector<std::string>(6, "unit-1"));  // four connections are allowed
  ASSERT_TRUE(read) << read.error().ToString();
  ASSERT_EQ(read->size(), 6u);
  for (const UnitActivity& unit : *read) {
    EXPECT_EQ(unit.name, "unit-1");
    EXPECT_EQ(unit.cpu_ms, 7);
  }
  // All are given back.
  EXPECT_TRUE(Read({"unit-1", "unit-1"}));
}

TEST_F(EngineActivity, OneThatIsNotThereOrDoesNotRunIsLeftOut) {
  engine_.SetAnswer("GET /containers/c1/stats?", "200 OK", kStats);
  EXPECT_EQ(Read({"unit-1", "unit-2"})->size(), 1u);
  engine_.SetState("exited");
  EXPECT_TRUE(Read({"unit-1"})->empty());
}

}  // namespace
}  // namespace a4c::baremetal
