// The sums that prove a store and its index equal: those of core over any store, and those that a
// store offers itself.
#include "a4c/digests.h"

#include <algorithm>
#include <map>

#include "tests/conformance/store/store_suite.h"

namespace a4c::conformance {
namespace {

enum class DigestsOf : uint8_t {
  kCore,   // NewStoreDigests()
  kStore,  // store.As<Digests>(); core's again if it offers none
};

class StoreDigests : public StoreSuite, public testing::WithParamInterface<DigestsOf> {
 protected:
  using RowsByKey = std::map<Key, std::pair<int64_t, uint32_t>>;

  void SetUp() override {
    StoreSuite::SetUp();
    // Of no version that anything takes for granted.
    sums_ = {.name = Unique("sums"), .version = 3};
    const Result<void> ensured = store().Ensure(Within(), {&sums_, 1});
    ASSERT_TRUE(ensured.has_value()) << ensured.error().ToString();
    digests_ = GetParam() == DigestsOf::kStore ? store().As<Digests>() : nullptr;
    if (digests_ == nullptr) {
      generic_ = NewStoreDigests(store());
      digests_ = generic_.get();
    }
  }

  RecordRef Of(const std::string& id, const std::string& scope = "") const {
    return {sums_.name, {scope, id}};
  }
  DigestSums Sums(const Kind& kind) {
    const Result<DigestSums> sums = digests_->Sums(Within(), kind);
    EXPECT_TRUE(sums.has_value()) << sums.error().ToString();
    return sums ? *sums : DigestSums{};
  }
  std::vector<DigestRow> Rows(std::span<const int> buckets) {
    Result<std::vector<DigestRow>> rows = digests_->Rows(Within(), sums_, buckets);
    EXPECT_TRUE(rows.has_value()) << rows.error().ToString();
    return rows ? *std::move(rows) : std::vector<DigestRow>();
  }

  // Writes records of many revs, bodies and scopes, some of them deleted, and says what lives.
  RowsByKey WriteMany() {
    RowsByKey living;
    std::vector<WriteBatch> batches;
    for (int i = 0; i < 300; ++i) {
      const RecordRef ref = Of(std::to_string(i), std::to_string(i % 4));
      const std::string body = R"({ "n" : )" + std::to_string(i % 50) + "}\n";
      const int64_t rev = i % 9 == 0 ? 5'000'000'000 : i % 5 + 1;
      const bool tombstone = i % 7 == 0;
      batches.push_back({{Put{.ref = ref, .body = body, .tombstone = tombstone, .min_rev = rev}}});
      if (tombstone) continue;
      living[ref.key] = {rev, DigestOf(ref.key.id, rev, BodyHash(body), false, sums_.version)};
    }
    for (const BatchResult& result : ApplyAll(batches)) {
      EXPECT_EQ(result.outcome, BatchOutcome::kApplied) << Told(result);
    }
    return living;
  }
  static DigestSums SumsOf(const RowsByKey& rows) {
    DigestSums sums{};
    for (const auto& [key, row] : rows) {
      DigestBucketSum& bucket = sums.at(static_cast<size_t>(DigestBucket(key.id)));
      ++bucket.count;
      bucket.sum += row.second;
    }
    return sums;
  }
  // Of the one record "a".
  DigestSums SumsOfOne(int64_t rev, const std::string& body) const {
    const uint32_t digest = DigestOf("a", rev, BodyHash(body), false, sums_.version);
    return SumsOf({{Of("a").key, {rev, digest}}});
  }

  Kind sums_;

 private:
  std::unique_ptr<Digests> generic_;
  Digests* digests_ = nullptr;
};

TEST_P(StoreDigests, OfNothingAreZero) {
  EXPECT_EQ(Sums(sums_), DigestSums{});
}

TEST_P(StoreDigests, AreTheSumsOfLivingRecordsInAllScopes) {
  EXPECT_EQ(Sums(sums_), SumsOf(WriteMany()));
}

TEST_P(StoreDigests, RowsOfBucketsAreTheirLivingRecords) {
  const RowsByKey living = WriteMany();
  const std::vector<int> buckets = {DigestBucket("0"), DigestBucket("1"),  // 0 is deleted
                                    DigestBucket("2"), 1023};
  RowsByKey expected;
  for (const auto& [key, row] : living) {
    if (std::ranges::count(buckets, DigestBucket(key.id)) > 0) expected[key] = row;
  }
  const std::vector<DigestRow> rows = Rows(buckets);
  RowsByKey got;
  for (const DigestRow& row : rows) got[row.key] = {row.rev, row.digest};
  EXPECT_EQ(got, expected);
  EXPECT_EQ(rows.size(), expected.size());
  EXPECT_TRUE(Rows({}).empty());
}

TEST_P(StoreDigests, FollowEveryChange) {
  const std::string first = R"({"n":1})";
  const std::string second = R"({"n":2})";
  EXPECT_EQ(Apply({Put{.ref = Of("a"), .body = first}}), "applied 1");
  EXPECT_EQ(Sums(sums_), SumsOfOne(1, first));
  EXPECT_EQ(Apply({Put{.ref = Of("a"), .body = second}}), "applied 2");
  EXPECT_EQ(Sums(sums_), SumsOfOne(2, second));
  EXPECT_EQ(Apply({Put{.ref = Of("a"), .body = second, .tombstone = true}}), "applied 3");
  EXPECT_EQ(Sums(sums_), DigestSums{});
  EXPECT_EQ(Apply({Put{.ref = Of("a"), .body = first}}), "applied 4");
  EXPECT_EQ(Sums(sums_), SumsOfOne(4, first));
  EXPECT_EQ(Apply({Delete{Of("a")}}), "applied 4");
  EXPECT_EQ(Sums(sums_), DigestSums{});
}

TEST_P(StoreDigests, QuietValuesAreNoPartOfThem) {
  Create("a", "{}", {{"count", int64_t{1}}});
  const DigestSums before = Sums(kind_data());
  EXPECT_NE(before, DigestSums{});
  EXPECT_EQ(Apply({Put{.ref = Ref("a"), .quiet = {{"count", int64_t{2}}}}}), "applied 1");
  EXPECT_EQ(Sums(kind_data()), before);
}

// Its documents are all made again by the rules of the new version.
TEST_P(StoreDigests, AreOfTheKindsVersionAlsoOfRecordsThatAreOlder) {
  EXPECT_EQ(Apply({Put{.ref = Of("a"), .body = "{}"}}), "applied 1");
  const DigestSums before = Sums(sums_);
  sums_.version = 4;
  sums_.fields = {{.name = "n", .type = FieldType::kLong, .searchable = true}};
  const Result<void> ensured = store().Ensure(Within(), {&sums_, 1});
  ASSERT_TRUE(ensured.has_value()) << ensured.error().ToString();
  EXPECT_EQ(Sums(sums_), SumsOfOne(1, "{}"));
  EXPECT_NE(Sums(sums_), before);
}

INSTANTIATE_TEST_SUITE_P(OfCore, StoreDigests, testing::Values(DigestsOf::kCore));
INSTANTIATE_TEST_SUITE_P(OfStore, StoreDigests, testing::Values(DigestsOf::kStore));

}  // namespace
}  // namespace a4c::conformance
