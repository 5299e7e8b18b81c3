#include "collection/sync_batch.h"

#include <algorithm>
#include <ranges>

#include "a4c/json.h"
#include "collection/outbox.h"

namespace a4c {
namespace {

constexpr size_t kReasonBytesMax = 1000;

Document DocumentOf(const RecordRef& ref, const std::optional<Record>& record, int64_t row_rev,
                    int projection) {
  // A record that is gone while its row is there was lost by its store: tell the index so.
  if (!record) {
    return {.ref = ref, .rev = row_rev, .tombstone = true, .body = "{}", .projection = projection};
  }
  return {.ref = ref,
          .rev = record->rev,
          .tombstone = record->tombstone,
          .body = record->body,
          .projection = projection};
}

bool SameDocument(const Document& document, const StoredVersion& stored) {
  return stored.rev == document.rev && stored.body_hash == BodyHash(document.body) &&
         stored.tombstone == document.tombstone && stored.projection == document.projection;
}

// Whether the index holds the document now, as far as its answer tells.
bool IsHeld(const Document& document, const BulkResult& result) {
  return result.outcome == BulkOutcome::kApplied ||
         (result.outcome == BulkOutcome::kStale && result.stored &&
          SameDocument(document, *result.stored));
}

// An index that is not there (any more) is no fault of the document.
bool MissesIndex(const BulkResult& result) {
  return result.error && result.error->code() == Code::kNotFound;
}

BulkOutcome OutcomeOf(const BulkResult& result) {
  return MissesIndex(result) && result.outcome == BulkOutcome::kRejected ? BulkOutcome::kRetry
                                                                         : result.outcome;
}

// Whether the index could be written at all, whatever it made of the document.
bool IsAnswered(const BulkResult& result) {
  return OutcomeOf(result) != BulkOutcome::kRetry;
}

std::string Utf8Prefix(const std::string& text, size_t bytes_max) {
  std::string prefix = text.substr(0, bytes_max);
  while (!prefix.empty() && !IsUtf8(prefix)) prefix.pop_back();
  return prefix;
}

}  // namespace

Result<std::vector<RecordRef>> Syncer::Index(const Call& call, std::span<const RecordRef> records) {
  missed_index_ = false;
  refusal_.reset();
  A4C_CHECK(state_.EnsureIndex(call));
  A4C_TRY(std::vector<Announced> announced, Read(call, records));
  std::vector<RecordRef> again;
  if (announced.empty()) return again;
  std::vector<Document> documents;
  documents.reserve(announced.size());
  for (const Announced& one : announced) documents.push_back(one.document);
  A4C_TRY(std::vector<BulkResult> results, Bulk(call, documents));
  mark_ = refreshes_.Begun();
  for (size_t i = 0; i < announced.size(); ++i) {
    A4C_CHECK(Judge(call, announced[i], results[i], again));
  }
  return again;
}

// Of two generations the one that does not hold a document decides what becomes of it.
Result<std::vector<BulkResult>> Syncer::Bulk(const Call& call,
                                             std::span<const Document> documents) {
  A4C_TRY(SearchIndex* const next, FindNext(call));
  Result<std::vector<BulkResult>> of_live = state_.backends.index->Bulk(call, documents);
  if (!of_live) stall_.LiveTookNothing();
  A4C_TRY(std::vector<BulkResult> results, std::move(of_live));
  missed_index_ = std::ranges::any_of(results, MissesIndex);
  if (next == nullptr) return results;
  Result<std::vector<BulkResult>> of_next = next->Bulk(call, documents);
  std::vector<size_t> held;
  for (size_t i = 0; i < results.size(); ++i) {
    if (IsHeld(documents[i], results[i])) held.push_back(i);
  }
  A4C_CHECK(NoteNext(call, !held.empty(), of_next));
  if (!of_next) return of_next.error();
  for (const size_t i : held) results[i] = std::move((*of_next)[i]);
  return results;
}

Result<SearchIndex*> Syncer::FindNext(const Call& call) {
  const int64_t generation = next_.number();
  A4C_TRY(SearchIndex* const next, next_.Find(call));
  if (next_.number() != generation) MarkAgain();
  return next;
}

// A document that the new generation refuses is answered, and held up by nobody.
Result<void> Syncer::NoteNext(const Call& call, bool live_held,
                              const Result<std::vector<BulkResult>>& of_next) {
  if (of_next && std::ranges::any_of(*of_next, IsAnswered)) {
    stall_.Took(RebuildStall::Way::kBulk);
    return {};
  }
  if (!live_held) {
    stall_.LiveTookNothing();
    return {};
  }
  const Error why(Code::kUnavailable, "no reason given");
  return NextMissed(call, RebuildStall::Way::kBulk,
                    of_next ? of_next->front().error.value_or(why) : of_next.error());
}

Result<void> Syncer::NextMissed(const Call& call, RebuildStall::Way way, const Error& why) {
  if (!stall_.Missed(way, next_.task())) return {};
  return EndStalled(state_, call, collection_.kind.name, next_.task(), why);
}

// The other generation may have become the live one, after the live one was refreshed.
void Syncer::MarkAgain() {
  const int64_t mark = refreshes_.Begun();
  for (Indexed& one : indexed_) one.mark = mark;
}

Result<std::vector<Syncer::Announced>> Syncer::Read(const Call& call,
                                                    std::span<const RecordRef> records) {
  std::vector<RecordRef> rows;
  for (const RecordRef& record : std::set<RecordRef>(records.begin(), records.end())) {
    rows.push_back(outbox::RefOf(record));
  }
  A4C_TRY(GetAnswer outbox_rows, state_.store->Get(call, rows));
  std::vector<Announced> announced;
  std::vector<RecordRef> refs;
  for (std::optional<Record>& row : outbox_rows.records) {
    if (!row) continue;
    refs.push_back(outbox::RecordOf(row->ref));
    announced.push_back({.row = *std::move(row), .document = {}});
  }
  if (announced.empty()) return announced;
  A4C_TRY(GetAnswer found, state_.store->Get(call, refs));
  for (size_t i = 0; i < announced.size(); ++i) {
    announced[i].document =
        DocumentOf(refs[i], found.records[i], announced[i].row.rev, collection_.kind.version);
    announced[i].is_stored = found.records[i].has_value();
    announced[i].read_at_ms = found.store_time_ms;
  }
  return announced;
}

Result<void> Syncer::Judge(const Call& call, const Announced& announced, const BulkResult& result,
                           std::vector<RecordRef>& again) {
  if (result.error) state_.Heard(*result.error);
  switch (OutcomeOf(result)) {
    case BulkOutcome::kApplied:
      return Held(call, announced);
    case BulkOutcome::kStale:
      return Stale(call, announced, result.stored.value_or(StoredVersion{}));
    case BulkOutcome::kRejected:
      return Reject(call, announced,
                    result.error.value_or(Error(Code::kInvalid, "no reason given")));
    case BulkOutcome::kRetry:
      again.push_back(announced.document.ref);
      if (!refusal_) refusal_ = result.error;
      return {};
  }
  return {};
}

// A tombstone for what the store lacks: a failover took the record back, or it was purged while it
// was announced. The store gets one too, so that it is purged in its time; nobody else knows of it.
Result<void> Syncer::Held(const Call& call, const Announced& announced) {
  const Document& document = announced.document;
  if (!announced.is_stored) {
    return Heal(call, document.ref, std::nullopt, document.rev, announced.read_at_ms);
  }
  Keep(announced, document.rev, announced.read_at_ms);
  return {};
}

void Syncer::Keep(const Announced& announced, int64_t rev, int64_t read_at_ms) {
  indexed_.push_back({announced.document.ref, rev, announced.row, read_at_ms, mark_});
  unconfirmed_.insert(announced.document.ref);
}

WriteBatch Syncer::ConfirmBatch(const Indexed& indexed) {
  WriteBatch batch{outbox::Confirm(indexed.row)};
  if (indexed.row.rev > indexed.rev) {
    batch.ops.emplace_back(Check{.ref = indexed.record, .rev = indexed.rev});
  }
  return batch;
}

// Stale is success only if the index holds this very document, or the one that the primary holds by
// now, or if the primary, read again, has moved past the index (and announces itself). Otherwise
// the store lost writes that the index saw.
Result<void> Syncer::Stale(const Call& call, const Announced& announced,
                           const StoredVersion& stored) {
  state_.runtime.metrics.Count("a4c_sync_stale_total", {{"kind", collection_.kind.name}});
  if (SameDocument(announced.document, stored)) return Held(call, announced);
  const RecordRef& ref = announced.document.ref;
  A4C_TRY(GetAnswer again, state_.store->Get(call, std::span(&ref, 1)));
  const std::optional<Record>& record = again.records[0];
  if (record && record->rev > stored.rev) return {};
  const Document now = DocumentOf(ref, record, announced.row.rev, collection_.kind.version);
  if (record && SameDocument(now, stored)) {
    // The other generation may hold less: the change announces itself, and is brought to both.
    if (next_.IsOpen()) return {};
    Keep(announced, now.rev, again.store_time_ms);
    return {};
  }
  return Heal(call, ref, record, stored.rev, again.store_time_ms);
}

// Writes what the primary was found to hold with a rev above the index's, unless it changed since.
Result<void> Syncer::Heal(const Call& call, const RecordRef& ref,
                          const std::optional<Record>& record, int64_t index_rev, int64_t now_ms) {
  const bool tombstone = !record || record->tombstone;
  WriteBatch batch{{Put{.ref = ref,
                        .body = record ? record->body : "{}",
                        .tombstone = tombstone,
                        .expect = record ? Expect::Rev(record->rev) : Expect::Absent(),
                        .min_rev = index_rev + 1},
                    outbox::Announce(ref, index_rev + 1, state_.runtime.random.Next(), now_ms,
                                     state_.FirstDueMs())}};
  if (tombstone) batch.ops.emplace_back(outbox::Mark(ref, now_ms));
  A4C_TRY(std::vector<BatchResult> results, ApplyRepeatable(state_, call, std::span(&batch, 1)));
  if (results[0].outcome == BatchOutcome::kApplied) {
    state_.runtime.metrics.Count("a4c_sync_healed_total", {{"kind", collection_.kind.name}});
    const Token healed{ref, index_rev + 1};
    PublishHints(state_, call, std::span(&healed, 1));
  }
  return {};
}

Result<void> Syncer::Reject(const Call& call, const Announced& announced, const Error& why) {
  const int64_t rejections = outbox::LongOf(announced.row, "rejections") + 1;
  FieldValues quiet = {{"rejections", rejections},
                       {"reason", Utf8Prefix(why.message(), kReasonBytesMax)}};
  if (rejections >= state_.options.rejections_max) {
    quiet.merge(outbox::Dead(announced.read_at_ms));
  }
  const WriteBatch batch{{Put{.ref = announced.row.ref,
                              .quiet = std::move(quiet),
                              .expect = Expect::Rev(announced.row.rev)}}};
  A4C_TRY(std::vector<BatchResult> results, ApplyRepeatable(state_, call, std::span(&batch, 1)));
  if (results[0].outcome == BatchOutcome::kApplied) {
    state_.runtime.metrics.Count("a4c_sync_rejected_total", {{"kind", collection_.kind.name}});
  }
  return {};
}

Result<void> Syncer::Confirm(const Call& call) {
  if (indexed_.empty()) return {};
  A4C_TRY(const int64_t shown, refreshes_.Show(call, indexed_.back().mark));
  return ConfirmShown(call, shown);
}

Result<void> Syncer::ConfirmDue(const Call& call) {
  if (indexed_.empty()) return {};
  A4C_TRY(const int64_t shown, refreshes_.ShowDue(call, LateMs()));
  return ConfirmShown(call, shown);
}

int64_t Syncer::Indexed::LateMs() const {
  const int64_t since_ms = outbox::LongOf(row, "since");
  return since_ms == 0 ? 0 : read_at_ms - since_ms;
}

int64_t Syncer::LateMs() const {
  if (indexed_.empty()) return 0;
  return std::ranges::min(indexed_ | std::views::transform(&Indexed::LateMs));
}

Result<void> Syncer::ConfirmShown(const Call& call, int64_t shown) {
  const auto end = std::ranges::partition_point(
      indexed_, [shown](const Indexed& one) { return one.mark < shown; });
  auto left = static_cast<size_t>(end - indexed_.begin());
  if (left == 0) return {};
  A4C_CHECK(RefreshNext(call));
  // In parts: what a tick has indexed may be more than the write queue takes at once.
  const auto part_max =
      std::max<size_t>(1, static_cast<size_t>(state_.options.group_commit.queue_batches_max) / 2);
  for (size_t count = 0; left > 0; left -= count) {
    count = std::min(left, part_max);
    const auto some = std::span<const Indexed>(indexed_).first(count);
    A4C_CHECK(ConfirmSome(call, some));
    for (const Indexed& one : some) unconfirmed_.erase(one.record);
    indexed_.erase(indexed_.begin(), indexed_.begin() + static_cast<std::ptrdiff_t>(count));
    confirmed_ += static_cast<int64_t>(count);
  }
  return {};
}

// If it fails, the rebuild may have ended: then what waits is shown by the live generation alone.
Result<void> Syncer::RefreshNext(const Call& call) {
  if (!next_.IsOpen()) return {};
  Result<void> refreshed = next_.Refresh(call);
  if (refreshed) {
    stall_.Took(RebuildStall::Way::kRefresh);
    return {};
  }
  A4C_TRY(const SearchIndex* const next, FindNext(call));
  if (next == nullptr) return refreshed;
  A4C_CHECK(NextMissed(call, RebuildStall::Way::kRefresh, refreshed.error()));
  return refreshed;
}

Result<void> Syncer::ConfirmSome(const Call& call, std::span<const Indexed> some) {
  std::vector<WriteBatch> batches;
  for (const Indexed& one : some) batches.push_back(ConfirmBatch(one));
  A4C_TRY(std::vector<BatchResult> results, ApplyRepeatable(state_, call, batches));
  std::vector<const Indexed*> moved_on;
  for (size_t i = 0; i < results.size(); ++i) {
    // Of the row itself. Another change under the row's own rev tells nothing about this one.
    if (results[i].outcome == BatchOutcome::kConflict && results[i].failures[0].op == 0 &&
        results[i].failures[0].reason == OpFailure::Reason::kRev) {
      moved_on.push_back(&some[i]);
    }
  }
  A4C_CHECK(Advance(call, moved_on));
  state_.runtime.metrics.Count("a4c_sync_confirmed_total", {{"kind", collection_.kind.name}},
                               static_cast<double>(some.size()));
  return {};
}

Result<void> Syncer::Advance(const Call& call, std::span<const Indexed* const> moved_on) {
  if (moved_on.empty()) return {};
  std::vector<WriteBatch> advances;
  for (const Indexed* one : moved_on) {
    advances.push_back({outbox::Advance(one->record, one->rev, one->read_at_ms)});
  }
  A4C_TRY(const std::vector<BatchResult> results, ApplyRepeatable(state_, call, advances));
  std::vector<WriteBatch> dead;
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i].outcome == BatchOutcome::kApplied) continue;
    dead.push_back({{outbox::AdvanceDead(moved_on[i]->record, moved_on[i]->rev)}});
  }
  if (!dead.empty()) A4C_CHECK(ApplyRepeatable(state_, call, dead));
  return {};
}

}  // namespace a4c
