#include "a4c/store_copy.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "a4c/json.h"
#include "collection/store_moved.h"
#include "collection/sync_task.h"

namespace a4c {
namespace {

constexpr int kPageRecords = 500;

// The records of a kind in the order of their keys, one after another.
class Reader {
 public:
  Reader(const Call& call, Store& store, const std::string& kind)
      : call_(call),
        store_(store),
        request_{.kind = kind, .tombstones = true, .limit = kPageRecords} {}

  // Null: the end.
  Result<const Record*> Peek() {
    while (at_ == page_.size() && !ended_) {
      A4C_TRY(ScanAnswer answer, store_.Scan(call_, request_));
      page_ = std::move(answer.records);
      at_ = 0;
      request_.after = answer.next;
      ended_ = answer.next.empty();
    }
    return at_ == page_.size() ? nullptr : &page_[at_];
  }
  void Next() { ++at_; }

 private:
  const Call& call_;
  Store& store_;
  ScanRequest request_;
  std::vector<Record> page_;
  size_t at_ = 0;
  bool ended_ = false;
};

bool Same(const Record& left, const Record& right) {
  return left.rev == right.rev && left.tombstone == right.tombstone && left.body == right.body &&
         left.quiet == right.quiet;
}

class Copying {
 public:
  Copying(const Call& call, Store& from, Store& to, const Kind& kind)
      : call_(call),
        to_(to),
        append_only_(kind.append_only),
        old_(call, from, kind.name),
        new_(call, to, kind.name) {}

  Result<StoreCopyReport> Run(const std::function<Result<void>(const StoreCopyReport&)>& progress) {
    while (true) {
      A4C_TRY(const Record* const wanted, Wanted());
      A4C_TRY(const Record* const found, new_.Peek());
      if (wanted == nullptr && found == nullptr) break;
      Compare(wanted, found);
      if (writes_.size() + removals_.size() < kPageRecords) continue;
      A4C_CHECK(Flush());
      if (progress) A4C_CHECK(progress(report_));
    }
    A4C_CHECK(Flush());
    if (progress) A4C_CHECK(progress(report_));
    return report_;
  }

 private:
  // The mark is of the old store alone.
  Result<const Record*> Wanted() {
    A4C_TRY(const Record* record, old_.Peek());
    if (record != nullptr && record->ref == StoreMovedRef()) {
      old_.Next();
      return old_.Peek();
    }
    return record;
  }

  void Compare(const Record* wanted, const Record* found) {
    const bool only_old =
        found == nullptr || (wanted != nullptr && wanted->ref.key < found->ref.key);
    const bool only_new =
        wanted == nullptr || (found != nullptr && found->ref.key < wanted->ref.key);
    if (only_new) {
      if (append_only_) return new_.Next();
      ++report_.removed;
      Remove(*found);
      return new_.Next();
    }
    ++report_.records;
    if (only_old || !Same(*wanted, *found)) {
      ++report_.written;
      if (!only_old) Remove(*found);
      Write(*wanted);
    }
    old_.Next();
    if (!only_old) new_.Next();
  }

  void Remove(const Record& record) {
    removals_.push_back({{Delete{.ref = record.ref, .expect = Expect::Rev(record.rev)}}});
  }
  void Write(const Record& record) {
    writes_.push_back({{Put{.ref = record.ref,
                            .body = record.body,
                            .tombstone = record.tombstone,
                            .quiet = record.quiet,
                            .expect = Expect::Absent(),
                            .min_rev = record.rev}}});
  }

  // Removals first: a record that is written may take over a unique value of one that is removed.
  Result<void> Flush() {
    A4C_CHECK(Apply(removals_));
    return Apply(writes_);
  }

  // A conflict is left to the next pass: somebody writes, or a unique value is freed further on.
  Result<void> Apply(std::vector<WriteBatch>& batches) {
    if (batches.empty()) return {};
    A4C_TRY(const ApplyAnswer answer, to_.Apply(call_, batches));
    for (const BatchResult& result : answer.results) {
      const bool settled =
          result.outcome == BatchOutcome::kApplied || result.outcome == BatchOutcome::kConflict;
      if (settled) continue;
      if (result.error) return *result.error;
      return Error(Code::kInvalid, "the new store refuses a record: " +
                                       (result.failures.empty() ? std::string("no reason given")
                                                                : result.failures[0].message));
    }
    batches.clear();
    return {};
  }

  const Call& call_;
  Store& to_;
  const bool append_only_;
  Reader old_;
  Reader new_;
  StoreCopyReport report_;
  std::vector<WriteBatch> removals_;
  std::vector<WriteBatch> writes_;
};

}  // namespace

Result<StoreCopyReport> CopyKind(
    const Call& call, Store& from, Store& to, const Kind& kind,
    const std::function<Result<void>(const StoreCopyReport&)>& progress) {
  return Copying(call, from, to, kind).Run(progress);
}

RecordRef StoreMovedRef() {
  return {std::string(kSyncTaskKind), {"", "store.moved"}};
}

Result<void> MarkStoreMoved(const Call& call, Store& store, const std::string& to) {
  WriteBatch batch;
  if (to.empty()) {
    batch.ops.emplace_back(Delete{.ref = StoreMovedRef()});
  } else {
    const Json body(Json::Object{{"to", to}});
    batch.ops.emplace_back(Put{.ref = StoreMovedRef(), .body = body.ToString()});
  }
  A4C_TRY(const ApplyAnswer answer, store.Apply(call, std::span(&batch, 1)));
  if (answer.results[0].outcome == BatchOutcome::kApplied) return {};
  return answer.results[0].error.value_or(Error(Code::kInternal, "the mark was not written"));
}

Result<void> CheckStoreNotMoved(const Call& call, Store& store) {
  const RecordRef ref = StoreMovedRef();
  A4C_TRY(const GetAnswer found, store.Get(call, std::span(&ref, 1)));
  if (!found.records[0]) return {};
  A4C_TRY(const Json body, ParseJson(found.records[0]->body));
  return Error(Code::kConflict, "the records of this store have moved to " + body["to"].Text(),
               "start with the config that names the new store");
}

}  // namespace a4c
