#include <gtest/gtest.h>

#include <cmath>

#include "sample_kind.h"

namespace a4c {
namespace {

// "0:name 2:min_rev": the failed ops and their fields.
std::string Faults(std::vector<Op> ops) {
  const Kinds kinds = SampleKinds();
  const WriteBatch batch{std::move(ops)};
  std::string text;
  for (const OpFailure& failure : CheckBatch(AnyCall(), kinds, batch).failures) {
    EXPECT_EQ(failure.reason, OpFailure::Reason::kInvalid);
    EXPECT_FALSE(failure.message.empty());
    text += (text.empty() ? "" : " ") + std::to_string(failure.op) + ":" + failure.field;
  }
  return text;
}

Put Create(const std::string& id, const std::string& body = "{}") {
  return {.ref = Sample(id), .body = body, .expect = Expect::Absent()};
}

TEST(CheckBatch, OfAGoodBatchHasNoFailures) {
  EXPECT_EQ(Faults({Create("a", R"({"name":"x"})"), Delete{Sample("b")}, Check{Sample("a")},
                    Add{.ref = Sample("c"), .field = "count", .delta = 1}}),
            "");
  EXPECT_EQ(Faults({}), "");
}

TEST(CheckBatch, NamesEveryWrongOpOnceAndItsField) {
  EXPECT_EQ(Faults({Create("a", R"({"name":1})"), Create("b"), Create("", "{}"),
                    Put{.ref = {"unknown", {"", "a"}}, .body = "{}"}, Create("c", "[]"),
                    Put{.ref = Sample("d"), .quiet = {{"name", "x"}}},
                    Put{.ref = Sample("e"), .quiet = {{"count", 1.5}}}}),
            "0:name 2:key 3:kind 4:body 5:name 6:count");
}

TEST(CheckBatch, RefusesASecondPutOrDeleteOfOneRecord) {
  EXPECT_EQ(Faults({Create("a"), Delete{Sample("a")}, Create("a")}), "1:key 2:key");
  EXPECT_EQ(Faults({Create("a"), Delete{Sample("a", "other scope")}}), "");
}

TEST(CheckBatch, RefusesAValueOfAUniqueIndexClaimedTwice) {
  EXPECT_EQ(Faults({Create("a", R"({"name":"x"})"), Create("b", R"({"name":"x"})")}), "1:by_name");
  EXPECT_EQ(Faults({Create("a"), Create("b")}), "") << "a record without a name claims none";
  EXPECT_EQ(Faults({Create("a", R"({"name":"x"})"),
                    Put{.ref = Sample("b"), .body = R"({"name":"x"})", .tombstone = true}}),
            "");
}

TEST(CheckBatch, AnAddNeedsAnOwnerThatCannotPassTwice) {
  const Add add{.ref = Sample("c"), .field = "count", .delta = 1};
  EXPECT_EQ(Faults({add}), "0:count");
  EXPECT_EQ(Faults({add, Put{.ref = Sample("a"), .body = "{}"}}), "0:count");
  EXPECT_EQ(Faults({add, Put{.ref = Sample("a"), .expect = Expect::Rev(1)}}), "0:count");
  EXPECT_EQ(Faults({add, Delete{Sample("a"), Expect::Absent()}}), "0:count");
  EXPECT_EQ(Faults({add, Delete{Sample("a")}}), "0:count");
  EXPECT_EQ(Faults({add, Check{Sample("a"), 1}}), "0:count");
  EXPECT_EQ(Faults({add, Delete{Sample("a"), Expect::Rev(1)}}), "");
  EXPECT_EQ(Faults({add, Put{.ref = Sample("a"), .body = "{}", .expect = Expect::Rev(1)}}), "");
}

TEST(CheckBatch, AnAddNamesAQuietIntegerThatNoOtherOpChanges) {
  const auto add = [](const char* field) {
    return Add{.ref = Sample("c"), .field = field, .delta = 1};
  };
  EXPECT_EQ(Faults({Create("a"), add("name")}), "1:name");
  EXPECT_EQ(Faults({Create("a"), add("since")}), "1:since");
  EXPECT_EQ(Faults({Create("a"), add("unheard_of")}), "1:unheard_of");
  EXPECT_EQ(Faults({Create("a"), add("count"), add("count")}), "2:count");
  EXPECT_EQ(Faults({Create("a"), add("count"), add("other")}), "");
  EXPECT_EQ(Faults({Create("a"), Put{.ref = Sample("c"), .quiet = {{"count", {}}}}, add("count")}),
            "2:count");
  EXPECT_EQ(Faults({Create("a"), Add{Sample("c"), "count", 1, 2, 1}}), "1:count");
}

TEST(CheckBatch, APutWithoutABodyOnlySetsQuietFields) {
  EXPECT_EQ(Faults({Put{.ref = Sample("a"), .tombstone = true}}), "0:tombstone");
  EXPECT_EQ(Faults({Put{.ref = Sample("a"), .min_rev = 5}}), "0:min_rev");
  EXPECT_EQ(Faults({Put{.ref = Sample("a"), .expect = Expect::Absent()}}), "0:expect");
  EXPECT_EQ(Faults({Put{.ref = Sample("a")}}), "") << "a touch";
}

TEST(CheckBatch, KeepsRevsFarFromOverflow) {
  EXPECT_EQ(Faults({Put{.ref = Sample("a"), .body = "{}", .min_rev = kRevMax}}), "");
  EXPECT_EQ(Faults({Put{.ref = Sample("a"), .body = "{}", .min_rev = kRevMax + 1}}), "0:min_rev");
  EXPECT_EQ(Faults({Put{.ref = Sample("a"), .body = "{}", .min_rev = -1}}), "0:min_rev");
}

TEST(CheckBatch, RefusesNumbersThatHaveNoPlaceInAnOrder) {
  Kinds kinds = SampleKinds();
  kinds["sample"].fields.push_back({.name = "load", .type = FieldType::kDouble, .quiet = true});
  const WriteBatch batch{{Put{.ref = Sample("a"), .quiet = {{"load", std::nan("")}}}}};
  const CheckedBatch checked = CheckBatch(AnyCall(), kinds, batch);
  ASSERT_EQ(checked.failures.size(), 1u);
  EXPECT_EQ(checked.failures[0].field, "load");
}

TEST(RefsOf, AreSortedAndNamedOnceAndLeaveOutWrongBatches) {
  const Kinds kinds = SampleKinds();
  const std::vector<WriteBatch> batches = {
      {{Delete{Sample("b")}, Check{Sample("a")}}}, {{Check{Sample("b")}}}, {{Delete{Sample("")}}}};
  std::vector<CheckedBatch> checked;
  for (const WriteBatch& batch : batches) checked.push_back(CheckBatch(AnyCall(), kinds, batch));
  EXPECT_EQ(RefsOf(checked), (std::vector<RecordRef>{Sample("a"), Sample("b")}));
}

TEST(CheckRefs, RefusesUnknownKindsAndImpossibleKeys) {
  const Kinds kinds = SampleKinds();
  const auto check = [&](RecordRef ref) {
    return CheckRefs(AnyCall(), kinds, {&ref, 1}).has_value();
  };
  EXPECT_TRUE(check(Sample("a")));
  EXPECT_TRUE(check(Sample(std::string(256, 'a'))));
  EXPECT_FALSE(check(Sample(std::string(257, 'a'))));
  EXPECT_FALSE(check(Sample("")));
  EXPECT_FALSE(check(Sample(std::string("a\0b", 3))));
  EXPECT_FALSE(check({"unknown", {"", "a"}}));
}

}  // namespace
}  // namespace a4c
