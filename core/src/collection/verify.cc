#include <algorithm>
#include <map>

#include "a4c/digests.h"
#include "collection/database.h"
#include "collection/outbox.h"

namespace a4c {
namespace {

using RowMap = std::map<Key, DigestRow>;

RowMap ByKey(std::vector<DigestRow> rows) {
  RowMap map;
  for (DigestRow& row : rows) {
    Key key = row.key;
    map.emplace(std::move(key), std::move(row));
  }
  return map;
}

std::vector<int> Differing(const DigestSums& left, const DigestSums& right) {
  std::vector<int> buckets;
  for (int bucket = 0; bucket < kDigestBuckets; ++bucket) {
    const auto at = static_cast<size_t>(bucket);
    if (!(left[at] == right[at])) buckets.push_back(bucket);
  }
  return buckets;
}

std::vector<RecordRef> Differing(const std::string& kind, const RowMap& left, const RowMap& right) {
  std::vector<RecordRef> differing;
  for (const auto& [key, row] : left) {
    const auto other = right.find(key);
    if (other == right.end() || other->second.digest != row.digest)
      differing.push_back({kind, key});
  }
  for (const auto& [key, row] : right) {
    if (!left.contains(key)) differing.push_back({kind, key});
  }
  return differing;
}

class Verifying {
 public:
  Verifying(Database::State& state, const Call& call, const Kind& kind)
      : state_(state),
        call_(call),
        kind_(kind),
        generic_(NewStoreDigests(state.backends.store)),
        store_(state.backends.store.As<Digests>()),
        index_(state.backends.index->As<Digests>()) {
    if (store_ == nullptr) store_ = generic_.get();
  }

  // What differs in both of two looks, and is not on its way, has drifted.
  Result<VerifyReport> Run() {
    if (index_ == nullptr) return Error(Code::kUnsupported, "the search plugin has no digests");
    A4C_TRY(DigestSums stored, store_->Sums(call_, kind_));
    A4C_TRY(DigestSums indexed, index_->Sums(call_, kind_));
    VerifyReport report;
    for (const DigestBucketSum& sum : stored) report.records += sum.count;
    const std::vector<int> buckets = Differing(stored, indexed);
    report.mismatched_buckets = static_cast<int64_t>(buckets.size());
    if (buckets.empty()) return report;
    A4C_TRY(std::vector<RecordRef> first, Look(buckets));
    if (first.empty() || !state_.Pause(call_, 2 * state_.options.refresh_period_ms)) return report;
    A4C_TRY(std::vector<RecordRef> second, Look(buckets));
    for (RecordRef& ref : second) {
      if (std::ranges::find(first, ref) != first.end()) report.drift.push_back(std::move(ref));
    }
    return report;
  }

 private:
  Result<std::vector<RecordRef>> Look(const std::vector<int>& buckets) {
    A4C_TRY(std::vector<DigestRow> indexed, index_->Rows(call_, kind_, buckets));
    A4C_TRY(std::vector<DigestRow> stored, store_->Rows(call_, kind_, buckets));
    return WithoutAnnounced(
        Differing(kind_.name, ByKey(std::move(stored)), ByKey(std::move(indexed))));
  }

  Result<std::vector<RecordRef>> WithoutAnnounced(std::vector<RecordRef> differing) {
    std::vector<RecordRef> rows;
    for (const RecordRef& ref : differing) rows.push_back(outbox::RefOf(ref));
    A4C_TRY(GetAnswer found, state_.store->Get(call_, rows));
    std::vector<RecordRef> left;
    for (size_t i = 0; i < differing.size(); ++i) {
      if (!found.records[i]) left.push_back(std::move(differing[i]));
    }
    return left;
  }

  Database::State& state_;
  const Call& call_;
  const Kind& kind_;
  const std::unique_ptr<Digests> generic_;
  Digests* store_;
  Digests* index_;
};

class VerifyLoop final : public Loop {
 public:
  VerifyLoop(Database& database, Database::State& state, std::string kind)
      : database_(database), state_(state), kind_(std::move(kind)), name_("verify-" + kind_) {}

