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
    // Without an index tombstones wait for one, as what else is in the outbox does.
    if (state_.backends.index == nullptr) return keys_at_end ? kPeriodMs : 0;
    A4C_TRY(bool tombstones_at_end, PurgeTombstones(call));
    return keys_at_end && tombstones_at_end ? kPeriodMs : 0;
  }

 private:
  Result<bool> PurgeKeys(const Call& call) {
    const int64_t before_ms = state_.store_time.NowMs() - state_.options.idempotency_ttl_ms;
    A4C_TRY(const bool more, Forget(call, state_.backends.store, IdempotencyKind(), before_ms));
    return !more;
  }

  // What cannot be purged yet keeps nothing behind it from that: the reading goes on past it.
  Result<bool> PurgeTombstones(const Call& call) {
    const int64_t before_ms = state_.store_time.NowMs() - state_.options.tombstone_keep_ms;
    ScanRequest request{.kind = outbox::MarkerKindOf(collection_.kind).name,
                        .index = std::string(outbox::kMarkerIndex),
                        .upper = Scalar(before_ms),
                        .limit = kPageRecords};
    do {
      // Not while the index is being rebuilt: the copy may bring back what it read before.
      A4C_TRY(const bool rebuilt, IsBeingRebuilt(state_, call, collection_.kind.name));
      if (rebuilt) return true;
      A4C_TRY(const ScanAnswer markers, state_.store->Scan(call, request));
      A4C_CHECK(PurgePage(call, markers.records));
      request.after = markers.next;
    } while (!request.after.empty() && !call.Stopping() && !call.Expired());
    return request.after.empty();
  }

  Result<void> PurgePage(const Call& call, const std::vector<Record>& markers) {
    std::vector<WriteBatch> batches;
    A4C_TRY(const std::vector<Record> old, Purgeable(call, markers, batches));
    if (old.empty()) return Apply(call, batches);
    std::vector<Purge> purges;
    for (const Record& record : old) purges.push_back({record.ref});
    A4C_TRY(std::vector<BulkResult> removed, state_.backends.index->Remove(call, purges));
    for (size_t i = 0; i < old.size(); ++i) {
      if (removed[i].outcome != BulkOutcome::kApplied) continue;
      batches.push_back({{Delete{.ref = old[i].ref, .expect = Expect::Rev(old[i].rev)},
                          Delete{.ref = outbox::MarkerOf(old[i].ref)}}});
    }
    return Apply(call, batches);
  }

  // A batch that is in conflict is left to the next period.
  Result<void> Apply(const Call& call, std::span<const WriteBatch> batches) {
    if (!batches.empty()) A4C_CHECK(state_.store->Apply(call, batches));
    return {};
  }

  // The tombstones among the marked records of which nothing is on its way to the index; and, as
  // batches, the end of markers that mark nothing: their records live again, or are gone.
  Result<std::vector<Record>> Purgeable(const Call& call, const std::vector<Record>& markers,
                                        std::vector<WriteBatch>& of_nothing) {
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
      if (!found.records[i] || !found.records[i]->tombstone) {
        of_nothing.push_back({outbox::Unmark(markers[i])});
      } else if (!outbox_rows.records[i]) {
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
  if (!collection) return nullptr;
  return std::make_unique<PurgeLoop>(*state_, **collection);
}

}  // namespace a4c
