#include <array>
#include <atomic>
#include <barrier>

#include "tests/conformance/store/store_suite.h"

namespace a4c::conformance {
namespace {

class StoreCheck : public StoreSuite {
 protected:
  // Of a subject that is held under its epoch: a write as its holder.
  WriteBatch WriteUnder(const std::string& subject, int64_t epoch) const {
    return {{Check{Ref("lease" + subject), {}, {{"high", epoch}}},
             Put{.ref = Ref("a" + subject), .body = R"({"by":)" + std::to_string(epoch) + "}"}}};
  }
};

TEST_F(StoreCheck, OfTheRightRevPassesAndChangesNothing) {
  Create("a", R"({"n":1})", {{"count", int64_t{3}}});
  EXPECT_EQ(Apply({Check{Ref("a"), 1}}), "applied 1");
  EXPECT_EQ(Apply({Check{Ref("a")}}), "applied 1");
  EXPECT_EQ(Apply({Check{Ref("a"), 1, {{"count", int64_t{3}}, {"holder", {}}}}}), "applied 1");
  EXPECT_EQ(Read("a")->rev, 1);
  EXPECT_EQ(Quiet("a"), "count=3");
}

TEST_F(StoreCheck, TellsWhatItFound) {
  EXPECT_EQ(Apply({Check{Ref("a")}}), "conflict 0:absent");
  Create("a", "{}", {{"count", int64_t{3}}});
  EXPECT_EQ(Apply({Check{Ref("a"), 2}}), "conflict 0:rev=1");
  EXPECT_EQ(Apply({Check{Ref("a"), {}, {{"count", int64_t{2}}}}}), "conflict 0:quiet(count)=3");
  EXPECT_EQ(Apply({Check{Ref("a"), {}, {{"count", {}}}}}), "conflict 0:quiet(count)=3");
  EXPECT_EQ(Apply({Check{Ref("a"), {}, {{"holder", "me"}}}}), "conflict 0:quiet(holder)");
}

TEST_F(StoreCheck, AStaleEpochStopsTheBatch) {
  Create("lease", "{}", {{"high", int64_t{1}}});
  Create("a");
  const auto write = [&](int64_t epoch) {
    return Apply(
        {Check{Ref("lease"), {}, {{"high", epoch}}}, Put{.ref = Ref("a"), .body = R"({"by":1})"}});
  };
  EXPECT_EQ(write(1), "applied 1 2");
  EXPECT_EQ(Apply({Put{.ref = Ref("lease"), .quiet = {{"high", int64_t{2}}}}}), "applied 1");
  EXPECT_EQ(write(1), "conflict 0:quiet(high)=2");
  EXPECT_EQ(Read("a")->rev, 2);
}

TEST_F(StoreCheck, IsJudgedByWhatStoodBeforeTheBatch) {
  Create("a", "{}", {{"count", int64_t{1}}});
  EXPECT_EQ(Apply({Put{.ref = Ref("a"), .body = "{}", .quiet = {{"count", int64_t{2}}}},
                   Check{Ref("a"), 1, {{"count", int64_t{1}}}}}),
            "applied 2 1");
  EXPECT_EQ(Apply({Delete{Ref("a")}, Check{Ref("a"), 2}}), "applied 2 2");
  EXPECT_EQ(Apply({Put{.ref = Ref("a"), .body = "{}"}, Check{Ref("a")}}), "conflict 1:absent");
}

TEST_F(StoreCheck, OfAFieldThatIsNotQuietIsInvalid) {
  Create("a");
  EXPECT_EQ(Apply({Check{Ref("a"), {}, {{"name", "x"}}}}), "invalid 0:invalid(name)");
}

// Under a checked epoch no write of the holder before may come behind the take-over.
TEST_F(StoreCheck, HoldsAgainstATakeOverAtTheSameTime) {
  std::array<std::atomic<bool>, 20> taken = {};
  std::vector<WriteBatch> batches;
  for (size_t i = 0; i < taken.size(); ++i) {
    const std::string subject = std::to_string(i);
    batches.push_back(
        {{Put{.ref = Ref("lease" + subject), .body = "{}", .quiet = {{"high", int64_t{1}}}},
          Put{.ref = Ref("a" + subject), .body = R"({"by":0})"}}});
  }
  for (const BatchResult& result : ApplyAll(batches)) EXPECT_EQ(Told(result), "applied 1 1");
  std::barrier together(2);
  OnInstances(2, [&](Store& store, int thread) {
    for (size_t i = 0; i < taken.size(); ++i) {
      const std::string subject = std::to_string(i);
      together.arrive_and_wait();
      if (thread == 0) {
        while (ApplySurely(store, WriteUnder(subject, 1)).outcome == BatchOutcome::kApplied) {
          if (taken[i]) break;
        }
      } else {
        ApplySurely(store, {{Put{.ref = Ref("lease" + subject), .quiet = {{"high", int64_t{2}}}}}});
        ApplySurely(store, WriteUnder(subject, 2));
        taken[i] = true;
      }
    }
  });
  for (size_t i = 0; i < taken.size(); ++i) {
    EXPECT_EQ(Read("a" + std::to_string(i))->body, R"({"by":2})");
  }
}

}  // namespace
}  // namespace a4c::conformance
