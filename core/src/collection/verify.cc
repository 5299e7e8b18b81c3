#include "collection/verify.h"

#include <algorithm>
#include <bitset>
#include <map>
#include <optional>
#include <set>

#include "base/scan_digests.h"
#include "collection/fingerprints.h"
#include "collection/outbox.h"
#include "collection/sync_task.h"

namespace a4c {
namespace {

using Buckets = std::vector<int>;

// What bounds the memory of a proof: rows of the index that are held at once, 16 bytes each; rows
// that are fetched from it at once; and drift that is found at once, the rest of it by the next.
constexpr int64_t kHeldRowsMax = 4'000'000;
constexpr int64_t kFetchedRowsMax = 50'000;
constexpr size_t kDriftMax = 100'000;
constexpr size_t kJudgedAtOnce = 500;

Buckets Differing(const DigestSums& left, const DigestSums& right) {
  Buckets buckets;
  for (int bucket = 0; bucket < kDigestBuckets; ++bucket) {
    const auto at = static_cast<size_t>(bucket);
    if (!(left[at] == right[at])) buckets.push_back(bucket);
  }
  return buckets;
}

// In parts of no more rows than that, but for a bucket that has more by itself.
std::vector<Buckets> Parts(const Buckets& buckets, const DigestSums& sums, int64_t rows_max) {
  std::vector<Buckets> parts;
  int64_t rows = 0;
  for (const int bucket : buckets) {
    rows += sums[static_cast<size_t>(bucket)].count;
    if (parts.empty() || rows > rows_max) {
      parts.emplace_back();
      rows = sums[static_cast<size_t>(bucket)].count;
    }
    parts.back().push_back(bucket);
  }
  return parts;
}

class Verifying {
 public:
  Verifying(Database::State& state, const Call& call, const Kind& kind, SearchIndex& index,
            const DigestProgress& progress)
      : state_(state), call_(call), kind_(kind), progress_(progress), index_(index.As<Digests>()) {}

  // What differs in both of two looks, and is not on its way, has drifted.
  Result<VerifyReport> Run() {
    if (index_ == nullptr) return Error(Code::kUnsupported, "the search plugin has no digests");
    A4C_TRY(const DigestSums stored, StoredSums());
    A4C_TRY(indexed_, index_->Sums(call_, kind_));
    VerifyReport report;
    for (const DigestBucketSum& sum : stored) report.records += sum.count;
    const Buckets buckets = Differing(stored, indexed_);
    report.mismatched_buckets = static_cast<int64_t>(buckets.size());
    std::vector<RecordRef> first;
    for (const Buckets& part : Parts(buckets, indexed_, kHeldRowsMax)) {
      if (first.size() < kDriftMax) A4C_CHECK(Look(part, first));
    }
    if (first.empty()) return report;
    if (!state_.Pause(call_, 2 * state_.options.refresh_period_ms)) {
      return Error(Code::kTimeout, "the proof ended before its second look");
    }
    A4C_TRY(report.drift, LookAgain(first));
    return report;
  }

 private:
  Result<DigestSums> StoredSums() {
    Store& store = state_.backends.store;
    if (auto* const digests = store.As<Digests>()) return digests->Sums(call_, kind_);
    return NewStoreDigests(store, progress_)->Sums(call_, kind_);
  }

  // The index is read first: what is created meanwhile is on its way, or seen by the second look.
  Result<void> Look(const Buckets& part, std::vector<RecordRef>& differing) {
    A4C_TRY(Fingerprints held, Held(part));
    std::bitset<kDigestBuckets> asked;
    for (const int bucket : part) asked.set(static_cast<size_t>(bucket));
    std::vector<RecordRef> some;
    A4C_CHECK(ScanDigests(state_.backends.store, call_, kind_, progress_,
                          [&](int bucket, DigestRow row) -> Result<void> {
                            if (!asked.test(static_cast<size_t>(bucket))) return {};
                            if (held.Holds(row.key, row.digest)) return {};
                            return Note({kind_.name, std::move(row.key)}, some, differing);
                          }));
    A4C_CHECK(ForEachRow(held.UnseenBuckets(), [&](DigestRow row) -> Result<void> {
      if (!held.IsUnseen(row.key)) return {};
      return Note({kind_.name, std::move(row.key)}, some, differing);
    }));
    return Judge(some, differing);
  }

