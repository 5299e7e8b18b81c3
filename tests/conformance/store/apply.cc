#include "tests/conformance/store/store_suite.h"

namespace a4c::conformance {
namespace {

class StoreApply : public StoreSuite {
 protected:
  std::string PutBody(const std::string& id, Expect expect, int64_t min_rev = 0) {
    return Apply({Put{.ref = Ref(id), .body = R"({"n":1})", .expect = expect, .min_rev = min_rev}});
  }
};

TEST_F(StoreApply, ACreatedRecordIsReadAsItWasPut) {
  const std::string body = "{ \"title\" : \"Pier\",\n \"n\":1.50e0 }";
  Create("a", body, {{"count", int64_t{7}}, {"holder", "me"}}, "scope");
  const std::optional<Record> record = Read("a", "scope");
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->rev, 1);
  EXPECT_EQ(record->body, body);
  EXPECT_FALSE(record->tombstone);
  EXPECT_EQ(record->quiet, (FieldValues{{"count", int64_t{7}}, {"holder", "me"}}));
}

TEST_F(StoreApply, AnyTakesWhatIsThere) {
  EXPECT_EQ(PutBody("a", Expect::Any()), "applied 1");
  EXPECT_EQ(PutBody("a", Expect::Any()), "applied 2");
}

TEST_F(StoreApply, AbsentIsAConflictWhereARecordIs) {
  Create("a", R"({"old":1})");
  EXPECT_EQ(PutBody("a", Expect::Absent()), "conflict 0:present=1");
  EXPECT_EQ(Read("a")->body, R"({"old":1})") << "a conflict changes nothing";
}

TEST_F(StoreApply, ARevIsExpectedExactly) {
  EXPECT_EQ(PutBody("a", Expect::Rev(1)), "conflict 0:absent");
  Create("a");
  EXPECT_EQ(PutBody("a", Expect::Rev(1)), "applied 2");
  EXPECT_EQ(PutBody("a", Expect::Rev(1)), "conflict 0:rev=2");
  EXPECT_EQ(PutBody("a", Expect::Rev(3)), "conflict 0:rev=2");
  EXPECT_EQ(PutBody("a", Expect::Rev(2)), "applied 3");
  EXPECT_EQ(Read("a")->rev, 3);
}

TEST_F(StoreApply, MinRevLiftsTheRevAndNeverLowersIt) {
  EXPECT_EQ(PutBody("a", Expect::Absent(), 10), "applied 10");
  EXPECT_EQ(PutBody("a", Expect::Rev(10), 5), "applied 11");
  EXPECT_EQ(PutBody("a", Expect::Any(), 11), "applied 12");
  EXPECT_EQ(PutBody("a", Expect::Any(), 1'000'000'000'000), "applied 1000000000000");
  EXPECT_EQ(Read("a")->rev, 1'000'000'000'000);
}

TEST_F(StoreApply, ATombstoneIsARecord) {
  Create("a");
  EXPECT_EQ(Apply({Put{.ref = Ref("a"), .body = "{}", .tombstone = true}}), "applied 2");
  ASSERT_TRUE(Read("a").has_value());
  EXPECT_TRUE(Read("a")->tombstone);
  EXPECT_EQ(PutBody("a", Expect::Absent()), "conflict 0:present=2");
  EXPECT_EQ(PutBody("a", Expect::Rev(2)), "applied 3");
  EXPECT_FALSE(Read("a")->tombstone) << "set as given by each Put with a body";
}

TEST_F(StoreApply, ADeletedRecordIsGone) {
  Create("a");
  Create("b");
  EXPECT_EQ(Apply({Delete{Ref("a")}}), "applied 1");
  EXPECT_FALSE(Read("a").has_value());
  EXPECT_TRUE(Read("b").has_value());
  EXPECT_EQ(PutBody("a", Expect::Absent()), "applied 1") << "its rev is forgotten";
}

TEST_F(StoreApply, ADeleteExpectsToo) {
  EXPECT_EQ(Apply({Delete{Ref("a")}}), "applied 0") << "any: absent will do";
  EXPECT_EQ(Apply({Delete{Ref("a"), Expect::Rev(1)}}), "conflict 0:absent");
  EXPECT_EQ(Apply({Delete{Ref("a"), Expect::Absent()}}), "applied 0");
  Create("a");
  EXPECT_EQ(Apply({Delete{Ref("a"), Expect::Absent()}}), "conflict 0:present=1");
  EXPECT_EQ(Apply({Delete{Ref("a"), Expect::Rev(2)}}), "conflict 0:rev=1");
  EXPECT_EQ(Apply({Delete{Ref("a"), Expect::Rev(1)}}), "applied 1");
}

TEST_F(StoreApply, OneBatchWritesManyRecordsOfManyKinds) {
  const Kind other{.name = Unique("other"), .fields = {{.name = "x"}}};
  ASSERT_TRUE(store().Ensure(Within(), {&other, 1}).has_value());
  const RecordRef elsewhere{other.name, {"s", "a"}};
  EXPECT_EQ(Apply({Put{.ref = Ref("a"), .body = "{}", .expect = Expect::Absent()},
                   Put{.ref = elsewhere, .body = R"({"x":"y"})", .min_rev = 3},
                   Put{.ref = Ref("b"), .body = "{}"}, Delete{Ref("c")}}),
            "applied 1 3 1 0");
  const Result<GetAnswer> answer = store().Get(Within(), {&elsewhere, 1});
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->records.at(0)->rev, 3);
}

TEST_F(StoreApply, ABatchThatCreatesDeletesToo) {
  Create("b");
  Create("c");
  const Put create{.ref = Ref("a"), .body = "{}", .expect = Expect::Absent()};
  EXPECT_EQ(Apply({create, Delete{Ref("b"), Expect::Absent()}}), "conflict 1:present=1");
  EXPECT_FALSE(Read("a").has_value());
  EXPECT_EQ(Apply({create, Delete{Ref("b")}, Delete{Ref("none")}}), "applied 1 1 0");
  EXPECT_TRUE(Read("a").has_value());
  EXPECT_FALSE(Read("b").has_value());
  EXPECT_TRUE(Read("c").has_value());
}

TEST_F(StoreApply, ABatchWithOneFailedOpChangesNothing) {
  Create("b");
  EXPECT_EQ(Apply({Put{.ref = Ref("a"), .body = "{}"},
                   Put{.ref = Ref("b"), .body = "{}", .expect = Expect::Absent()},
                   Delete{Ref("b", "elsewhere")}}),
            "conflict 1:present=1");
  EXPECT_FALSE(Read("a").has_value());
}

TEST_F(StoreApply, ScopesKeepRecordsApart) {
  Create("a", R"({"n":1})", {}, "one");
  Create("a", R"({"n":2})", {}, "two");
  EXPECT_EQ(Read("a", "one")->body, R"({"n":1})");
  EXPECT_EQ(Read("a", "two")->body, R"({"n":2})");
  EXPECT_FALSE(Read("a", "three").has_value());
  EXPECT_EQ(Apply({Delete{Ref("a", "one")}}), "applied 1");
  EXPECT_TRUE(Read("a", "two").has_value());
}

TEST_F(StoreApply, AnEmptyBatchAndNoBatchesAreNothingToDo) {
  EXPECT_EQ(Apply({}), "applied");
  EXPECT_TRUE(ApplyAll({}).empty());
}

}  // namespace
}  // namespace a4c::conformance
