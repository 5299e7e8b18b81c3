#include <vector>

#include "tests/conformance/host/host_support.h"

namespace a4c::conformance {
namespace {

constexpr int kThreads = 16;

class HostProviderConcurrency : public HostTest {
 protected:
  void OnManyThreads(const std::function<void(int)>& body) {
    std::vector<std::unique_ptr<Thread>> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.push_back(
          TheRuntime().threads.Start("conformance", [&body, i](std::stop_token) { body(i); }));
    }
    for (auto& thread : threads) thread->Join();
  }
};

TEST_F(HostProviderConcurrency, ManyEnsureOneUnitAndExactlyOneExists) {
  const Unit unit = NewUnit();
  ASSERT_FALSE(Listed(unit));
  std::vector<Result<UnitStatus>> results(kThreads, Error(Code::kInternal, "did not run"));
  OnManyThreads([&](int i) { results[i] = provider().Ensure(Within(120'000), unit); });
  const auto last = Ensure(unit);
  ASSERT_TRUE(last) << last.error().ToString();
  EXPECT_EQ(last->state, UnitState::kRunning);
  for (const auto& result : results) {
    ASSERT_TRUE(result) << result.error().ToString();
    EXPECT_EQ(result->state, UnitState::kRunning) << result->reason;
    EXPECT_EQ(result->started_at_ms, last->started_at_ms);
  }
  const auto listed = provider().List(Within(), host());
  ASSERT_TRUE(listed) << listed.error().ToString();
  int count = 0;
  for (const UnitStatus& status : *listed) count += status.name == unit.name ? 1 : 0;
  EXPECT_EQ(count, 1);
}

TEST_F(HostProviderConcurrency, ManyEnsureUnitsOfTheirOwn) {
  std::vector<Unit> units;
  for (int i = 0; i < kThreads; ++i) units.push_back(NewUnit());
  std::vector<Result<UnitStatus>> results(kThreads, Error(Code::kInternal, "did not run"));
  OnManyThreads([&](int i) { results[i] = provider().Ensure(Within(120'000), units[i]); });
  for (int i = 0; i < kThreads; ++i) {
    ASSERT_TRUE(results[i]) << results[i].error().ToString();
    EXPECT_EQ(results[i]->name, units[i].name);
    EXPECT_EQ(results[i]->state, UnitState::kRunning) << results[i]->reason;
  }
  std::vector<Result<void>> removed(kThreads, Error(Code::kInternal, "did not run"));
  OnManyThreads([&](int i) {
    removed[i] = provider().Remove(Within(120'000), units[i].host, units[i].name, 1);
  });
  for (const auto& result : removed) EXPECT_TRUE(result) << result.error().ToString();
  for (const Unit& unit : units) EXPECT_FALSE(Listed(unit));
}

TEST_F(HostProviderConcurrency, OfManyEpochsTheHighestIsKept) {
  Unit unit = NewUnit();
  unit.epoch = 0;
  ASSERT_TRUE(Ensure(unit));
  OnManyThreads([&](int i) {
    Unit mine = unit;
    mine.epoch = i + 1;
    const auto result = provider().Ensure(Within(120'000), mine);
    EXPECT_TRUE(result || result.error().code() == Code::kConflict) << result.error().ToString();
  });
  const auto listed = Listed(unit);
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->epoch, kThreads);
}

TEST_F(HostProviderConcurrency, EnsureAndRemoveOfOneUnitEndInOneOfTheTwo) {
  const Unit unit = NewUnit();
  OnManyThreads([&](int i) {
    if (i % 2 == 0) {
      const auto ensured = provider().Ensure(Within(120'000), unit);
      EXPECT_TRUE(ensured || ensured.error().code() == Code::kConflict ||
                  ensured.error().unknown_outcome() || ensured.error().retryable())
          << ensured.error().ToString();
    } else {
      const auto removed = provider().Remove(Within(120'000), unit.host, unit.name, 1);
      EXPECT_TRUE(removed || removed.error().unknown_outcome()) << removed.error().ToString();
    }
  });
  ASSERT_TRUE(Remove(unit, 1));
  EXPECT_FALSE(Listed(unit));
  const auto status = Ensure(unit);
  ASSERT_TRUE(status) << status.error().ToString();
  EXPECT_EQ(status->state, UnitState::kRunning) << status->reason;
}

}  // namespace
}  // namespace a4c::conformance
