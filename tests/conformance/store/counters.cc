#include <atomic>

#include "tests/conformance/store/store_suite.h"

namespace a4c::conformance {
namespace {

class StoreCounters : public StoreSuite {
 protected:
  // A batch that adds once however often it is sent: its owner is created by it.
  WriteBatch Reserve(const std::string& owner, int64_t delta, int64_t min, int64_t max) {
    return {{Put{.ref = Ref(owner), .body = "{}", .expect = Expect::Absent()},
             Add{.ref = Ref("total"), .field = "count", .delta = delta, .min = min, .max = max}}};
  }
  std::string ReserveOnce(const std::string& owner, int64_t delta, int64_t min, int64_t max) {
    return Told(ApplyAll({Reserve(owner, delta, min, max)})[0]);
  }
};

TEST_F(StoreCounters, AnAddGivesTheSum) {
  Create("total");
  EXPECT_EQ(ReserveOnce("a", 5, 0, 10), "applied 1 5") << "absent counts as nought";
  EXPECT_EQ(ReserveOnce("b", 5, 0, 10), "applied 1 10");
  EXPECT_EQ(ReserveOnce("c", -10, 0, 10), "applied 1 0");
  EXPECT_EQ(Read("total")->rev, 1) << "a counter is quiet";
}

TEST_F(StoreCounters, BoundsAreKeptAndTheValueFoundIsTold) {
  Create("total", "{}", {{"count", int64_t{8}}});
  EXPECT_EQ(ReserveOnce("a", 3, 0, 10), "out_of_bounds 1:out_of_bounds(count)=8");
  EXPECT_EQ(ReserveOnce("a", -9, 0, 10), "out_of_bounds 1:out_of_bounds(count)=8");
  EXPECT_EQ(Quiet("total"), "count=8");
  EXPECT_FALSE(Read("a").has_value()) << "the owner goes with its amount";
  EXPECT_EQ(ReserveOnce("a", 2, 0, 10), "applied 1 10");
}

TEST_F(StoreCounters, SumsNeverOverflow) {
  Create("total", "{}", {{"count", INT64_MAX - 1}});
  EXPECT_EQ(ReserveOnce("a", 2, INT64_MIN, INT64_MAX),
            "out_of_bounds 1:out_of_bounds(count)=9223372036854775806");
  EXPECT_EQ(ReserveOnce("a", 1, INT64_MIN, INT64_MAX), "applied 1 9223372036854775807");
  Create("total2", "{}", {{"count", INT64_MIN}});
  EXPECT_EQ(Apply({Put{.ref = Ref("b"), .body = "{}", .expect = Expect::Absent()},
                   Add{Ref("total2"), "count", -1, INT64_MIN, INT64_MAX}}),
            "out_of_bounds 1:out_of_bounds(count)=-9223372036854775808");
}

TEST_F(StoreCounters, AnAddNeedsItsRecord) {
  EXPECT_EQ(ReserveOnce("a", 1, 0, 10), "conflict 1:absent");
}

TEST_F(StoreCounters, ABoundAndAConflictAreAConflict) {
  Create("total", "{}", {{"count", int64_t{10}}});
  Create("a");
  EXPECT_EQ(ReserveOnce("a", 1, 0, 10), "conflict 0:present=1 1:out_of_bounds(count)=10");
}

TEST_F(StoreCounters, AnAddWithoutAnOwnerIsInvalid) {
  Create("total");
  Create("b");
  const Add add{.ref = Ref("total"), .field = "count", .delta = 1};
  EXPECT_EQ(Apply({add}), "invalid 0:invalid(count)");
  EXPECT_EQ(Apply({Put{.ref = Ref("a"), .body = "{}"}, add}), "invalid 1:invalid(count)");
  EXPECT_EQ(Apply({Delete{Ref("b")}, add}), "invalid 1:invalid(count)");
  EXPECT_EQ(Apply({Put{.ref = Ref("b"), .expect = Expect::Rev(1)}, add}),
            "invalid 1:invalid(count)")
      << "a quiet Put passes twice";
  EXPECT_EQ(Quiet("total"), "");
}

TEST_F(StoreCounters, SendingTheSameBatchAgainCountsOnce) {
  Create("total");
  const WriteBatch take = Reserve("a", 4, 0, 10);
  EXPECT_EQ(Told(ApplyAll({take})[0]), "applied 1 4");
  EXPECT_EQ(Told(ApplyAll({take})[0]), "conflict 0:present=1");
  const WriteBatch give{
      {Delete{Ref("a"), Expect::Rev(1)}, Add{.ref = Ref("total"), .field = "count", .delta = -4}}};
  EXPECT_EQ(Told(ApplyAll({give})[0]), "applied 1 0");
  EXPECT_EQ(Told(ApplyAll({give})[0]), "conflict 0:absent 1:out_of_bounds(count)=0");
  EXPECT_EQ(Quiet("total"), "count=0");
}

TEST_F(StoreCounters, BatchesOfOneCallCountOneAfterAnother) {
  Create("total");
  const std::vector<BatchResult> results =
      ApplyAll({Reserve("a", 4, 0, 10), Reserve("b", 4, 0, 10), Reserve("c", 4, 0, 10),
                Reserve("d", 2, 0, 10)});
  EXPECT_EQ(Told(results[0]), "applied 1 4");
  EXPECT_EQ(Told(results[1]), "applied 1 8");
  EXPECT_EQ(Told(results[2]), "out_of_bounds 1:out_of_bounds(count)=8");
  EXPECT_EQ(Told(results[3]), "applied 1 10");
}

TEST_F(StoreCounters, ThirtyTwoAtOnceNeverPassTheBoundAndLoseNothing) {
  constexpr int kThreads = 32;
  constexpr int kEach = 8;
  constexpr int64_t kMax = 500;
  Create("total");
  std::atomic<int64_t> sum = 0;
  std::atomic<int> refused = 0;
  OnInstances(kThreads, [&](Store& store, int thread) {
    for (int i = 0; i < kEach; ++i) {
      const std::string owner = std::to_string(thread) + "-" + std::to_string(i);
      const int64_t amount = 1 + (thread + i) % 5;
      const BatchResult result = ApplySurely(store, Reserve(owner, amount, 0, kMax));
      if (result.outcome == BatchOutcome::kOutOfBounds) {
        ++refused;
        EXPECT_GT(std::get<int64_t>(result.failures.at(0).actual) + amount, kMax);
      } else {
        // A conflict is our own batch, sent again after an unknown outcome.
        if (result.outcome == BatchOutcome::kApplied) {
          EXPECT_LE(result.values.at(1), kMax);
        }
        EXPECT_TRUE(Read(owner).has_value());
        sum += amount;
      }
    }
  });
  EXPECT_EQ(Quiet("total"), "count=" + std::to_string(sum));
  EXPECT_GT(refused, 0);
  EXPECT_GT(sum, kMax - 5);
}

}  // namespace
}  // namespace a4c::conformance
