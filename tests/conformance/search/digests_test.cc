// Digests: the sums of an index equal those computed from its documents.
#include "a4c/digests.h"

#include <map>
#include <random>

#include "tests/conformance/search/search_fixture.h"

namespace a4c::conformance {
namespace {

class SearchIndexDigests : public SearchIndexTest {
 protected:
  SearchIndexDigests() : own_(KindOfAllTypes(Unique("sums"))) {
    EXPECT_TRUE(index_->Ensure(Within(), {&own_, 1}));
  }

  Document Own(const std::string& id, int64_t rev, std::string body) const {
    Document document = Doc(id, rev, std::move(body));
    document.ref.kind = own_.name;
    return document;
  }

  static void Count(DigestSums& sums, const Document& document) {
    const std::string& id = document.ref.key.id;
    DigestBucketSum& bucket = sums[static_cast<size_t>(DigestBucket(id))];
    ++bucket.count;
    bucket.sum += DigestOf(id, document.rev, BodyHash(document.body), false, document.projection);
  }

  DigestSums Sums() {
    EXPECT_TRUE(index_->Refresh(Within(), own_.name));
    auto sums = index_->As<Digests>()->Sums(Within(), own_);
    EXPECT_TRUE(sums) << sums.error().ToString();
    return sums ? *sums : DigestSums{};
  }

  const Kind own_;
};

TEST_F(SearchIndexDigests, AreNullIfAbsent) {
  EXPECT_EQ(index_->As<Digests>() == nullptr, Absent("digests"));
}

TEST_F(SearchIndexDigests, OfNothingAreZero) {
  if (Absent("digests")) return;
  EXPECT_EQ(Sums(), DigestSums{});
}

TEST_F(SearchIndexDigests, AreTheSumsOfLivingDocuments) {
  if (Absent("digests")) return;
  std::mt19937 random(7);
  std::vector<Document> documents;
  for (int i = 0; i < 3000; ++i) {
    documents.push_back(Own(std::to_string(i), 1 + random() % 9,
                            R"({"views":)" + std::to_string(random() % 100) + "}"));
    documents.back().projection = 1 + static_cast<int>(random() % 3);
    documents.back().tombstone = i % 7 == 0;
  }
  DigestSums expected{};
  for (const Document& document : documents) {
    if (!document.tombstone) Count(expected, document);
  }
  for (const BulkResult& result : Bulk(documents)) EXPECT_EQ(result.outcome, BulkOutcome::kApplied);
  EXPECT_EQ(Sums(), expected);
}

TEST_F(SearchIndexDigests, RowsOfBucketsAreTheirLivingDocuments) {
  if (Absent("digests")) return;
  std::vector<Document> documents;
  for (int i = 0; i < 500; ++i) {
    documents.push_back(Own(std::to_string(i), 1 + i % 3, "{}"));
    documents.back().tombstone = i % 5 == 0;
  }
  for (const BulkResult& result : Bulk(documents)) EXPECT_EQ(result.outcome, BulkOutcome::kApplied);
  ASSERT_TRUE(index_->Refresh(Within(), own_.name));
  const std::vector<int> buckets = {DigestBucket(Id("0")), DigestBucket(Id("1")),  // 0 is deleted
                                    DigestBucket(Id("2")), 1023};
  std::map<Key, std::pair<int64_t, uint32_t>> expected;
  for (const Document& d : documents) {
    const std::string& id = d.ref.key.id;
    if (d.tombstone || std::ranges::count(buckets, DigestBucket(id)) == 0) continue;
    expected[d.ref.key] = {d.rev, DigestOf(id, d.rev, BodyHash(d.body), false, d.projection)};
  }
  const auto rows = index_->As<Digests>()->Rows(Within(), own_, buckets);
  ASSERT_TRUE(rows) << rows.error().ToString();
  std::map<Key, std::pair<int64_t, uint32_t>> got;
  for (const DigestRow& row : *rows) got[row.key] = {row.rev, row.digest};
  EXPECT_EQ(got, expected);
  EXPECT_EQ(rows->size(), expected.size());
  const auto none = index_->As<Digests>()->Rows(Within(), own_, {});
  ASSERT_TRUE(none) << none.error().ToString();
  EXPECT_TRUE(none->empty());
}

TEST_F(SearchIndexDigests, FollowEveryChange) {
  if (Absent("digests")) return;
  const Document first = Own("a", 1, "{}");
  Document changed = Own("a", 2, R"({"views":1})");
  DigestSums expected{};
  Bulk({first});
  Count(expected, first);
  EXPECT_EQ(Sums(), expected);
  expected = {};
  Bulk({changed});
  Count(expected, changed);
  EXPECT_EQ(Sums(), expected);
  changed.rev = 3;
  changed.tombstone = true;
  Bulk({changed});
  EXPECT_EQ(Sums(), DigestSums{});
}

}  // namespace
}  // namespace a4c::conformance