  const std::string& name() const override { return name_; }

  Result<int64_t> Step(const Call& call) override {
    A4C_TRY(VerifyReport report, database_.Verify(call, kind_));
    state_.runtime.metrics.Gauge("a4c_drift_records", {{"kind", kind_}},
                                 static_cast<double>(report.drift.size()));
    if (!report.drift.empty()) A4C_CHECK(database_.Repair(call, kind_, report.drift));
    return kPeriodMs;
  }

 private:
  static constexpr int64_t kPeriodMs = 10 * 60'000;

  Database& database_;
  Database::State& state_;
  const std::string kind_;
  const std::string name_;
};

}  // namespace

Result<VerifyReport> Database::Verify(const Call& call, const std::string& kind) {
  A4C_TRY(const CollectionSpec* collection, state_->Searchable(kind));
  if (state_->backends.index == nullptr)
    return Error(Code::kUnsupported, "there is no search index");
  return Verifying(*state_, call, collection->kind).Run();
}

// Announces records as if they had changed; the sync compares revs and hashes and does the rest.
Result<int64_t> Database::Repair(const Call& call, const std::string& kind,
                                 std::span<const RecordRef> refs) {
  A4C_TRY(const CollectionSpec* collection, state_->Searchable(kind));
  std::vector<RecordRef> some(refs.begin(), refs.end());
  int64_t announced = 0;
  ScanRequest all{.kind = collection->kind.name, .tombstones = true, .limit = 500};
  do {
    if (refs.empty()) {
      A4C_TRY(ScanAnswer page, Scan(call, all));
      some.clear();
      for (const Record& record : page.records) some.push_back(record.ref);
      all.after = page.next;
    }
    A4C_TRY(int64_t count, Announce(call, some));
    announced += count;
  } while (refs.empty() && !all.after.empty());
  return announced;
}

// A row that is there already stays as it is, but is due at once. A record that the store lacks is
// announced with rev 1: the index's copy of it is then answered with a tombstone.
Result<int64_t> Database::Announce(const Call& call, std::span<const RecordRef> refs) {
  if (refs.empty()) return int64_t{0};
  A4C_TRY(GetAnswer found, Get(call, refs));
  std::vector<WriteBatch> batches;
  for (size_t i = 0; i < refs.size(); ++i) {
    const int64_t rev = found.records[i] ? found.records[i]->rev : 1;
    Put put = outbox::Announce(refs[i], rev, state_->runtime.random.Next(), found.store_time_ms, 0);
    put.expect = Expect::Absent();
    batches.push_back({{std::move(put)}});
  }
  A4C_TRY(ApplyAnswer answer, state_->store->Apply(call, batches));
  return static_cast<int64_t>(
      std::ranges::count(answer.results, BatchOutcome::kApplied, &BatchResult::outcome));
}

Result<std::vector<DeadLetter>> Database::DeadLetters(const Call& call, const std::string& kind) {
  A4C_TRY(const CollectionSpec* collection, state_->Searchable(kind));
  A4C_TRY(ScanAnswer page, Scan(call, {.kind = outbox::KindOf(collection->kind).name,
                                       .index = std::string(outbox::kDeadIndex),
                                       .limit = 1000}));
  std::vector<DeadLetter> letters;
  for (const Record& row : page.records) {
    const auto reason = row.quiet.find("reason");
    letters.push_back({outbox::RecordOf(row.ref), row.rev,
                       reason == row.quiet.end() ? "" : std::get<std::string>(reason->second),
                       outbox::LongOf(row, "since")});
  }
  return letters;
}

std::unique_ptr<Loop> Database::NewVerifyLoop(const std::string& kind) {
  if (!state_->Searchable(kind) || state_->backends.index == nullptr) return nullptr;
  return std::make_unique<VerifyLoop>(*this, *state_, kind);
}

}  // namespace a4c
