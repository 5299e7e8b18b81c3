#include <gtest/gtest.h>

#include "sample_kind.h"

namespace a4c {
namespace {

using Reason = OpFailure::Reason;
using What = RowChange::What;

class FakeView final : public BatchView {
 public:
  std::map<std::string, StoredRow> rows;              // by id
  std::map<std::string, std::string> holder_of_name;  // name → id
  bool broken = false;

  Result<std::optional<StoredRow>> Find(const Kind&, const Key& key) override {
    if (broken) return Error(Code::kUnavailable, "broken");
    const auto found = rows.find(key.id);
    return found == rows.end() ? std::optional<StoredRow>() : found->second;
  }
  Result<std::optional<Key>> Holder(const UniqueClaim& claim) override {
    const auto found = holder_of_name.find(std::get<std::string>(claim.values.at(0)));
    if (found == holder_of_name.end()) return std::optional<Key>();
    return std::optional<Key>({"", found->second});
  }
};

class JudgeTest : public testing::Test {
 protected:
  const Verdict& JudgeOps(std::vector<Op> ops) {
    batch_.ops = std::move(ops);
    checked_ = CheckBatch(AnyCall(), kinds_, batch_);
    Result<Verdict> verdict = Judge(checked_, view_);
    EXPECT_TRUE(verdict.has_value());
    verdict_ = verdict ? *std::move(verdict) : Verdict();
    if (verdict_.result.outcome != BatchOutcome::kApplied) {
      EXPECT_TRUE(verdict_.changes.empty());
    }
    return verdict_;
  }
  // The reason for which the only op fails.
  OpFailure FailureOf(Op op) {
    const BatchResult& result = JudgeOps({std::move(op)}).result;
    EXPECT_EQ(result.outcome, BatchOutcome::kConflict);
    EXPECT_EQ(result.failures.size(), 1u);
    return result.failures.empty() ? OpFailure() : result.failures[0];
  }
  FieldValues QuietAfter(FieldValues given, std::optional<std::string> body = "{}") {
    JudgeOps({Put{.ref = Sample("a"), .body = std::move(body), .quiet = std::move(given)}});
    return verdict_.changes.empty() ? FieldValues() : verdict_.changes[0].row.quiet;
  }

  FakeView view_;

