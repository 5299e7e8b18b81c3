// A store whose instances share their records, in memory, and which has one flaw: the suites have
// to catch it. It decides each batch by the batch rules, as one over a server would.
//
//   none             instances write one at a time
//   instance_lock    each has a lock of its own, as if there were no other
//   own_projection   its digests are of projection 1, whatever the kind's version
//   deleted_counted  its digests count what was deleted
#include <algorithm>
#include <functional>
#include <mutex>
#include <utility>

#include "a4c/batch_rules.h"
#include "a4c/digests.h"
#include "a4c/memory.h"
#include "a4c/plugin.h"

namespace {

constexpr int64_t kOthersMs = 5;

// What all instances of the process share.
struct Shared {
  explicit Shared(const a4c::Runtime& runtime)
      : records(a4c::NewMemoryStore(runtime)),
        clock(runtime.clock),
        waiter(runtime.threads.NewWaiter()) {}

  const std::unique_ptr<a4c::Store> records;
  const a4c::Clock& clock;
  const std::unique_ptr<a4c::Waiter> waiter;  // over the two counts
  int judged = 0;
  int written = 0;
  std::mutex writing;
  std::mutex knowing;
  a4c::Kinds kinds;
};

Shared& TheShared(const a4c::Runtime& runtime) {
  static auto* const shared = new Shared(runtime);
  return *shared;
}

// The records decide nothing by themselves: no merges, no unique indexes.
a4c::Kind Plain(a4c::Kind kind) {
  for (a4c::Field& field : kind.fields) field.merge = a4c::Merge::kReplace;
  for (a4c::ScanIndex& index : kind.indexes) index.unique = false;
  return kind;
}

class View final : public a4c::BatchView {
 public:
  View(const a4c::Call& call, a4c::Store& records) : call_(call), records_(records) {}

  a4c::Result<std::optional<a4c::StoredRow>> Find(const a4c::Kind& kind,
                                                  const a4c::Key& key) override {
    const a4c::RecordRef ref{kind.name, key};
    A4C_TRY(const a4c::GetAnswer answer, records_.Get(call_, {&ref, 1}));
    const std::optional<a4c::Record>& record = answer.records.at(0);
    if (!record) return std::optional<a4c::StoredRow>();
    return std::optional(a4c::StoredRow{record->rev, record->tombstone, record->quiet});
  }

  a4c::Result<std::optional<a4c::Key>> Holder(const a4c::UniqueClaim& claim) override {
    a4c::ScanRequest request{
        .kind = claim.kind->name, .index = claim.index->name, .prefix = claim.values, .limit = 1};
    if (claim.index->scoped) request.scope = claim.scope;
    A4C_TRY(const a4c::ScanAnswer page, records_.Scan(call_, request));
    if (page.records.empty()) return std::optional<a4c::Key>();
    return std::optional(page.records[0].ref.key);
  }

 private:
  const a4c::Call call_;
  a4c::Store& records_;
};

a4c::Op OpOf(const a4c::RowChange& change) {
  using What = a4c::RowChange::What;
  if (change.what == What::kDelete) return a4c::Delete{.ref = *change.ref};
  a4c::Put put{.ref = *change.ref};
  for (const a4c::Field& field : change.kind->fields) {
    if (field.quiet) put.quiet[field.name] = a4c::Scalar();
  }
  for (const auto& [name, value] : change.row.quiet) put.quiet[name] = value;
  if (change.what == What::kQuiet) return put;
  put.body = *change.body;
  put.tombstone = change.row.tombstone;
  put.min_rev = change.row.rev;
  return put;
}

class FlawedDigests final : public a4c::Digests {
 public:
  FlawedDigests(a4c::Store& records, const std::string& flaw)
      : records_(records),
        own_projection_(flaw == "own_projection"),
        deleted_counted_(flaw == "deleted_counted") {}

  a4c::Result<a4c::DigestSums> Sums(const a4c::Call& call, const a4c::Kind& kind) override {
    a4c::DigestSums sums{};
    A4C_CHECK(ForEach(call, kind, [&sums](int bucket, const a4c::DigestRow& row) {
      sums.at(static_cast<size_t>(bucket)).count += 1;
      sums.at(static_cast<size_t>(bucket)).sum += row.digest;
    }));
    return sums;
  }
  a4c::Result<std::vector<a4c::DigestRow>> Rows(const a4c::Call& call, const a4c::Kind& kind,
                                                std::span<const int> buckets) override {
    std::vector<a4c::DigestRow> rows;
    A4C_CHECK(ForEach(call, kind, [&](int bucket, const a4c::DigestRow& row) {
      if (std::ranges::count(buckets, bucket) > 0) rows.push_back(row);
    }));
    return rows;
  }

