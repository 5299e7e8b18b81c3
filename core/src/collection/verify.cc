#include "collection/verify.h"

#include <algorithm>
#include <map>

#include "collection/outbox.h"
#include "collection/sync_task.h"

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
  Verifying(Database::State& state, const Call& call, const Kind& kind, SearchIndex& index,
            const DigestProgress& progress)
      : state_(state),
        call_(call),
        kind_(kind),
        generic_(NewStoreDigests(state.backends.store, progress)),
        store_(state.backends.store.As<Digests>()),
        index_(index.As<Digests>()) {
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
    A4C_TRY(GetAnswer found, state_.GetInParts(call_, rows));
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
    const Result<void> verified = Verify(Call::Within(state_.runtime.clock, kVerifyMs, call.stop));
    if (!verified) return run_.Fail(call, verified.error());
    return kLookMs;
  }

 private:
  static constexpr SyncWork kWork = SyncWork::kVerify;
  static constexpr int64_t kLookMs = 1'000;
  static constexpr int64_t kVerifyMs = 10 * 60'000;
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
    task.drift = static_cast<int64_t>(report.drift.size());
    if (report.drift.empty()) task.proved_ms = began_ms;
    report.drift.resize(std::min(report.drift.size(), kExamples));
    task.examples = std::move(report.drift);
    state_.runtime.metrics.Count("a4c_drift_repaired_total", {{"kind", kind_.name}},
                                 static_cast<double>(task.drift));
    return run_.End(call, SyncTask::State::kSucceeded);
  }

  Database::State& state_;
  const Kind& kind_;
  const std::string name_;
  TaskRun run_;
};

}  // namespace

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
