#include "tests/conformance/store/store_suite.h"

namespace a4c::conformance {
namespace {

class StoreGet : public StoreSuite {
 protected:
  // "a=1 - b=2†": id and rev of each record, a dash for none, a dagger for tombstones.
  std::string Told(const std::vector<RecordRef>& refs) {
    const Result<GetAnswer> answer = store().Get(Within(), refs);
    if (!answer) return std::string(CodeName(answer.error().code()));
    std::string text;
    for (const std::optional<Record>& record : answer->records) {
      if (!text.empty()) text += ' ';
      text += record ? record->ref.key.id + "=" + std::to_string(record->rev) +
                           (record->tombstone ? "†" : "")
                     : "-";
    }
    return text;
  }
};

TEST_F(StoreGet, AnswersInTheOrderOfTheRefs) {
  Create("a");
  Create("b");
  EXPECT_EQ(Apply({Put{.ref = Ref("b"), .body = "{}", .tombstone = true}}), "applied 2");
  Create("c");
  EXPECT_EQ(Told({Ref("c"), Ref("a"), Ref("b")}), "c=1 a=1 b=2†");
  EXPECT_EQ(Told({Ref("b"), Ref("nobody"), Ref("a"), Ref("a")}), "b=2† - a=1 a=1");
  EXPECT_EQ(Told({}), "");
}

TEST_F(StoreGet, OfAnotherScopeIsAbsent) {
  Create("a", "{}", {}, "s");
  EXPECT_EQ(Told({Ref("a"), Ref("a", "s"), Ref("a", "S")}), "- a=1 -");
}

TEST_F(StoreGet, ReadsSeveralKindsAtOnce) {
  const Kind other{.name = Unique("other")};
  ASSERT_TRUE(store().Ensure(Within(), {&other, 1}).has_value());
  const RecordRef elsewhere{other.name, {"", "x"}};
  Create("a");
  EXPECT_EQ(Apply({Put{.ref = elsewhere, .body = "{}", .min_rev = 5}}), "applied 5");
  EXPECT_EQ(Told({elsewhere, Ref("a"), Ref("x")}), "x=5 a=1 -");
}

TEST_F(StoreGet, ReadsManyAtOnce) {
  std::vector<WriteBatch> batches;
  std::vector<RecordRef> refs;
  for (int i = 0; i < 1000; ++i) {
    refs.push_back(Ref("id" + std::to_string(i)));
    if (i % 2 == 0) batches.push_back({{Put{.ref = refs.back(), .body = "{}"}}});
  }
  for (const BatchResult& result : ApplyAll(batches)) {
    ASSERT_EQ(result.outcome, BatchOutcome::kApplied);
  }
  const Result<GetAnswer> answer = store().Get(Within(), refs);
  ASSERT_TRUE(answer.has_value()) << answer.error().ToString();
  ASSERT_EQ(answer->records.size(), 1000u);
  for (size_t i = 0; i < 1000; ++i) {
    ASSERT_EQ(answer->records[i].has_value(), i % 2 == 0) << i;
    if (i % 2 == 0) {
      ASSERT_EQ(answer->records[i]->ref, refs[i]);
    }
  }
}

TEST_F(StoreGet, OfWhatCannotBeIsInvalid) {
  EXPECT_EQ(Told({{"unheard_of", {"", "a"}}}), "invalid");
  EXPECT_EQ(Told({Ref("")}), "invalid");
  EXPECT_EQ(Told({Ref(std::string("a\0", 2))}), "invalid");
  EXPECT_EQ(Told({Ref("\xff")}), "invalid");
}

TEST_F(StoreGet, SeesEveryWriteThatWasAnswered) {
  Create("a");
  for (int64_t rev = 2; rev <= 50; ++rev) {
    ASSERT_EQ(Apply({Put{.ref = Ref("a"), .body = "{}"}}), "applied " + std::to_string(rev));
    ASSERT_EQ(Told({Ref("a")}), "a=" + std::to_string(rev));
  }
}

}  // namespace
}  // namespace a4c::conformance
