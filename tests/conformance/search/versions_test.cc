// External versions: the highest rev wins, whatever the order; stale answers tell what is stored.
#include <map>
#include <random>

#include "tests/conformance/search/search_fixture.h"

namespace a4c::conformance {
namespace {

using SearchIndexVersions = SearchIndexTest;
using testing::ElementsAre;
using testing::IsEmpty;

std::string BodyOf(int64_t rev) {
  return R"({"views":)" + std::to_string(rev) + "}";
}

TEST_F(SearchIndexVersions, ANewerRevReplacesAndAnOlderOneDoesNot) {
  Add({Doc("a", 5, BodyOf(5))});
  EXPECT_EQ(Bulk({Doc("a", 4, BodyOf(4))})[0].outcome, BulkOutcome::kStale);
  Refresh();
  EXPECT_THAT(Find("views:5"), ElementsAre("a"));
  Add({Doc("a", 7, BodyOf(7))});
  EXPECT_THAT(Find("views:5"), IsEmpty());
  const SearchAnswer answer = Search(Request("views:7"));
  ASSERT_EQ(answer.hits.size(), 1u);
  EXPECT_EQ(answer.hits[0].rev, 7);
  EXPECT_EQ(answer.hits[0].body, BodyOf(7));
  EXPECT_EQ(answer.hits[0].ref, Doc("a", 7, "").ref);
}

TEST_F(SearchIndexVersions, ShuffledAndRepeatedTheHighestRevStays) {
  for (uint32_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    std::vector<Document> documents;
    for (int n = 0; n < 15; ++n) {
      for (int64_t rev = 1; rev <= 5; ++rev) {
        const std::string id = std::to_string(seed) + "-" + std::to_string(n);
        for (uint32_t times = 1 + random() % 2; times > 0; --times) {
          documents.push_back(Doc(id, rev, BodyOf(seed * 1000 + static_cast<uint32_t>(rev))));
        }
      }
    }
    std::ranges::shuffle(documents, random);
    std::map<std::string, int64_t> highest;
    for (size_t at = 0; at < documents.size();) {
      const size_t end = std::min(documents.size(), at + 1 + random() % 40);
      const std::vector<Document> some(documents.begin() + static_cast<long>(at),
                                       documents.begin() + static_cast<long>(end));
      const auto results = Bulk(some);
      for (size_t i = 0; i < some.size(); ++i) {
        int64_t& rev = highest[some[i].ref.key.id];
        if (some[i].rev > rev) {
          EXPECT_EQ(results[i].outcome, BulkOutcome::kApplied);
          rev = some[i].rev;
          continue;
        }
        ASSERT_EQ(results[i].outcome, BulkOutcome::kStale);
        ASSERT_TRUE(results[i].stored);
        EXPECT_GE(results[i].stored->rev, some[i].rev);
      }
      at = end;
    }
    Refresh();
    EXPECT_EQ(Search(Request("views:" + std::to_string(seed * 1000 + 5))).total, 15);
    EXPECT_EQ(Search(Request("views >= " + std::to_string(seed * 1000) + " and views < " +
                             std::to_string(seed * 1000 + 1000)))
                  .total,
              15);
  }
}

TEST_F(SearchIndexVersions, AStaleAnswerTellsWhatIsStoredBeforeAnyRefresh) {
  Document stored = Doc("a", 5, BodyOf(5));
  stored.projection = 3;
  ASSERT_EQ(Bulk({stored})[0].outcome, BulkOutcome::kApplied);
  for (const int64_t rev : {1, 5}) {
    const auto result = Bulk({Doc("a", rev, R"({"other":"body"})")})[0];
    EXPECT_EQ(result.outcome, BulkOutcome::kStale);
    ASSERT_TRUE(result.stored);
    EXPECT_EQ(result.stored->rev, 5);
    EXPECT_EQ(result.stored->body_hash, BodyHash(stored.body));
    EXPECT_FALSE(result.stored->tombstone);
    EXPECT_EQ(result.stored->projection, 3);
  }
  ASSERT_EQ(Bulk({Tombstone("a", 6)})[0].outcome, BulkOutcome::kApplied);
  const auto result = Bulk({stored})[0];
  ASSERT_TRUE(result.stored);
  EXPECT_EQ(result.stored->rev, 6);
  EXPECT_EQ(result.stored->body_hash, BodyHash("{}"));
  EXPECT_TRUE(result.stored->tombstone);
  EXPECT_EQ(result.stored->projection, 1);
}

TEST_F(SearchIndexVersions, StaleAndAppliedOfOneBulkAreTold) {
  Add({Doc("a", 9, BodyOf(9)), Doc("c", 9, BodyOf(10))});
  const auto results =
      Bulk({Doc("a", 1, "{}"), Doc("b", 1, "{}"), Doc("c", 8, "{}"), Doc("d", 1, "{}")});
  EXPECT_EQ(results[0].outcome, BulkOutcome::kStale);
  EXPECT_EQ(results[1].outcome, BulkOutcome::kApplied);
  EXPECT_EQ(results[2].outcome, BulkOutcome::kStale);
  EXPECT_EQ(results[3].outcome, BulkOutcome::kApplied);
  ASSERT_TRUE(results[0].stored && results[2].stored);
  EXPECT_EQ(results[0].stored->body_hash, BodyHash(BodyOf(9)));
  EXPECT_EQ(results[2].stored->body_hash, BodyHash(BodyOf(10)));
}

TEST_F(SearchIndexVersions, ATombstoneIsNotFoundAndKeepsOlderRevsOut) {
  Add({Doc("a", 1, BodyOf(1)), Doc("b", 1, BodyOf(1))});
  Add({Tombstone("a", 2)});
  EXPECT_THAT(Find("*"), ElementsAre("b"));
  EXPECT_EQ(Bulk({Doc("a", 1, BodyOf(1))})[0].outcome, BulkOutcome::kStale);
  Refresh();
  EXPECT_THAT(Find("views:1"), ElementsAre("b"));
  EXPECT_THAT(Find("not views:77"), ElementsAre("b"));
  Add({Doc("a", 3, BodyOf(3))});
  EXPECT_THAT(Find("*"), ElementsAre("a", "b"));
}

TEST_F(SearchIndexVersions, RemoveForgetsTheRevToo) {
  Add({Doc("a", 8, BodyOf(8)), Tombstone("b", 8), Doc("c", 8, BodyOf(8))});
  const std::vector<Purge> purges = {
      {Doc("a", 1, "").ref}, {Doc("b", 1, "").ref}, {Doc("never", 1, "").ref}};
  for (int times = 0; times < 2; ++times) {
    const auto results = index_->Remove(Within(), purges);
    ASSERT_TRUE(results) << results.error().ToString();
    ASSERT_EQ(results->size(), 3u);
    for (const BulkResult& result : *results) EXPECT_EQ(result.outcome, BulkOutcome::kApplied);
    Refresh();
  }
  EXPECT_THAT(Find("*"), ElementsAre("c"));
  Add({Doc("a", 1, BodyOf(1)), Doc("b", 1, BodyOf(1))});
  EXPECT_THAT(Find("views:1"), ElementsAre("a", "b"));
}

TEST_F(SearchIndexVersions, AnotherInstanceSeesTheSameDocuments) {
  const auto other = Make<SearchIndex>();
  ASSERT_TRUE(other->Ensure(Within(), {&kind_, 1}));
  Add({Doc("a", 2, BodyOf(2))});
  const std::vector<Document> same = {Doc("a", 2, BodyOf(2))};
  const auto results = other->Bulk(Within(), same);
  ASSERT_TRUE(results);
  const auto answer = other->Search(Within(), Request("views:2"));
  ASSERT_TRUE(answer);
  if (Absent("shared_instances")) {
    EXPECT_EQ(results->at(0).outcome, BulkOutcome::kApplied);
    EXPECT_EQ(answer->total, 0);
  } else {
    EXPECT_EQ(results->at(0).outcome, BulkOutcome::kStale);
    EXPECT_EQ(answer->total, 1);
  }
}

TEST_F(SearchIndexVersions, TheLargestRevIsKept) {
  const int64_t rev = int64_t{1} << 53;
  Add({Doc("a", rev + 1, BodyOf(1))});
  EXPECT_EQ(Search(Request("*")).hits.at(0).rev, rev + 1);
  EXPECT_EQ(Bulk({Doc("a", rev, "{}")})[0].stored.value_or(StoredVersion{}).rev, rev + 1);
}

}  // namespace
}  // namespace a4c::conformance
