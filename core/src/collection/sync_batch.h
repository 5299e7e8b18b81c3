// Brings records to the index: the one way in which a change becomes searchable, used alike for
// hints from the bus and for rows that the poller finds.
//
// Index() reads the outbox rows, then the records (in this order: a row that is gone by the time of
// the first read has been confirmed, and a record that moves on after the second one announces
// itself again), and writes documents with the record's rev as version. Confirm() refreshes the
// index, or takes the refresh of another loop that began after the documents were written, and only
// then deletes the outbox rows that are still the ones read: nothing was announced since, so what
// was indexed is the latest. (The row's own rev is compared, not the record's: a row
// can be ahead of its record, if it was announced for one that the store had lost and that came
// back. Then the record's is compared too: it may have been read between the loss of the change and
// its return.) While the index is being rebuilt, both generations are written, and confirmed means
// searchable in both. One Syncer belongs to one loop. [one thread]
#pragma once

#include <optional>
#include <set>
#include <span>
#include <vector>

#include "collection/database.h"
#include "collection/next_index.h"
#include "collection/rebuild_stall.h"

namespace a4c {

class Syncer {
 public:
  Syncer(Database::State& state, const CollectionSpec& collection)
      : state_(state),
        collection_(collection),
        refreshes_(state.refreshes.at(collection.kind.name)),
        stall_(state.stalls.at(collection.kind.name)),
        next_(state, collection.kind) {}

  // Indexes what is announced among these records. Returns those to be tried again, for an outage
  // (never for the rejection of a document, which is counted on its row).
  Result<std::vector<RecordRef>> Index(const Call& call, std::span<const RecordRef> records);
  // Whether some of those are to be tried again because there is no index, which lasts.
  bool missed_index() const { return missed_index_; }
  // Why the first of those was not taken, if any.
  const std::optional<Error>& refusal() const { return refusal_; }
  // Makes what was indexed searchable and confirms it. After an error it can be called again.
  Result<void> Confirm(const Call& call);
  // Confirms what searches show by now. Refreshes for it if no loop did for a period, or for longer
  // if all of it is late.
  Result<void> ConfirmDue(const Call& call);
  bool HasUnconfirmed() const { return !indexed_.empty(); }
  int64_t DueAtMs() { return refreshes_.DueAtMs(LateMs()); }
  // How many documents were indexed, and how many of them, the oldest first, are confirmed.
  int64_t IndexedCount() const { return confirmed_ + static_cast<int64_t>(indexed_.size()); }
  int64_t ConfirmedCount() const { return confirmed_; }
  bool IsUnconfirmed(const RecordRef& record) const { return unconfirmed_.contains(record); }

 private:
  struct Indexed {
    RecordRef record;
    int64_t rev = 0;
    Record row;  // read before the record
    int64_t read_at_ms = 0;
    int64_t mark = 0;  // shown by a refresh of a higher number

    // How old the change was when it was read.
    int64_t LateMs() const;
  };
  struct Announced {
    Record row;  // of the outbox
    Document document;
    bool is_stored = true;  // false: the store has no record, and the document is a tombstone
    int64_t read_at_ms = 0;
  };

  Result<std::vector<Announced>> Read(const Call& call, std::span<const RecordRef> records);
  Result<std::vector<BulkResult>> Bulk(const Call& call, std::span<const Document> documents);
  Result<SearchIndex*> FindNext(const Call& call);
  Result<void> NoteNext(const Call& call, bool live_held,
                        const Result<std::vector<BulkResult>>& of_next);
  Result<void> NextMissed(const Call& call, RebuildStall::Way way, const Error& why);
  Result<void> RefreshNext(const Call& call);
  void MarkAgain();
  int64_t LateMs() const;
  Result<void> Judge(const Call& call, const Announced& announced, const BulkResult& result,
                     std::vector<RecordRef>& again);
  Result<void> Held(const Call& call, const Announced& announced);
  void Keep(const Announced& announced, int64_t rev, int64_t read_at_ms);
  static WriteBatch ConfirmBatch(const Indexed& indexed);
  Result<void> Stale(const Call& call, const Announced& announced, const StoredVersion& stored);
  Result<void> Heal(const Call& call, const RecordRef& ref, const std::optional<Record>& record,
                    int64_t index_rev, int64_t now_ms);
  Result<void> Reject(const Call& call, const Announced& announced, const Error& why);
  Result<void> ConfirmShown(const Call& call, int64_t shown);
  Result<void> ConfirmSome(const Call& call, std::span<const Indexed> some);
  Result<void> Advance(const Call& call, std::span<const Indexed* const> moved_on);
  // Applies batches whose conflicts mean that something newer is on its way, and may be ignored.

  Database::State& state_;
  const CollectionSpec& collection_;
  Refreshes& refreshes_;
  RebuildStall& stall_;
  NextIndex next_;
  int64_t mark_ = 0;              // of the last bulk
  std::vector<Indexed> indexed_;  // by mark, and not confirmed
  int64_t confirmed_ = 0;
  bool missed_index_ = false;        // by the last Index()
  std::optional<Error> refusal_;     // of the last Index()
  std::set<RecordRef> unconfirmed_;  // the records of indexed_
};

}  // namespace a4c