 private:
  const Kinds kinds_ = SampleKinds();
  WriteBatch batch_;
  CheckedBatch checked_;
  Verdict verdict_;
};

TEST_F(JudgeTest, ACreatedRecordStartsAtOneOrAtMinRev) {
  const Put create{.ref = Sample("a"), .body = R"({"name":"x"})", .expect = Expect::Absent()};
  const Verdict& first = JudgeOps({create});
  EXPECT_EQ(first.result.outcome, BatchOutcome::kApplied);
  EXPECT_EQ(first.result.values, std::vector<int64_t>{1});
  ASSERT_EQ(first.changes.size(), 1u);
  EXPECT_EQ(first.changes[0].what, What::kPut);
  EXPECT_FALSE(first.changes[0].found);
  EXPECT_EQ(*first.changes[0].body, R"({"name":"x"})");
  EXPECT_EQ(first.changes[0].indexed->at("name"), Scalar("x"));
  Put late = create;
  late.min_rev = 7;
  EXPECT_EQ(JudgeOps({late}).result.values, std::vector<int64_t>{7});
}

TEST_F(JudgeTest, ExpectationsAreHeldAgainstTheRowFound) {
  view_.rows["a"] = {.rev = 3};
  view_.rows["dead"] = {.rev = 4, .tombstone = true};
  const auto put = [](const char* id, Expect expect) {
    return Put{.ref = Sample(id), .body = "{}", .expect = expect};
  };
  OpFailure failure = FailureOf(put("a", Expect::Absent()));
  EXPECT_EQ(failure.reason, Reason::kPresent);
  EXPECT_EQ(failure.actual, Scalar(int64_t{3}));
  EXPECT_EQ(FailureOf(put("dead", Expect::Absent())).reason, Reason::kPresent);
  failure = FailureOf(put("a", Expect::Rev(2)));
  EXPECT_EQ(failure.reason, Reason::kRev);
  EXPECT_EQ(failure.actual, Scalar(int64_t{3}));
  EXPECT_EQ(FailureOf(put("b", Expect::Rev(2))).reason, Reason::kAbsent);
  EXPECT_EQ(FailureOf(Put{.ref = Sample("b")}).reason, Reason::kAbsent);
  EXPECT_EQ(FailureOf(Delete{Sample("b"), Expect::Rev(1)}).reason, Reason::kAbsent);
  EXPECT_EQ(FailureOf(Delete{Sample("a"), Expect::Absent()}).reason, Reason::kPresent);
  EXPECT_EQ(JudgeOps({put("a", Expect::Rev(3))}).result.values, std::vector<int64_t>{4});
  EXPECT_EQ(JudgeOps({put("dead", Expect::Any())}).result.values, std::vector<int64_t>{5});
  EXPECT_EQ(JudgeOps({Delete{Sample("b")}}).result.values, std::vector<int64_t>{0});
  EXPECT_EQ(JudgeOps({Delete{Sample("a")}}).result.values, std::vector<int64_t>{3});
}

TEST_F(JudgeTest, EveryFailedOpIsListedInOrder) {
  view_.rows["a"] = {.rev = 3, .quiet = {{"count", int64_t{5}}}};
  view_.holder_of_name["taken"] = "z";
  const BatchResult& result =
      JudgeOps({Put{.ref = Sample("a"), .body = "{}", .expect = Expect::Absent()},
                Put{.ref = Sample("b"), .body = "{}"},
                Put{.ref = Sample("c"), .body = R"({"name":"taken"})"},
                Check{.ref = Sample("a"), .rev = 3, .quiet = {{"count", int64_t{6}}}},
                Add{.ref = Sample("a"), .field = "count", .delta = 1, .max = 5}})
          .result;
  EXPECT_EQ(result.outcome, BatchOutcome::kConflict);
  ASSERT_EQ(result.failures.size(), 4u);
  EXPECT_EQ(result.failures[0].op, 0u);
  EXPECT_EQ(result.failures[1].op, 2u);
  EXPECT_EQ(result.failures[1].reason, Reason::kUnique);
  EXPECT_EQ(result.failures[1].field, "by_name");
  EXPECT_EQ(result.failures[2].op, 3u);
  EXPECT_EQ(result.failures[2].reason, Reason::kQuiet);
  EXPECT_EQ(result.failures[2].actual, Scalar(int64_t{5}));
  EXPECT_EQ(result.failures[3].op, 4u);
  EXPECT_EQ(result.failures[3].reason, Reason::kOutOfBounds);
  EXPECT_EQ(result.failures[3].actual, Scalar(int64_t{5}));
}

TEST_F(JudgeTest, ARecordMayKeepItsOwnUniqueValue) {
  view_.rows["a"] = {.rev = 1};
  view_.holder_of_name["mine"] = "a";
  EXPECT_EQ(JudgeOps({Put{.ref = Sample("a"), .body = R"({"name":"mine"})"}}).result.outcome,
            BatchOutcome::kApplied);
  EXPECT_EQ(FailureOf(Put{.ref = Sample("b"), .body = R"({"name":"mine"})"}).reason,
            Reason::kUnique);
}

TEST_F(JudgeTest, QuietFieldsMergeByTheirRule) {
  view_.rows["a"] = {.rev = 2,
                     .quiet = {{"count", int64_t{5}},
                               {"since", int64_t{5}},
                               {"first", int64_t{5}},
                               {"last", int64_t{5}}}};
  for (const int64_t given : {4, 6}) {
    const FieldValues after = QuietAfter(
        {{"count", given}, {"since", given}, {"first", given}, {"last", given}, {"other", given}});
    EXPECT_EQ(after.at("count"), Scalar(given));
    EXPECT_EQ(after.at("since"), Scalar(int64_t{5}));
    EXPECT_EQ(after.at("first"), Scalar(std::min<int64_t>(given, 5)));
    EXPECT_EQ(after.at("last"), Scalar(std::max<int64_t>(given, 5)));
    EXPECT_EQ(after.at("other"), Scalar(given)) << "no value yet: every rule takes the given one";
  }
  const FieldValues cleared = QuietAfter({{"since", {}}, {"last", {}}});
  EXPECT_EQ(cleared, (FieldValues{{"count", int64_t{5}}, {"first", int64_t{5}}}));
}

TEST_F(JudgeTest, AQuietPutSetsFieldsAsNamedButNeverLowersAMax) {
  view_.rows["a"] = {.rev = 2,
                     .quiet = {{"since", int64_t{5}}, {"first", int64_t{5}}, {"last", int64_t{5}}}};
  for (const int64_t given : {4, 6}) {
    const FieldValues after =
        QuietAfter({{"since", given}, {"first", given}, {"last", given}}, std::nullopt);
    EXPECT_EQ(after.at("since"), Scalar(given));
    EXPECT_EQ(after.at("first"), Scalar(given));
    EXPECT_EQ(after.at("last"), Scalar(std::max<int64_t>(given, 5)));
  }
}

TEST_F(JudgeTest, AQuietPutKeepsRevAndTombstone) {
  view_.rows["a"] = {.rev = 2, .tombstone = true};
  const Verdict& verdict = JudgeOps({Put{.ref = Sample("a"), .quiet = {{"count", int64_t{1}}}}});
  EXPECT_EQ(verdict.result.values, std::vector<int64_t>{2});
  ASSERT_EQ(verdict.changes.size(), 1u);
  EXPECT_EQ(verdict.changes[0].what, What::kQuiet);
  EXPECT_EQ(verdict.changes[0].row.rev, 2);
  EXPECT_TRUE(verdict.changes[0].row.tombstone);
}

TEST_F(JudgeTest, ATouchIsAChange) {
  view_.rows["a"] = {.rev = 2};
  EXPECT_EQ(JudgeOps({Put{.ref = Sample("a")}}).changes.size(), 1u);
}

TEST_F(JudgeTest, AddsStayWithinBoundsAndNeverOverflow) {
  view_.rows["c"] = {.rev = 1, .quiet = {{"count", int64_t{8}}, {"other", INT64_MAX}}};
  const auto add = [this](const char* field, int64_t delta, int64_t min, int64_t max) {
    return JudgeOps({Put{.ref = Sample("owner"), .body = "{}", .expect = Expect::Absent()},
                     Add{Sample("c"), field, delta, min, max}})
        .result;
  };
  EXPECT_EQ(add("count", 2, 0, 10).values, (std::vector<int64_t>{1, 10}));
  EXPECT_EQ(add("count", -8, 0, 10).values, (std::vector<int64_t>{1, 0}));
  EXPECT_EQ(add("count", 3, 0, 10).outcome, BatchOutcome::kOutOfBounds);
  EXPECT_EQ(add("count", -9, 0, 10).outcome, BatchOutcome::kOutOfBounds);
  EXPECT_EQ(add("other", 1, INT64_MIN, INT64_MAX).outcome, BatchOutcome::kOutOfBounds);
  const BatchResult absent = add("last", 1, 5, 10);
  EXPECT_EQ(absent.outcome, BatchOutcome::kOutOfBounds);
  ASSERT_EQ(absent.failures.size(), 1u);
  EXPECT_EQ(absent.failures[0].actual, Scalar(int64_t{0})) << "absent counts as nought";
  EXPECT_EQ(absent.failures[0].field, "last");
}

TEST_F(JudgeTest, AnAddToARecordThatIsNotThereIsAConflict) {
  const BatchResult& result =
      JudgeOps({Put{.ref = Sample("new"), .body = "{}", .expect = Expect::Absent()},
                Add{.ref = Sample("new"), .field = "count", .delta = 1}})
          .result;
  EXPECT_EQ(result.outcome, BatchOutcome::kConflict) << "judged by what stood before the batch";
  ASSERT_EQ(result.failures.size(), 1u);
  EXPECT_EQ(result.failures[0].reason, Reason::kAbsent);
}

TEST_F(JudgeTest, OneRecordNamedByAPutAndAnAddChangesOnce) {
  view_.rows["a"] = {.rev = 1, .quiet = {{"count", int64_t{1}}, {"other", int64_t{1}}}};
  const std::vector<Op> ops = {Put{.ref = Sample("a"),
                                   .body = "{}",
                                   .quiet = {{"other", int64_t{9}}},
                                   .expect = Expect::Rev(1)},
                               Add{.ref = Sample("a"), .field = "count", .delta = 1}};
  for (const bool reversed : {false, true}) {
    const Verdict& verdict = JudgeOps(reversed ? std::vector<Op>(ops.rbegin(), ops.rend()) : ops);
    ASSERT_EQ(verdict.changes.size(), 1u);
    EXPECT_EQ(verdict.changes[0].what, What::kPut);
    EXPECT_EQ(verdict.changes[0].row.rev, 2);
    EXPECT_EQ(verdict.changes[0].row.quiet,
              (FieldValues{{"count", int64_t{2}}, {"other", int64_t{9}}}));
  }
}

TEST_F(JudgeTest, AnInvalidBatchIsAnsweredWithoutLooking) {
  view_.broken = true;
  const BatchResult& result = JudgeOps({Put{.ref = Sample(""), .body = "{}"}}).result;
  EXPECT_EQ(result.outcome, BatchOutcome::kInvalid);
  EXPECT_EQ(result.failures.size(), 1u);
}

TEST_F(JudgeTest, AnErrorOfTheViewIsPassedOn) {
  view_.broken = true;
  const Kinds kinds = SampleKinds();
  const WriteBatch batch{{Delete{Sample("a")}}};
  const Result<Verdict> verdict = Judge(CheckBatch(AnyCall(), kinds, batch), view_);
  ASSERT_FALSE(verdict.has_value());
  EXPECT_EQ(verdict.error().code(), Code::kUnavailable);
}

}  // namespace
}  // namespace a4c
