#include "tests/conformance/store/store_suite.h"

namespace a4c::conformance {
namespace {

class StoreQuiet : public StoreSuite {
 protected:
  std::string Set(const std::string& id, FieldValues quiet) {
    return Apply({Put{.ref = Ref(id), .quiet = std::move(quiet)}});
  }
};

TEST_F(StoreQuiet, AQuietPutChangesNeitherRevNorBody) {
  Create("a", R"({"name":"x"})", {{"count", int64_t{1}}});
  EXPECT_EQ(Set("a", {{"count", int64_t{2}}, {"holder", "h"}}), "applied 1");
  const std::optional<Record> record = Read("a");
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->rev, 1);
  EXPECT_EQ(record->body, R"({"name":"x"})");
  EXPECT_EQ(record->quiet, (FieldValues{{"count", int64_t{2}}, {"holder", "h"}}));
}

TEST_F(StoreQuiet, AQuietPutNeedsARecordAndMeetsExpectations) {
  EXPECT_EQ(Set("a", {{"count", int64_t{2}}}), "conflict 0:absent");
  EXPECT_FALSE(Read("a").has_value());
  Create("a");
  const auto expect = [&](int64_t rev) {
    return Apply(
        {Put{.ref = Ref("a"), .quiet = {{"count", int64_t{2}}}, .expect = Expect::Rev(rev)}});
  };
  EXPECT_EQ(expect(2), "conflict 0:rev=1");
  EXPECT_EQ(expect(1), "applied 1");
  EXPECT_EQ(expect(1), "applied 1") << "the rev did not move";
}

TEST_F(StoreQuiet, APutWithABodyLeavesUnnamedQuietFieldsAlone) {
  Create("a", "{}", {{"count", int64_t{1}}, {"holder", "h"}});
  EXPECT_EQ(Apply({Put{.ref = Ref("a"), .body = R"({"n":1})", .quiet = {{"count", int64_t{5}}}}}),
            "applied 2");
  EXPECT_EQ(Quiet("a"), "count=5 holder=h");
  EXPECT_EQ(Apply({Put{.ref = Ref("a"), .body = "{}", .tombstone = true}}), "applied 3");
  EXPECT_EQ(Quiet("a"), "count=5 holder=h");
}

TEST_F(StoreQuiet, AQuietPutLeavesATombstoneATombstone) {
  Create("a");
  EXPECT_EQ(Apply({Put{.ref = Ref("a"), .body = "{}", .tombstone = true}}), "applied 2");
  EXPECT_EQ(Set("a", {{"count", int64_t{1}}}), "applied 2");
  EXPECT_TRUE(Read("a")->tombstone);
}

TEST_F(StoreQuiet, ATouchIsApplied) {
  Create("a", R"({"n":1})", {{"count", int64_t{1}}});
  EXPECT_EQ(Set("a", {}), "applied 1");
  EXPECT_EQ(Quiet("a"), "count=1");
  EXPECT_EQ(Read("a")->body, R"({"n":1})");
}

TEST_F(StoreQuiet, QuietPutsSetWhatTheyNameAndOnlyMaxNeverFalls) {
  const auto all = [](int64_t value) {
    return FieldValues{{"count", value}, {"since", value}, {"low", value}, {"high", value}};
  };
  Create("a");
  EXPECT_EQ(Set("a", all(5)), "applied 1");
  EXPECT_EQ(Quiet("a"), "count=5 high=5 low=5 since=5");
  EXPECT_EQ(Set("a", all(7)), "applied 1");
  EXPECT_EQ(Quiet("a"), "count=7 high=7 low=7 since=7");
  EXPECT_EQ(Set("a", all(-3)), "applied 1");
  EXPECT_EQ(Quiet("a"), "count=-3 high=7 low=-3 since=-3");
}

TEST_F(StoreQuiet, MergeRulesHoldForPutsWithABody) {
  Create("a", "{}", {{"since", int64_t{5}}, {"low", int64_t{5}}, {"high", int64_t{5}}});
  EXPECT_EQ(Apply({Put{.ref = Ref("a"),
                       .body = "{}",
                       .quiet = {{"since", int64_t{9}},
                                 {"low", int64_t{9}},
                                 {"high", int64_t{9}},
                                 {"count", int64_t{9}}}}}),
            "applied 2");
  EXPECT_EQ(Quiet("a"), "count=9 high=9 low=5 since=5");
}

TEST_F(StoreQuiet, ClearingGoesBeforeEveryMergeRule) {
  const FieldValues none = {{"count", {}}, {"since", {}}, {"low", {}}, {"high", {}}};
  Create("a", "{}",
         {{"count", int64_t{5}},
          {"since", int64_t{5}},
          {"low", int64_t{5}},
          {"high", int64_t{5}},
          {"holder", "h"}});
  EXPECT_EQ(Set("a", none), "applied 1");
  EXPECT_EQ(Quiet("a"), "holder=h");
  EXPECT_EQ(Set("a", none), "applied 1") << "clearing what is clear";
  EXPECT_EQ(Set("a", {{"since", int64_t{9}}}), "applied 1");
  EXPECT_EQ(Quiet("a"), "holder=h since=9") << "once cleared, it takes a value again";
}

TEST_F(StoreQuiet, EveryTypeComesBackAsItWas) {
  const FieldValues values = {
      {"count", INT64_MIN}, {"next_at", INT64_MAX}, {"holder", ""}, {"load", 0.1}, {"busy", false}};
  Create("a", "{}", values);
  EXPECT_EQ(Read("a")->quiet, values);
  for (const double load : {3.0, -1e-300, 1.7976931348623157e308, 5e-324}) {
    EXPECT_EQ(Set("a", {{"load", load}, {"busy", true}}), "applied 1");
    EXPECT_EQ(Read("a")->quiet.at("load"), Scalar(load));
    EXPECT_EQ(Read("a")->quiet.at("busy"), Scalar(true));
  }
}

TEST_F(StoreQuiet, ValuesOfAnotherTypeAreInvalid) {
  Create("a");
  EXPECT_EQ(Set("a", {{"count", "5"}}), "invalid 0:invalid(count)");
  EXPECT_EQ(Set("a", {{"count", 5.0}}), "invalid 0:invalid(count)");
  EXPECT_EQ(Set("a", {{"holder", int64_t{5}}}), "invalid 0:invalid(holder)");
  EXPECT_EQ(Set("a", {{"busy", int64_t{1}}}), "invalid 0:invalid(busy)");
  EXPECT_EQ(Set("a", {{"load", int64_t{1}}}), "invalid 0:invalid(load)");
  EXPECT_EQ(Set("a", {{"name", "x"}}), "invalid 0:invalid(name)") << "a body field";
  EXPECT_EQ(Set("a", {{"unheard_of", "x"}}), "invalid 0:invalid(unheard_of)");
  EXPECT_EQ(Set("a", {{"count", int64_t{1}}, {"holder", std::string(1, '\xff')}}),
            "invalid 0:invalid(holder)");
  EXPECT_EQ(Quiet("a"), "");
}

}  // namespace
}  // namespace a4c::conformance
