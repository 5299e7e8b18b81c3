// Rebuild: a second generation beside the live one, and the swap.
#include "a4c/rebuild.h"

#include "a4c/digests.h"
#include "tests/conformance/search/search_fixture.h"

namespace a4c::conformance {
namespace {

class SearchIndexRebuild : public SearchIndexTest {
 protected:
  SearchIndexRebuild() : own_(KindOfAllTypes(Unique("gen"))), rebuild_(index_->As<Rebuild>()) {
    EXPECT_TRUE(index_->Ensure(Within(), {&own_, 1}));
  }

  void SetUp() override {
    if (Absent("rebuild")) GTEST_SKIP() << "declared absent";
    ASSERT_NE(rebuild_, nullptr);
  }

  Document Own(const std::string& id, int64_t rev, std::string body) const {
    Document document = Doc(id, rev, std::move(body));
    document.ref.kind = own_.name;
    return document;
  }

  std::unique_ptr<SearchIndex> NewGeneration(int64_t number) {
    const auto created = rebuild_->Create(Within(), own_, number);
    EXPECT_TRUE(created) << created.error().ToString();
    auto opened = rebuild_->Open(Within(), own_, number);
    EXPECT_TRUE(opened) << opened.error().ToString();
    return opened ? *std::move(opened) : nullptr;
  }

  BulkOutcome BulkInto(SearchIndex& index, const Document& document) {
    const auto results = index.Bulk(Within(), {&document, 1});
    EXPECT_TRUE(results) << results.error().ToString();
    EXPECT_TRUE(index.Refresh(Within(), own_.name));
    return results ? results->at(0).outcome : BulkOutcome::kRetry;
  }

  std::vector<std::string> FindIn(SearchIndex& index) {
    const auto answer = index.Search(Within(), {.kind = own_, .limit = 100});
    EXPECT_TRUE(answer) << answer.error().ToString();
    return answer ? IdsOf(*answer) : std::vector<std::string>{};
  }

  std::vector<IndexGeneration> Generations() {
    const auto list = rebuild_->Generations(Within(), own_);
    EXPECT_TRUE(list) << list.error().ToString();
    return list ? *list : std::vector<IndexGeneration>{};
  }

  const Kind own_;
  Rebuild* const rebuild_;
};

// Not of the class above, whose tests are skipped where there is nothing to rebuild with.
class SearchIndexRebuildAbsent : public SearchIndexTest {};

TEST_F(SearchIndexRebuildAbsent, IsNullIfAbsent) {
  EXPECT_EQ(index_->As<Rebuild>() == nullptr, Absent("rebuild"));
}

TEST_F(SearchIndexRebuild, EnsureMakesTheFirstGenerationAndItIsLive) {
  EXPECT_EQ(Generations(), (std::vector<IndexGeneration>{{1, true}}));
}

TEST_F(SearchIndexRebuild, ASecondGenerationIsEmptyAndNobodySearchesIt) {
  BulkInto(*index_, Own("a", 1, "{}"));
  const auto next = NewGeneration(2);
  EXPECT_EQ(Generations(), (std::vector<IndexGeneration>{{1, true}, {2, false}}));
  EXPECT_THAT(FindIn(*next), testing::IsEmpty());
  EXPECT_EQ(BulkInto(*next, Own("b", 1, "{}")), BulkOutcome::kApplied);
  EXPECT_THAT(FindIn(*next), testing::ElementsAre("b"));
  EXPECT_THAT(FindIn(*index_), testing::ElementsAre("a"));
}

TEST_F(SearchIndexRebuild, EachGenerationKnowsItsOwnVersions) {
  BulkInto(*index_, Own("a", 7, "{}"));
  const auto next = NewGeneration(2);
  EXPECT_EQ(BulkInto(*next, Own("a", 5, "{}")), BulkOutcome::kApplied);
  EXPECT_EQ(BulkInto(*next, Own("a", 4, "{}")), BulkOutcome::kStale);
  EXPECT_EQ(BulkInto(*index_, Own("a", 6, "{}")), BulkOutcome::kStale);
}

TEST_F(SearchIndexRebuild, SwapPutsItInPlaceForReadsAndWritesAndKeepsTheOld) {
  BulkInto(*index_, Own("old", 1, "{}"));
  const auto next = NewGeneration(2);
  BulkInto(*next, Own("new", 1, "{}"));
  const auto swapped = rebuild_->Swap(Within(), own_, 2);
  ASSERT_TRUE(swapped) << swapped.error().ToString();
  EXPECT_EQ(Generations(), (std::vector<IndexGeneration>{{1, false}, {2, true}}));
  ASSERT_TRUE(index_->Ensure(Within(), {&own_, 1}));
  EXPECT_THAT(FindIn(*index_), testing::ElementsAre("new"));
  EXPECT_EQ(BulkInto(*index_, Own("later", 1, "{}")), BulkOutcome::kApplied);
  EXPECT_THAT(FindIn(*next), testing::ElementsAre("later", "new"));
  const auto old = rebuild_->Open(Within(), own_, 1);
  ASSERT_TRUE(old) << old.error().ToString();
  EXPECT_THAT(FindIn(**old), testing::ElementsAre("old"));
}

TEST_F(SearchIndexRebuild, EveryStepMayBeRepeated) {
  NewGeneration(2);
  ASSERT_TRUE(rebuild_->Create(Within(), own_, 2));
  ASSERT_TRUE(rebuild_->Swap(Within(), own_, 2));
  ASSERT_TRUE(rebuild_->Swap(Within(), own_, 2));
  ASSERT_TRUE(rebuild_->Drop(Within(), own_, 1));
  ASSERT_TRUE(rebuild_->Drop(Within(), own_, 1));
  EXPECT_EQ(Generations(), (std::vector<IndexGeneration>{{2, true}}));
}

TEST_F(SearchIndexRebuild, ASwapThatComesLateChangesNothing) {
  NewGeneration(2);
  BulkInto(*NewGeneration(3), Own("new", 1, "{}"));
  ASSERT_TRUE(rebuild_->Swap(Within(), own_, 3));
  const auto late = rebuild_->Swap(Within(), own_, 2);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Code::kConflict);
  EXPECT_EQ(Generations(), (std::vector<IndexGeneration>{{1, false}, {2, false}, {3, true}}));
  EXPECT_THAT(FindIn(*index_), testing::ElementsAre("new"));
}

TEST_F(SearchIndexRebuild, CreateAgainKeepsWhatIsThere) {
  BulkInto(*NewGeneration(2), Own("a", 1, "{}"));
  EXPECT_THAT(FindIn(*NewGeneration(2)), testing::ElementsAre("a"));
}

TEST_F(SearchIndexRebuild, TheLiveOneIsNeitherCreatedNorDropped) {
  const auto created = rebuild_->Create(Within(), own_, 1);
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code(), Code::kConflict);
  const auto dropped = rebuild_->Drop(Within(), own_, 1);
  ASSERT_FALSE(dropped);
  EXPECT_EQ(dropped.error().code(), Code::kConflict);
}

