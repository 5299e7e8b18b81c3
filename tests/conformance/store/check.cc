#include <atomic>

#include "tests/conformance/store/store_suite.h"

namespace a4c::conformance {
namespace {

class StoreCheck : public StoreSuite {};

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
  Create("lease", "{}", {{"high", int64_t{1}}});
  Create("a", R"({"by":0})");
  std::atomic<bool> taken = false;
  OnThreads(2, [&](int thread) {
    if (thread == 0) {
      BatchResult result;
      do {
        result = ApplySurely({{Check{Ref("lease"), {}, {{"high", int64_t{1}}}},
                               Put{.ref = Ref("a"), .body = R"({"by":1})"}}});
      } while (result.outcome == BatchOutcome::kApplied && !taken);
    } else {
      ApplySurely({{Put{.ref = Ref("lease"), .quiet = {{"high", int64_t{2}}}}}});
      ApplySurely({{Check{Ref("lease"), {}, {{"high", int64_t{2}}}},
                    Put{.ref = Ref("a"), .body = R"({"by":2})"}}});
      taken = true;
    }
  });
  EXPECT_EQ(Read("a")->body, R"({"by":2})");
}

}  // namespace
}  // namespace a4c::conformance