 private:
  a4c::Result<void> ForEach(const a4c::Call& call, const a4c::Kind& kind,
                            const std::function<void(int, const a4c::DigestRow&)>& visit) {
    A4C_TRY(
        const a4c::ScanAnswer all,
        records_.Scan(call, {.kind = kind.name, .tombstones = deleted_counted_, .limit = 10'000}));
    for (const a4c::Record& record : all.records) {
      const std::string& id = record.ref.key.id;
      visit(a4c::DigestBucket(id),
            {record.ref.key, record.rev,
             a4c::DigestOf(id, record.rev, a4c::BodyHash(record.body), record.tombstone,
                           own_projection_ ? 1 : kind.version)});
    }
    return {};
  }

  a4c::Store& records_;
  const bool own_projection_;
  const bool deleted_counted_;
};

class FlawedStore final : public a4c::Store {
 public:
  FlawedStore(Shared& shared, const std::string& flaw)
      : shared_(shared),
        instance_lock_(flaw == "instance_lock"),
        writing_(instance_lock_ ? own_ : shared.writing),
        digests_(*shared.records, flaw) {}

  a4c::Result<void> Ensure(const a4c::Call& call, std::span<const a4c::Kind> kinds) override {
    for (const a4c::Kind& kind : kinds) {
      const a4c::Kind plain = Plain(kind);
      A4C_CHECK(shared_.records->Ensure(call, {&plain, 1}));
      const std::scoped_lock lock(shared_.knowing);
      shared_.kinds[kind.name] = kind;
    }
    return {};
  }

  a4c::Result<a4c::ApplyAnswer> Apply(const a4c::Call& call,
                                      std::span<const a4c::WriteBatch> batches) override {
    A4C_CHECK(a4c::CheckCall(call));
    a4c::ApplyAnswer answer;
    const std::scoped_lock lock(writing_);
    for (const a4c::WriteBatch& batch : batches) {
      A4C_TRY(a4c::BatchResult result, ApplyOne(call, batch));
      answer.results.push_back(std::move(result));
    }
    A4C_TRY(const a4c::GetAnswer now, shared_.records->Get(call, {}));
    answer.store_time_ms = now.store_time_ms;
    return answer;
  }

  a4c::Result<a4c::GetAnswer> Get(const a4c::Call& call,
                                  std::span<const a4c::RecordRef> refs) override {
    return shared_.records->Get(call, refs);
  }
  a4c::Result<a4c::ScanAnswer> Scan(const a4c::Call& call,
                                    const a4c::ScanRequest& request) override {
    return shared_.records->Scan(call, request);
  }

 private:
  a4c::Result<a4c::BatchResult> ApplyOne(const a4c::Call& call, const a4c::WriteBatch& batch) {
    const a4c::Kinds kinds = KindsNow();
    const a4c::CheckedBatch checked = a4c::CheckBatch(call, kinds, batch);
    View view(call.InAllScopes(), *shared_.records);
    A4C_TRY(a4c::Verdict verdict, a4c::Judge(checked, view));
    if (instance_lock_ && !verdict.changes.empty()) LetOthersIn();
    a4c::WriteBatch written;
    for (const a4c::RowChange& change : verdict.changes) written.ops.push_back(OpOf(change));
    if (!written.ops.empty()) A4C_CHECK(shared_.records->Apply(call, {&written, 1}));
    NoteWritten();
    return std::move(verdict.result);
  }

  a4c::Kinds KindsNow() {
    const std::scoped_lock lock(shared_.knowing);
    return shared_.kinds;
  }

  // Between judging and writing every third waits until others have written twice, if any do: whom
  // no lock keeps out comes in between.
  void LetOthersIn() {
    const a4c::Waiter::Lock lock(*shared_.waiter);
    if (shared_.judged++ % 3 != 0) return;
    const int enough = shared_.written + 2;
    const int64_t until_ms = shared_.clock.MonotonicMs() + kOthersMs;
    while (shared_.written < enough && shared_.clock.MonotonicMs() < until_ms) {
      shared_.waiter->Wait(until_ms);
    }
  }
  void NoteWritten() {
    const a4c::Waiter::Lock lock(*shared_.waiter);
    ++shared_.written;
    shared_.waiter->NotifyAll();
  }

  void* Extension(std::string_view name) override {
    return name == a4c::Digests::kExtension ? static_cast<a4c::Digests*>(&digests_) : nullptr;
  }

  Shared& shared_;
  const bool instance_lock_;
  std::mutex own_;
  std::mutex& writing_;
  FlawedDigests digests_;
};

constexpr a4c::ConfigKey kKeys[] = {
    {"flaw", a4c::ConfigType::kString, "none", "what is wrong with it"}};

a4c::Result<std::unique_ptr<a4c::Store>> Make(const a4c::Config& config,
                                              const a4c::Runtime& runtime) {
  return std::unique_ptr<a4c::Store>(new FlawedStore(TheShared(runtime), config.String("flaw")));
}

}  // namespace

A4C_PLUGIN(Store, "store-flawed", "a store for tests of the suites", kKeys, a4c::kNothingAbsent,
           Make);
