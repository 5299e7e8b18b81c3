#include "tests/conformance/store/store_suite.h"

namespace a4c::conformance {
namespace {

class StoreDurable : public StoreSuite {};

TEST_F(StoreDurable, WhatWasAppliedIsThereAfterReopening) {
  Create("a", R"({"name":"x","due":5})", {{"count", int64_t{3}}, {"busy", true}, {"load", 0.25}});
  Create("b", R"({"name":"y"})");
  EXPECT_EQ(Apply({Put{.ref = Ref("b"), .body = "{}", .tombstone = true}}), "applied 2");
  Reopen();
  if (Absent("durable")) {
    EXPECT_FALSE(Read("a").has_value());
    return;
  }
  const std::optional<Record> record = Read("a");
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->body, R"({"name":"x","due":5})");
  EXPECT_EQ(record->rev, 1);
  EXPECT_EQ(record->quiet, (FieldValues{{"count", int64_t{3}}, {"busy", true}, {"load", 0.25}}));
  EXPECT_TRUE(Read("b")->tombstone);
  EXPECT_EQ(Ids(By("by_due")), "a");
  EXPECT_EQ(Apply({Put{.ref = Ref("c"), .body = R"({"name":"x"})"}}), "conflict 0:unique(by_name)");
}

TEST_F(StoreDurable, InstancesShareTheirRecordsOrSayThatTheyDoNot) {
  Create("a");
  if (Absent("shared_instances")) return;
  const std::unique_ptr<Store> other = Make<Store>();
  ASSERT_NE(other, nullptr);
  ASSERT_TRUE(other->Ensure(Within(), {&kind_data(), 1}).has_value());
  const RecordRef ref = Ref("a");
  const Result<GetAnswer> answer = other->Get(Within(), {&ref, 1});
  ASSERT_TRUE(answer.has_value()) << answer.error().ToString();
  EXPECT_TRUE(answer->records.at(0).has_value());
}

}  // namespace
}  // namespace a4c::conformance
