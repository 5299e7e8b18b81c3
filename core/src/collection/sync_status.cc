#include <algorithm>
#include <iterator>

#include "collection/next_index.h"
#include "collection/outbox.h"
#include "collection/sync_task.h"

namespace a4c {
namespace {

constexpr int64_t kLagAgeMs = 1'000;
constexpr int kDeadPage = 1'000;

// Behind more rows of others, one of a scope may be as old as they are.
constexpr int kScopePageRows = 500;
constexpr int kScopePagesMax = 10;

int64_t AgeOf(const Record& row, int64_t store_time_ms) {
  return std::max<int64_t>(0, store_time_ms - outbox::LongOf(row, "since"));
}

ScanRequest OldestFirst(const Kind& kind, int limit) {
  return {.kind = outbox::KindOf(kind).name,
          .index = std::string(outbox::kOldestIndex),
          .limit = limit};
}

Result<ScanAnswer> DeadRows(Database::State& state, const Call& call, const Kind& kind,
                            const std::string& after = {}) {
  return state.store->Scan(call, {.kind = outbox::KindOf(kind).name,
                                  .index = std::string(outbox::kDeadIndex),
                                  .after = after,
                                  .limit = kDeadPage});
}

// Of these records, the rows that are dead: looked up, however many others are.
Result<std::vector<Record>> DeadRowsOf(Database::State& state, const Call& call,
                                       std::span<const RecordRef> refs) {
  std::vector<RecordRef> keys;
  for (const RecordRef& ref : refs) keys.push_back(outbox::RefOf(ref));
  A4C_TRY(GetAnswer found, state.GetInParts(call, keys));
  std::vector<Record> dead;
  for (std::optional<Record>& row : found.records) {
    if (row && outbox::LongOf(*row, "dead_at") > 0) dead.push_back(*std::move(row));
  }
  return dead;
}

DeadLetter LetterOf(const Record& row) {
  const auto reason = row.quiet.find("reason");
  return {outbox::RecordOf(row.ref), row.rev,
          reason == row.quiet.end() ? "" : std::get<std::string>(reason->second),
          outbox::LongOf(row, "dead_at")};
}

// Makes these rows due again; how many still were the ones that were read.
Result<int64_t> ReviveRows(Database::State& state, const Call& call, std::span<const Record> rows) {
  std::vector<WriteBatch> batches;
  for (const Record& row : rows) {
    batches.push_back({{outbox::Revive(row, state.store_time.NowMs())}});
  }
  if (batches.empty()) return 0;
  A4C_TRY(const std::vector<BatchResult> results, ApplyRepeatable(state, call, batches));
  return std::ranges::count(results, BatchOutcome::kApplied, &BatchResult::outcome);
}

Result<std::vector<SyncTask>> Tasks(Database::State& state, const Call& call,
                                    const std::string& kind) {
  std::vector<SyncTask> tasks;
  for (const SyncWork work : kAllSyncWork) {
    A4C_TRY(std::optional<StoredTask> stored, ReadTask(state, call, kind, work));
    if (stored) tasks.push_back(std::move(stored->task));
  }
  return tasks;
}

// What Status says, as metrics; each instance says the same of the store that they share.
class StatusLoop final : public Loop {
 public:
  StatusLoop(Database& database, Database::State& state, std::string kind)
      : database_(database), state_(state), kind_(std::move(kind)), name_("status-" + kind_) {}

  const std::string& name() const override { return name_; }

  Result<int64_t> Step(const Call& call) override {
    A4C_TRY(SyncStatus status, database_.Status(call, kind_));
    const auto gauge = [&](std::string_view name, int64_t value, double unit = 1) {
      state_.runtime.metrics.Gauge(name, {{"kind", kind_}}, static_cast<double>(value) / unit);
    };
    gauge("a4c_outbox_rows", status.outbox_rows + status.dead_letters);
    gauge("a4c_outbox_age_seconds", status.lag_ms, 1e3);
    gauge("a4c_sync_lag_documents", status.outbox_rows);
    gauge("a4c_sync_lag_seconds", status.lag_ms, 1e3);
    gauge("a4c_sync_dead_letters", status.dead_letters);
    gauge("a4c_index_ready", status.index_trouble.empty() ? 1 : 0);
    for (const SyncTask& task : status.tasks) {
      if (task.work == SyncWork::kVerify) gauge("a4c_drift_records", task.drift);
    }
    if (status.proved_ms > 0) {
      gauge("a4c_oldest_bucket_proof_seconds", status.store_time_ms - status.proved_ms, 1e3);
    }
    return kPeriodMs;
  }

 private:
  static constexpr int64_t kPeriodMs = 10'000;

