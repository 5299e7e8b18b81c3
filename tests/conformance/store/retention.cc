// Kinds whose records end by age, and kinds whose records are written once.
#include "a4c/retention.h"

#include "tests/conformance/store/store_suite.h"

namespace a4c::conformance {
namespace {

constexpr int64_t kHourMs = 3'600'000;

class StoreRetention : public StoreSuite {
 protected:
  void SetUp() override {
    StoreSuite::SetUp();
    kept_ = {.name = Unique("kept"),
             .fields = {{.name = "made", .type = FieldType::kTime, .quiet = true},
                        {.name = "touched", .type = FieldType::kTime, .quiet = true}},
             .indexes = {{.name = "by_made", .fields = {"made"}, .scoped = false}},
             .age_field = "made"};
    line_ = {.name = Unique("line"),
             .fields = {{.name = "at", .type = FieldType::kTime}},
             .indexes = {{.name = "by_at", .fields = {"at"}},
                         {.name = "by_age", .fields = {"at"}, .scoped = false}},
             .age_field = "at",
             .append_only = true};
    const std::vector<Kind> kinds = {kept_, line_};
    const Result<void> ensured = store().Ensure(Within(), kinds);
    ASSERT_TRUE(ensured.has_value()) << ensured.error().ToString();
    const RecordRef none = Kept("none");
    const auto answer = store().Get(Within(), {&none, 1});
    ASSERT_TRUE(answer.has_value()) << answer.error().ToString();
    now_ms_ = answer->store_time_ms;
  }

  RecordRef Kept(const std::string& id, const std::string& scope = "s") const {
    return {kept_.name, {scope, id}};
  }
  RecordRef Line(const std::string& id) const { return {line_.name, {"s", id}}; }
  Op MakeKept(const std::string& id, int64_t made_ms) const {
    return Put{
        .ref = Kept(id), .body = "{}", .quiet = {{"made", made_ms}}, .expect = Expect::Absent()};
  }
  Op MakeLine(const std::string& id, int64_t at_ms) const {
    return Put{.ref = Line(id),
               .body = R"({"at":)" + std::to_string(at_ms) + "}",
               .expect = Expect::Absent()};
  }
  bool IsThere(const RecordRef& ref) {
    const auto answer = store().Get(Within(), {&ref, 1});
    EXPECT_TRUE(answer.has_value()) << answer.error().ToString();
    return answer && answer->records.at(0).has_value();
  }
  // Without the extension what is written once stays for ever.
  bool Forgets(const Kind& kind) { return !kind.append_only || store().As<Retention>() != nullptr; }
  void ForgetBefore(const Kind& kind, int64_t before_ms) {
    for (bool more = Forgets(kind); more;) {
      const Result<bool> forgotten = Forget(Within(), store(), kind, before_ms);
      ASSERT_TRUE(forgotten.has_value()) << forgotten.error().ToString();
      more = *forgotten;
    }
  }