  Result<Fingerprints> Held(const Buckets& part) {
    Fingerprints held;
    A4C_CHECK(ForEachRow(part, [&held](const DigestRow& row) -> Result<void> {
      held.Add(row.key, DigestBucket(row.key.id), row.digest);
      return {};
    }));
    held.Sort();
    return held;
  }

  template <typename Visit>
  Result<void> ForEachRow(const Buckets& buckets, const Visit& visit) {
    for (const Buckets& part : Parts(buckets, indexed_, kFetchedRowsMax)) {
      A4C_TRY(std::vector<DigestRow> rows, index_->Rows(call_, kind_, part));
      for (DigestRow& row : rows) A4C_CHECK(visit(std::move(row)));
    }
    return {};
  }

  Result<void> Note(RecordRef ref, std::vector<RecordRef>& some,
                    std::vector<RecordRef>& differing) {
    some.push_back(std::move(ref));
    return some.size() < kJudgedAtOnce ? Result<void>() : Judge(some, differing);
  }

  // Of some that differ those that are not on their way.
  Result<void> Judge(std::vector<RecordRef>& some, std::vector<RecordRef>& differing) {
    std::vector<RecordRef> rows;
    for (const RecordRef& ref : some) rows.push_back(outbox::RefOf(ref));
    A4C_TRY(GetAnswer found, state_.GetInParts(call_, rows));
    for (size_t i = 0; i < some.size() && differing.size() < kDriftMax; ++i) {
      if (!found.records[i]) differing.push_back(std::move(some[i]));
    }
    some.clear();
    return {};
  }

  Result<std::vector<RecordRef>> LookAgain(std::span<const RecordRef> first) {
    A4C_TRY(const DigestsByKey held, HeldOf(first));
    std::vector<RecordRef> drift;
    while (!first.empty()) {
      const auto part = first.first(std::min(first.size(), kJudgedAtOnce));
      A4C_TRY(GetAnswer found, state_.GetInParts(call_, part));
      std::vector<RecordRef> some;
      for (size_t i = 0; i < part.size(); ++i) {
        if (held.at(part[i].key) != StoredDigest(found.records[i])) some.push_back(part[i]);
      }
      A4C_CHECK(Judge(some, drift));
      first = first.subspan(part.size());
    }
    if (drift.empty()) return drift;
    // What has changed and was confirmed between the two reads is on no way any more.
    A4C_TRY(const DigestsByKey now, HeldOf(drift));
    std::erase_if(drift, [&](const RecordRef& ref) { return held.at(ref.key) != now.at(ref.key); });
    return drift;
  }

  // Nothing: the index shows no such document.
  using DigestsByKey = std::map<Key, std::optional<uint32_t>>;

  Result<DigestsByKey> HeldOf(std::span<const RecordRef> refs) {
    DigestsByKey held;
    std::set<int> buckets;
    for (const RecordRef& ref : refs) {
      held.try_emplace(ref.key);
      buckets.insert(DigestBucket(ref.key.id));
    }
    A4C_CHECK(
        ForEachRow({buckets.begin(), buckets.end()}, [&held](const DigestRow& row) -> Result<void> {
          if (const auto at = held.find(row.key); at != held.end()) at->second = row.digest;
          return {};
        }));
    return held;
  }

  std::optional<uint32_t> StoredDigest(const std::optional<Record>& record) const {
    if (!record || record->tombstone) return std::nullopt;
    return DigestOf(record->ref.key.id, record->rev, BodyHash(record->body), false, kind_.version);
  }

  Database::State& state_;
  const Call& call_;
  const Kind& kind_;
  const DigestProgress& progress_;
  Digests* const index_;
  DigestSums indexed_{};
};

// Proves every verify_period that store and index agree, or when it is asked to, on one instance.
class VerifyLoop final : public Loop {
 public:
  VerifyLoop(Database::State& state, const Kind& kind)
      : state_(state), kind_(kind), name_("verify-" + kind.name), run_(state, kind.name, kWork) {}

