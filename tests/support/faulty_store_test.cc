#include "tests/support/faulty_store.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "a4c/memory.h"
#include "tests/support/fake_clock.h"

namespace a4c::testing {
namespace {

class FaultyStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const Kind kind{.name = "thing"};
    ASSERT_TRUE(inner_->Ensure(fake_.Within(1'000), std::span(&kind, 1)));
  }

  static RecordRef Ref(int i) { return {"thing", {"", "id" + std::to_string(i)}}; }

  // Creates n things in one call, with the fault.
  Result<ApplyAnswer> Create(int n, FaultDraw draw) {
    std::vector<WriteBatch> batches;
    for (int i = 0; i < n; ++i) {
      batches.push_back({{Put{.ref = Ref(i), .body = "{}", .expect = Expect::Absent()}}});
    }
    const auto policy = NewScriptedFaults(fake_.runtime(), {{"Store.Apply", {draw}}});
    FaultyStore store(*inner_, *policy, fake_.runtime());
    return store.Apply(fake_.Within(1'000), batches);
  }

  bool Exists(int i) {
    const RecordRef ref = Ref(i);
    return (*inner_->Get(fake_.Within(1'000), std::span(&ref, 1))).records[0].has_value();
  }
  int Existing(int n) {
    int count = 0;
    for (int i = 0; i < n; ++i) count += Exists(i);
    return count;
  }

  FakeRuntime fake_{1, Passing::kAtWaits};
  std::unique_ptr<Store> inner_ = NewMemoryStore(fake_.runtime());
};

TEST_F(FaultyStoreTest, WithoutAFaultIsTheInnerStore) {
  const auto answer = Create(3, {});
  ASSERT_TRUE(answer);
  for (const auto& result : answer->results) EXPECT_EQ(result.outcome, BatchOutcome::kApplied);
  EXPECT_EQ(Existing(3), 3);
}

TEST_F(FaultyStoreTest, AnErrorAppliesNothing) {
  EXPECT_EQ(Create(3, {Fault::kError}).error().code(), Code::kUnavailable);
  EXPECT_EQ(Existing(3), 0);
}

TEST_F(FaultyStoreTest, AWholeCallCanBeLostAfterItWasApplied) {
  const auto answer = Create(3, {.fault = Fault::kUnknownAfter, .bits = 0b11});
  EXPECT_EQ(answer.error().code(), Code::kUnknownOutcome);
  EXPECT_EQ(Existing(3), 3);
}

TEST_F(FaultyStoreTest, AWholeCallCanBeLostBeforeItWasApplied) {
  const auto answer = Create(3, {.fault = Fault::kUnknownBefore, .bits = 0b01});
  EXPECT_EQ(answer.error().code(), Code::kUnknownOutcome);
  EXPECT_EQ(Existing(3), 0);
}

// For any bits: unknown batches are applied as the fault says, the others as their results say.
TEST_F(FaultyStoreTest, SomeBatchesCanBeLostAndEachResultBelongsToItsBatch) {
  bool some_mixed = false;
  for (uint64_t bits = 0; bits < 64; ++bits) {
    for (const Fault fault : {Fault::kUnknownBefore, Fault::kUnknownAfter}) {
      inner_ = NewMemoryStore(fake_.runtime());
      SetUp();
      const auto answer = Create(5, {.fault = fault, .bits = bits});
      if (!answer) continue;
      ASSERT_EQ(answer->results.size(), 5U);
      int unknown = 0;
      for (int i = 0; i < 5; ++i) {
        const BatchResult& result = answer->results[static_cast<size_t>(i)];
        if (result.outcome == BatchOutcome::kUnknown) {
          ++unknown;
          EXPECT_EQ(Exists(i), fault == Fault::kUnknownAfter) << bits;
          EXPECT_EQ(result.error->code(), Code::kUnknownOutcome);
        } else {
          EXPECT_EQ(result.outcome, BatchOutcome::kApplied);
          EXPECT_TRUE(Exists(i)) << bits;
        }
      }
      EXPECT_GT(unknown, 0) << bits;
      some_mixed |= unknown < 5;
    }
  }
  EXPECT_TRUE(some_mixed);
}

TEST_F(FaultyStoreTest, ReadsFail) {
  const auto policy = NewScriptedFaults(
      fake_.runtime(), {{"Store.Get", {{Fault::kError}}}, {"Store.Scan", {{Fault::kError}}}});
  FaultyStore store(*inner_, *policy, fake_.runtime());
  const RecordRef ref = Ref(0);
  EXPECT_EQ(store.Get(fake_.Within(1), std::span(&ref, 1)).error().code(), Code::kUnavailable);
  EXPECT_EQ(store.Scan(fake_.Within(1), {.kind = "thing"}).error().code(), Code::kUnavailable);
  EXPECT_TRUE(store.Get(fake_.Within(1), std::span(&ref, 1)));
  EXPECT_TRUE(store.Scan(fake_.Within(1), {.kind = "thing"}));
}

}  // namespace
}  // namespace a4c::testing