TEST_F(SearchIndexRebuild, WhatIsNotThereIsNotFound) {
  const auto opened = rebuild_->Open(Within(), own_, 7);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Code::kNotFound);
  const auto swapped = rebuild_->Swap(Within(), own_, 7);
  ASSERT_FALSE(swapped);
  EXPECT_EQ(swapped.error().code(), Code::kNotFound);
  EXPECT_EQ(Generations(), (std::vector<IndexGeneration>{{1, true}}));
}

TEST_F(SearchIndexRebuild, AFieldOfAnotherTypeIsWhatTheNextGenerationIsFor) {
  Kind changed = own_;
  changed.fields[0].type = FieldType::kLong;  // state
  EXPECT_EQ(index_->Ensure(Within(), {&changed, 1}).error().code(), Code::kConflict);
  ASSERT_TRUE(rebuild_->Create(Within(), changed, 2));
  const auto next = rebuild_->Open(Within(), changed, 2);
  ASSERT_TRUE(next) << next.error().ToString();
  EXPECT_EQ(BulkInto(**next, Own("a", 1, R"({"state":7})")), BulkOutcome::kApplied);
  ASSERT_TRUE(rebuild_->Swap(Within(), changed, 2));
  const auto ensured = index_->Ensure(Within(), {&changed, 1});
  ASSERT_TRUE(ensured) << ensured.error().ToString();
  EXPECT_THAT(FindIn(*index_), testing::ElementsAre("a"));
}

TEST_F(SearchIndexRebuild, AGenerationHasDigestsOfItsOwnAndNoGenerations) {
  const auto next = NewGeneration(2);
  EXPECT_EQ(next->As<Rebuild>(), nullptr);
  if (Absent("digests")) return;
  BulkInto(*index_, Own("a", 1, "{}"));
  EXPECT_EQ(*next->As<Digests>()->Sums(Within(), own_), DigestSums{});
  BulkInto(*next, Own("a", 1, "{}"));
  EXPECT_EQ(*next->As<Digests>()->Sums(Within(), own_),
            *index_->As<Digests>()->Sums(Within(), own_));
}

TEST_F(SearchIndexRebuild, ASwapIsSeenByOtherInstances) {
  if (Absent("shared_instances")) return;
  const auto other = Make<SearchIndex>();
  ASSERT_TRUE(other->Ensure(Within(), {&own_, 1}));
  BulkInto(*NewGeneration(2), Own("new", 1, "{}"));
  ASSERT_TRUE(rebuild_->Swap(Within(), own_, 2));
  EXPECT_THAT(FindIn(*other), testing::ElementsAre("new"));
  EXPECT_EQ(BulkInto(*other, Own("later", 1, "{}")), BulkOutcome::kApplied);
  EXPECT_THAT(FindIn(*index_), testing::ElementsAre("later", "new"));
}

}  // namespace
}  // namespace a4c::conformance
