#include "tests/conformance/store/store_suite.h"

namespace a4c::conformance {
namespace {

class StoreFates : public StoreSuite {
 protected:
  Put Claim(const std::string& id, const std::string& body = "{}") {
    return {.ref = Ref(id), .body = body, .expect = Expect::Absent()};
  }
  std::string TellAll(const std::vector<WriteBatch>& batches) {
    std::string text;
    for (const BatchResult& result : ApplyAll(batches)) {
      text += (text.empty() ? "" : "; ") + Told(result);
    }
    return text;
  }
};

TEST_F(StoreFates, AConflictLeavesTheOthersOfTheCallAlone) {
  Create("b");
  EXPECT_EQ(TellAll({{{Claim("a")}}, {{Claim("b")}}, {{Claim("c")}}}),
            "applied 1; conflict 0:present=1; applied 1");
  EXPECT_TRUE(Read("a").has_value());
  EXPECT_TRUE(Read("c").has_value());
}

TEST_F(StoreFates, AnInvalidBatchLeavesTheOthersOfTheCallAlone) {
  EXPECT_EQ(
      TellAll(
          {{{Claim("a")}}, {{Claim("b", "{")}}, {{Claim("c", R"({"size":"x"})")}}, {{Claim("d")}}}),
      "applied 1; invalid 0:invalid(body); invalid 0:invalid(size); applied 1");
  EXPECT_TRUE(Read("d").has_value());
  EXPECT_FALSE(Read("c").has_value());
}

TEST_F(StoreFates, BatchesOfOneCallAreJudgedInTheirOrder) {
  EXPECT_EQ(TellAll({{{Claim("a", R"({"n":1})")}},
                     {{Claim("a", R"({"n":2})")}},
                     {{Put{.ref = Ref("a"), .body = R"({"n":3})", .expect = Expect::Rev(1)}}},
                     {{Put{.ref = Ref("a"), .body = R"({"n":4})", .expect = Expect::Rev(1)}}},
                     {{Delete{Ref("a"), Expect::Rev(2)}}},
                     {{Claim("a", R"({"n":5})")}}}),
            "applied 1; conflict 0:present=1; applied 2; conflict 0:rev=2; applied 2; applied 1");
  EXPECT_EQ(Read("a")->body, R"({"n":5})");
}

TEST_F(StoreFates, WhatOneBatchFreesTheNextMayTake) {
  Create("a", R"({"name":"x"})");
  EXPECT_EQ(TellAll({{{Claim("b", R"({"name":"x"})")}},
                     {{Put{.ref = Ref("a"), .body = R"({"name":"y"})"}}},
                     {{Claim("b", R"({"name":"x"})")}},
                     {{Put{.ref = Ref("a"), .body = R"({"name":"x"})"}}}}),
            "conflict 0:unique(by_name); applied 2; applied 1; conflict 0:unique(by_name)");
}

TEST_F(StoreFates, NamesChangeHandsWithinOneCall) {
  Create("a", R"({"name":"x"})");
  Create("b", R"({"name":"y"})");
  const auto rename = [&](const std::string& id, const std::string& name) {
    return WriteBatch{{Put{.ref = Ref(id), .body = R"({"name":")" + name + R"("})"}}};
  };
  EXPECT_EQ(TellAll({rename("a", "z"), rename("b", "x"), rename("a", "y")}),
            "applied 2; applied 2; applied 3");
}

TEST_F(StoreFates, AConflictListsEveryFailedOpInOrder) {
  Create("key");
  Create("taken", R"({"name":"x"})");
  Create("counted", "{}", {{"count", int64_t{5}}});
  EXPECT_EQ(Apply({Claim("key"), Claim("new"), Claim("other", R"({"name":"x"})"),
                   Put{.ref = Ref("counted"), .body = "{}", .expect = Expect::Rev(4)},
                   Check{.ref = Ref("absent")},
                   Add{.ref = Ref("counted"), .field = "count", .delta = 1, .max = 5}}),
            "conflict 0:present=1 2:unique(by_name) 3:rev=1 4:absent 5:out_of_bounds(count)=5");
}

TEST_F(StoreFates, ABatchSentTwiceIsToldByItsFirstOp) {
  const WriteBatch batch{{Claim("idempotency-key", R"({"answer":1})"), Claim("a"),
                          Put{.ref = Ref("outbox"), .body = "{}", .min_rev = 1}}};
  EXPECT_EQ(TellAll({batch}), "applied 1 1 1");
  EXPECT_EQ(TellAll({batch}), "conflict 0:present=1 1:present=1");
  EXPECT_EQ(TellAll({batch, batch}),
            "conflict 0:present=1 1:present=1; conflict 0:present=1 1:present=1");
}

TEST_F(StoreFates, AnInvalidBatchListsEveryWrongOp) {
  EXPECT_EQ(Apply({Claim(""), Claim("a"), Claim("b", R"({"due":"soon"})"), Delete{Ref("a")},
                   Put{.ref = {"unheard_of", {"", "x"}}, .body = "{}"},
                   Put{.ref = Ref("c"), .quiet = {{"name", "x"}}}}),
            "invalid 0:invalid(key) 2:invalid(due) 3:invalid(key) 4:invalid(kind) "
            "5:invalid(name)");
}

TEST_F(StoreFates, ManyBatchesOfOneCallEachHaveTheirResult) {
  std::vector<WriteBatch> batches;
  for (int i = 0; i < 500; ++i) batches.push_back({{Claim("id" + std::to_string(i / 2))}});
  const std::vector<BatchResult> results = ApplyAll(batches);
  for (size_t i = 0; i < results.size(); ++i) {
    ASSERT_EQ(Told(results[i]), i % 2 == 0 ? "applied 1" : "conflict 0:present=1") << i;
  }
}

}  // namespace
}  // namespace a4c::conformance
