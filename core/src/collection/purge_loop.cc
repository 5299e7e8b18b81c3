#include "a4c/retention.h"
#include "collection/database.h"
#include "collection/next_index.h"
#include "collection/outbox.h"

namespace a4c {
namespace {

constexpr int64_t kPeriodMs = 60'000;
constexpr int kPageRecords = 500;

// Forgets what has had its time: idempotency keys, and tombstones (index first, then the row, and
// only without an outbox row).
class PurgeLoop final : public Loop {
 public:
  PurgeLoop(Database::State& state, const CollectionSpec& collection)
      : state_(state), collection_(collection), name_("purge-" + collection.kind.name) {}

  const std::string& name() const override { return name_; }

  Result<int64_t> Step(const Call& call) override {
    A4C_TRY(bool keys_at_end, PurgeKeys(call));
    A4C_TRY(bool tombstones_at_end, PurgeTombstones(call));
    return keys_at_end && tombstones_at_end ? kPeriodMs : 0;
  }

 private:
  Result<ScanAnswer> Older(const Call& call, std::string kind, std::string_view index,
                           int64_t keep_ms) {
    return state_.store->Scan(call, {.kind = std::move(kind),
                                     .index = std::string(index),
                                     .upper = Scalar(state_.store_time.NowMs() - keep_ms),
                                     .limit = kPageRecords});
  }

  Result<bool> PurgeKeys(const Call& call) {
    const int64_t before_ms = state_.store_time.NowMs() - state_.options.idempotency_ttl_ms;
    A4C_TRY(const bool more, Forget(call, state_.backends.store, IdempotencyKind(), before_ms));
    return !more;
  }

  // Not while the index is being rebuilt: the copy may bring back what it read before.
  Result<bool> PurgeTombstones(const Call& call) {
    A4C_TRY(const bool rebuilt, IsBeingRebuilt(state_, call, collection_.kind.name));
    if (rebuilt) return true;
    A4C_TRY(ScanAnswer markers, Older(call, outbox::MarkerKindOf(collection_.kind).name,
                                      outbox::kMarkerIndex, state_.options.tombstone_keep_ms));
    A4C_TRY(std::vector<Record> old, Purgeable(call, markers.records));
    if (old.empty()) return true;
    std::vector<Purge> purges;
    for (const Record& record : old) purges.push_back({record.ref});
    A4C_TRY(std::vector<BulkResult> removed, state_.backends.index->Remove(call, purges));
    std::vector<WriteBatch> batches;
    for (size_t i = 0; i < old.size(); ++i) {
      if (removed[i].outcome != BulkOutcome::kApplied) continue;
      batches.push_back({{Delete{.ref = old[i].ref, .expect = Expect::Rev(old[i].rev)},
                          Delete{.ref = outbox::MarkerOf(old[i].ref)}}});
    }
    if (!batches.empty()) A4C_CHECK(state_.store->Apply(call, batches));
    return markers.next.empty();
  }

  // The tombstones among the marked records of which nothing is on its way to the index.
  Result<std::vector<Record>> Purgeable(const Call& call, const std::vector<Record>& markers) {
    std::vector<RecordRef> rows;
    std::vector<RecordRef> records;
    for (const Record& marker : markers) {
      records.push_back({collection_.kind.name, marker.ref.key});
      rows.push_back(outbox::RefOf(records.back()));
    }
    std::vector<Record> old;
    if (rows.empty()) return old;
    A4C_TRY(GetAnswer outbox_rows, state_.store->Get(call, rows));
    A4C_TRY(GetAnswer found, state_.store->Get(call, records));
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!outbox_rows.records[i] && found.records[i] && found.records[i]->tombstone) {
        old.push_back(*std::move(found.records[i]));
      }
    }
    return old;
  }

  Database::State& state_;
  const CollectionSpec& collection_;
  const std::string name_;
};

}  // namespace

std::unique_ptr<Loop> Database::NewPurgeLoop(const std::string& kind) {
  const auto collection = state_->Searchable(kind);
  if (!collection || state_->backends.index == nullptr) return nullptr;
  return std::make_unique<PurgeLoop>(*state_, **collection);
}

}  // namespace a4c