  Database& database_;
  Database::State& state_;
  const std::string kind_;
  const std::string name_;
};

}  // namespace

Result<int64_t> ReadLagMs(Database::State& state, const Call& call, const Kind& kind) {
  A4C_TRY(const std::optional<int64_t> oldest_ms, ReadOldestMs(state, call, kind));
  return oldest_ms.value_or(0);
}

Result<std::optional<int64_t>> ReadOldestMs(Database::State& state, const Call& call,
                                            const Kind& kind,
                                            const std::optional<std::string>& scope) {
  ScanRequest request = OldestFirst(kind, scope ? kScopePageRows : 1);
  for (int pages = 1;; ++pages) {
    A4C_TRY(const ScanAnswer page, state.store->Scan(call, request));
    for (const Record& row : page.records) {
      if (!scope || row.ref.key.scope == *scope)
        return std::optional(AgeOf(row, page.store_time_ms));
    }
    if (page.next.empty()) return std::optional<int64_t>();
    if (pages == kScopePagesMax) {
      return std::optional(AgeOf(page.records.back(), page.store_time_ms));
    }
    request.after = page.next;
  }
}

Result<int64_t> Database::LagMs(const Call& call, const std::string& kind) {
  A4C_TRY(const CollectionSpec* collection, state_->Searchable(kind));
  State::Lag& lag = state_->lags.at(kind);
  const int64_t now = state_->runtime.clock.MonotonicMs();
  if (lag.read_at_ms != INT64_MIN && now - lag.read_at_ms < kLagAgeMs) return lag.ms.load();
  A4C_TRY(const int64_t lag_ms, ReadLagMs(*state_, call.InAllScopes(), collection->kind));
  lag.ms = lag_ms;
  lag.read_at_ms = now;
  return lag.ms.load();
}

Result<SyncStatus> Database::Status(const Call& call, const std::string& kind) {
  A4C_TRY(const CollectionSpec* collection, state_->Searchable(kind));
  SyncStatus status{.kind = kind};
  A4C_TRY(
      ScanAnswer rows,
      state_->store->Scan(call, OldestFirst(collection->kind, state_->options.outbox_count_max)));
  status.store_time_ms = rows.store_time_ms;
  status.outbox_rows = static_cast<int64_t>(rows.records.size());
  status.outbox_rows_more = !rows.next.empty();
  if (!rows.records.empty()) status.lag_ms = AgeOf(rows.records[0], rows.store_time_ms);
  A4C_TRY(const ScanAnswer dead, DeadRows(*state_, call, collection->kind));
  status.dead_letters = static_cast<int64_t>(dead.records.size());
  status.dead_letters_more = !dead.next.empty();
  A4C_TRY(status.tasks, Tasks(*state_, call, kind));
  for (const SyncTask& task : status.tasks)
    status.proved_ms = std::max(status.proved_ms, task.proved_ms);
  if (state_->backends.index == nullptr) {
    status.index_trouble = "there is no search index";
    return status;
  }
  const Result<void> ensured = state_->EnsureIndex(call);
  if (!ensured) status.index_trouble = ensured.error().ToString();
  Rebuild* rebuild = state_->backends.index->As<Rebuild>();
  if (rebuild == nullptr) return status;
  const auto generations = rebuild->Generations(call, collection->kind);
  if (generations) status.generations = *generations;
  if (!status.index_trouble.empty()) return status;
  if (!generations) {
    status.index_trouble = generations.error().ToString();
  } else if (IsLost(*state_, status.generations)) {
    status.index_trouble =
        Error(Code::kNotFound, "the index is gone", "it is rebuilt from the store").ToString();
  }
  return status;
}

Result<DeadLetterPage> Database::DeadLetters(const Call& call, const std::string& kind,
                                             const std::string& after) {
  A4C_TRY(const CollectionSpec* collection, state_->Searchable(kind));
  A4C_TRY(const ScanAnswer rows, DeadRows(*state_, call, collection->kind, after));
  DeadLetterPage page{.letters = {}, .next = rows.next};
  std::ranges::transform(rows.records, std::back_inserter(page.letters), LetterOf);
  return page;
}

Result<int64_t> Database::RetryDeadLetters(const Call& call, const std::string& kind,
                                           std::span<const RecordRef> refs) {
  A4C_TRY(const CollectionSpec* collection, state_->Searchable(kind));
  if (!refs.empty()) {
    A4C_TRY(const std::vector<Record> rows, DeadRowsOf(*state_, call, refs));
    return ReviveRows(*state_, call, rows);
  }
  int64_t revived = 0;
  for (bool more = true; more;) {
    A4C_TRY(const ScanAnswer page, DeadRows(*state_, call, collection->kind));
    A4C_TRY(const int64_t applied, ReviveRows(*state_, call, page.records));
    revived += applied;
    more = applied > 0 && !page.next.empty();
  }
  return revived;
}

std::unique_ptr<Loop> Database::NewStatusLoop(const std::string& kind) {
  if (!state_->Searchable(kind) || state_->backends.index == nullptr) return nullptr;
  return std::make_unique<StatusLoop>(*this, *state_, kind);
}

}  // namespace a4c
