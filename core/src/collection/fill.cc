#include "collection/fill.h"

#include <algorithm>

namespace a4c {
namespace {

// A record that the store lacks: whatever the index has of it goes.
Result<void> RemoveAll(const Call& call, SearchIndex& index, std::span<const Purge> purges) {
  if (purges.empty()) return {};
  A4C_TRY(const std::vector<BulkResult> results, index.Remove(call, purges));
  const auto retry = std::ranges::find(results, BulkOutcome::kRetry, &BulkResult::outcome);
  if (retry == results.end()) return {};
  return retry->error.value_or(Error(Code::kUnavailable, "the index did not remove a document"));
}

}  // namespace

Result<void> FillRecords(const Call& call, SearchIndex& index, const Kind& kind,
                         std::span<const Record> records) {
  std::vector<Document> documents;
  for (const Record& record : records) {
    documents.push_back({.ref = record.ref,
                         .rev = record.rev,
                         .tombstone = record.tombstone,
                         .body = record.body,
                         .projection = kind.version});
  }
  if (documents.empty()) return {};
  A4C_TRY(const std::vector<BulkResult> results, index.Bulk(call, documents));
  const auto retry = std::ranges::find(results, BulkOutcome::kRetry, &BulkResult::outcome);
  if (retry == results.end()) return {};
  return retry->error.value_or(Error(Code::kUnavailable, "the index did not take a document"));
}

Result<int64_t> Database::Fill(const Call& call, const std::string& kind,
                               std::span<const RecordRef> refs,
                               const std::function<Result<void>(int64_t)>& progress) {
  A4C_TRY(const CollectionSpec* collection, state_->Searchable(kind));
  A4C_CHECK(state_->EnsureIndex(call));
  SearchIndex& index = *state_->backends.index;
  if (!refs.empty()) {
    A4C_TRY(GetAnswer found, state_->GetInParts(call, refs));
    std::vector<Record> records;
    std::vector<Purge> purges;
    for (size_t i = 0; i < refs.size(); ++i) {
      if (!found.records[i]) purges.push_back({refs[i]});
      if (found.records[i]) records.push_back(*std::move(found.records[i]));
    }
    A4C_CHECK(RemoveAll(call, index, purges));
    A4C_CHECK(FillRecords(call, index, collection->kind, records));
    A4C_CHECK(index.Refresh(call, kind));
    return static_cast<int64_t>(records.size());
  }
  int64_t filled = 0;
  ScanRequest all{.kind = kind, .tombstones = true, .limit = state_->options.sync_batch_max};
  do {
    A4C_TRY(ScanAnswer page, Scan(call, all));
    A4C_CHECK(FillRecords(call, index, collection->kind, page.records));
    filled += static_cast<int64_t>(page.records.size());
    if (progress) A4C_CHECK(progress(filled));
    all.after = page.next;
  } while (!all.after.empty());
  A4C_CHECK(index.Refresh(call, kind));
  return filled;
}

}  // namespace a4c
