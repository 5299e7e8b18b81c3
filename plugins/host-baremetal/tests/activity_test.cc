// HostActivity over a dockerd that is only pretended.
#include <atomic>
#include <stop_token>

#include "a4c/host_activity.h"
#include "tests/engine_fixture.h"

namespace a4c::baremetal {
namespace {

constexpr const char* kStats =
    R"({"cpu_stats":{"cpu_usage":{"total_usage":7000000}},"pids_stats":{"current":3},)"
    R"("memory_stats":{"usage":5000,"limit":9000,"stats":{"inactive_file":1500}}})";

class EngineActivity : public EngineTest {
 protected:
  Result<std::vector<UnitActivity>> Read(const std::vector<std::string>& units) {
    return provider_->As<HostActivity>()->Read(Soon(), "one", units);
  }
};

TEST_F(EngineActivity, MemoryIsThatWithoutFilesThatNobodyUses) {
  engine_.SetAnswer("GET /containers/c1/stats?", "200 OK", kStats);
  const auto read = Read({"unit-1"});
  ASSERT_TRUE(read) << read.error().ToString();
  ASSERT_EQ(read->size(), 1u);
  EXPECT_EQ(read->at(0).memory_bytes, 3500);
  EXPECT_EQ(read->at(0).memory_limit_bytes, 9000);
  EXPECT_EQ(read->at(0).processes, 3);
  EXPECT_EQ(read->at(0).disk_used_bytes, 0) << "it has no file system of its own";
  engine_.SetAnswer("GET /containers/c1/stats?", "200 OK",
                    R"({"memory_stats":{"usage":5000,"stats":{"total_inactive_file":2000}}})");
  EXPECT_EQ(Read({"unit-1"})->at(0).memory_bytes, 3000) << "as cgroups v1 name it";
}

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

// Each with half of the connections in hand and waiting for more would be all of them waiting.
TEST_F(EngineActivity, ManyWhoAskAtOnceDoNotWaitForEachOther) {
  engine_.SetAnswer("GET /containers/c1/stats?", "200 OK", kStats);
  std::atomic<int> answered = 0;
  std::vector<std::unique_ptr<Thread>> callers;
  for (int i = 0; i < 8; ++i) {
    callers.push_back(TestRuntime().threads.Start("caller", [&](const std::stop_token&) {
      for (int round = 0; round < 20; ++round) {
        const auto read = Read(std::vector<std::string>(4, "unit-1"));
        if (read && read->size() == 4) ++answered;
      }
    }));
  }
  for (auto& caller : callers) caller->Join();
  EXPECT_EQ(answered, 8 * 20);
}

TEST_F(EngineActivity, OneThatIsNotThereOrDoesNotRunIsLeftOut) {
  engine_.SetAnswer("GET /containers/c1/stats?", "200 OK", kStats);
  EXPECT_EQ(Read({"unit-1", "unit-2"})->size(), 1u);
  engine_.SetState("exited");
  EXPECT_TRUE(Read({"unit-1"})->empty());
}

}  // namespace
}  // namespace a4c::baremetal