  Kind kept_;
  Kind line_;
  int64_t now_ms_ = 0;
};

TEST_F(StoreRetention, WhatIsOldIsForgottenAndWhatIsNotStays) {
  EXPECT_EQ(Apply({MakeKept("old", now_ms_), MakeLine("old", now_ms_)}), "applied 1 1");
  for (const Kind& kind : {kept_, line_}) ForgetBefore(kind, now_ms_ + kHourMs);
  EXPECT_FALSE(IsThere(Kept("old")));
  EXPECT_NE(IsThere(Line("old")), Forgets(line_));
  EXPECT_EQ(Apply({MakeKept("young", now_ms_ + kHourMs), MakeLine("young", now_ms_ + kHourMs)}),
            "applied 1 1");
  for (const Kind& kind : {kept_, line_}) ForgetBefore(kind, now_ms_ + kHourMs);
  EXPECT_TRUE(IsThere(Kept("young")));
  EXPECT_TRUE(IsThere(Line("young")));
  EXPECT_EQ(Ids({.kind = kept_.name, .index = "by_made"}), "young");
}

TEST_F(StoreRetention, WhoCannotForgetWhatIsWrittenOnceSaysSo) {
  const Result<bool> forgotten = Forget(Within(), store(), line_, now_ms_);
  if (Forgets(line_)) {
    EXPECT_TRUE(forgotten) << forgotten.error().ToString();
  } else {
    ASSERT_FALSE(forgotten);
    EXPECT_EQ(forgotten.error().code(), Code::kUnsupported);
  }
}

TEST_F(StoreRetention, AKeyIsTakenOnceHoweverOftenOldOnesAreForgotten) {
  EXPECT_EQ(Apply({MakeKept("a", now_ms_ + 2 * kHourMs)}), "applied 1");
  for (int round = 0; round < 3; ++round) {
    ForgetBefore(kept_, now_ms_ + kHourMs);
    EXPECT_EQ(Apply({MakeKept("a", now_ms_)}), "conflict 0:present=1");
    const std::string other = "b" + std::to_string(round);
    EXPECT_EQ(Apply({MakeKept("a", now_ms_), MakeKept(other, now_ms_)}), "conflict 0:present=1");
    EXPECT_FALSE(IsThere(Kept(other)));
    EXPECT_EQ(Apply({MakeKept(other, now_ms_ + 2 * kHourMs)}), "applied 1");
  }
  EXPECT_EQ(Ids({.kind = kept_.name, .index = "by_made"}), "a b0 b1 b2");
  EXPECT_EQ(Ids({.kind = kept_.name, .scope = "s"}, 1), "a b0 b1 b2") << "page by page";
}

TEST_F(StoreRetention, ARecordIsChangedAndDeletedWhereItLies) {
  EXPECT_EQ(Apply({MakeKept("a", now_ms_ + 2 * kHourMs), MakeKept("b", now_ms_ + 2 * kHourMs),
                   MakeKept("c", now_ms_ + 2 * kHourMs)}),
            "applied 1 1 1");
  ForgetBefore(kept_, now_ms_ + kHourMs);
  EXPECT_EQ(Apply({MakeKept("d", now_ms_ + 2 * kHourMs)}), "applied 1");
  EXPECT_EQ(Apply({Put{.ref = Kept("a"), .quiet = {{"touched", now_ms_}}, .expect = Expect::Rev(1)},
                   Put{.ref = Kept("d"), .quiet = {{"touched", now_ms_}}}}),
            "applied 1 1");
  EXPECT_EQ(Apply({Put{.ref = Kept("b"), .body = R"({"n":2})", .quiet = {{"made", now_ms_}}},
                   Delete{.ref = Kept("c"), .expect = Expect::Rev(1)}}),
            "applied 2 1");
  EXPECT_EQ(Apply({Check{.ref = Kept("b"), .rev = 2}}), "applied 2");
  EXPECT_FALSE(IsThere(Kept("c")));
  EXPECT_EQ(Ids({.kind = kept_.name, .scope = "s"}), "a b d");
  const RecordRef ref = Kept("a");
  const auto answer = store().Get(Within(), {&ref, 1});
  ASSERT_TRUE(answer.has_value()) << answer.error().ToString();
  EXPECT_EQ(answer->records.at(0)->quiet.at("touched"), Scalar(now_ms_));
}

TEST_F(StoreRetention, EveryBodyComesWithItsAge) {
  EXPECT_EQ(Apply({Put{.ref = Kept("a"), .body = "{}"}}), "invalid 0:invalid(made)");
  EXPECT_EQ(Apply({Put{.ref = Kept("a"), .body = "{}", .quiet = {{"made", Scalar()}}}}),
            "invalid 0:invalid(made)");
  EXPECT_EQ(Apply({Put{.ref = Line("a"), .body = "{}", .expect = Expect::Absent()}}),
            "invalid 0:invalid(at)");
  EXPECT_EQ(Apply({MakeKept("a", now_ms_)}), "applied 1");
  EXPECT_EQ(Apply({Put{.ref = Kept("a"), .quiet = {{"made", Scalar()}}}}),
            "invalid 0:invalid(made)");
  EXPECT_EQ(Apply({Put{.ref = Kept("a"), .quiet = {{"touched", Scalar()}}}}), "applied 1");
}

TEST_F(StoreRetention, WhatIsWrittenOnceIsNeverChanged) {
  EXPECT_EQ(Apply({MakeLine("a", now_ms_)}), "applied 1");
  const std::string body = R"({"at":1})";
  for (const Op& op : std::vector<Op>{
           Put{.ref = Line("a"), .body = body}, Put{.ref = Line("b"), .body = body},
           Put{.ref = Line("a"), .body = body, .expect = Expect::Rev(1)},
           Put{.ref = Line("b"), .body = body, .tombstone = true, .expect = Expect::Absent()},
           Put{.ref = Line("a")}, Delete{.ref = Line("a")},
           Delete{.ref = Line("a"), .expect = Expect::Rev(1)}}) {
    EXPECT_EQ(Apply({op}), "invalid 0:invalid(append_only)");
  }
  EXPECT_EQ(Apply({MakeLine("a", now_ms_)}), "conflict 0:present=1");
  EXPECT_EQ(Apply({Check{.ref = Line("a"), .rev = 1}, MakeLine("b", now_ms_)}), "applied 1 1");
  EXPECT_EQ(Apply({Check{.ref = Line("c")}}), "conflict 0:absent");
  EXPECT_EQ(Ids({.kind = line_.name, .index = "by_at", .scope = "s"}), "a b");
}

TEST_F(StoreRetention, OnlyWhatEndsByAgeIsForgottenAndOnlyByWhoMayTouchAll) {
  const auto told = [](const Result<bool>& forgotten) {
    return forgotten ? "forgotten" : std::string(CodeName(forgotten.error().code()));
  };
  EXPECT_EQ(told(Forget(Within(), store(), kind_data(), now_ms_)), "invalid");
  const ScopeSet mine = {"s"};
  Call bound = Within();
  bound.scopes = &mine;
  EXPECT_EQ(told(Forget(bound, store(), kept_, now_ms_)), "denied");
}

}  // namespace
}  // namespace a4c::conformance