  const std::string& name() const override { return name_; }

  Result<int64_t> Step(const Call& call) override {
    A4C_TRY(bool ours, run_.Claim(call));
    if (!ours && Due()) {
      const auto begun = WriteTask(state_, call, kind_.name, run_.stored(), NewTask(), "");
      if (!begun && begun.error().code() == Code::kConflict) return kLookMs;  // another was first
      if (!begun) return begun.error();
      A4C_TRY(ours, run_.Claim(call));
    }
    if (!ours) return kLookMs;
    const Result<void> verified =
        Verify(Call::Within(state_.runtime.clock, VerifyTimeoutMs(state_.options), call.stop));
    if (!verified) return run_.Fail(call, verified.error());
    return kLookMs;
  }

 private:
  static constexpr SyncWork kWork = SyncWork::kVerify;
  static constexpr int64_t kLookMs = 1'000;
  static constexpr size_t kExamples = 20;

  bool Due() const {
    const auto& stored = run_.stored();
    if (!stored) return true;
    return stored->task.state != SyncTask::State::kRunning &&
           state_.store_time.NowMs() - stored->task.ended_ms >= state_.options.verify_period_ms;
  }

  SyncTask NewTask() const {
    const int64_t proved_ms = run_.stored() ? run_.stored()->task.proved_ms : 0;
    return {.work = kWork,
            .phase = "comparing",
            .started_ms = state_.store_time.NowMs(),
            .proved_ms = proved_ms};
  }

  Result<void> Verify(const Call& call) {
    const int64_t began_ms = state_.store_time.NowMs();
    const auto progress = [&](int64_t records) -> Result<void> {
      run_.task().done = records;
      return run_.SaveNowAndThen(call);
    };
    A4C_TRY(VerifyReport report,
            VerifyIndex(state_, call, kind_, *state_.backends.index, progress));
    if (!report.drift.empty()) A4C_CHECK(AnnounceAgain(state_, call, report.drift));
    SyncTask& task = run_.task();
    task.done = task.total = report.records;
    task.mismatched_buckets = report.mismatched_buckets;
    const size_t drift = report.drift.size();
    task.drift += static_cast<int64_t>(drift);
    if (task.drift == 0) task.proved_ms = began_ms;
    report.drift.resize(std::min(drift, kExamples));
    task.examples = std::move(report.drift);
    state_.runtime.metrics.Count("a4c_drift_repaired_total", {{"kind", kind_.name}},
                                 static_cast<double>(drift));
    if (drift == kDriftMax) return run_.Save(call);  // there may be more: the next step looks
    return run_.End(call, SyncTask::State::kSucceeded);
  }

  Database::State& state_;
  const Kind& kind_;
  const std::string name_;
  TaskRun run_;
};

}  // namespace

int64_t VerifyTimeoutMs(const DatabaseOptions& options) {
  constexpr int64_t kAtLeastMs = 10 * 60'000;
  return std::max(kAtLeastMs, options.verify_period_ms);
}

Result<VerifyReport> VerifyIndex(Database::State& state, const Call& call, const Kind& kind,
                                 SearchIndex& index, const DigestProgress& progress) {
  return Verifying(state, call, kind, index, progress).Run();
}

Result<VerifyReport> Database::Verify(const Call& call, const std::string& kind) {
  A4C_TRY(const CollectionSpec* collection, state_->Searchable(kind));
  if (state_->backends.index == nullptr) {
    return Error(Code::kUnsupported, "there is no search index");
  }
  return VerifyIndex(*state_, call, collection->kind, *state_->backends.index);
}

std::unique_ptr<Loop> Database::NewVerifyLoop(const std::string& kind) {
  const auto collection = state_->Searchable(kind);
  if (!collection || state_->backends.index == nullptr) return nullptr;
  return std::make_unique<VerifyLoop>(*state_, (*collection)->kind);
}

}  // namespace a4c
