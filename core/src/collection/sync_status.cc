#include <algorithm>

#include "collection/outbox.h"
#include "collection/sync_task.h"

namespace a4c {
namespace {

constexpr int64_t kLagAgeMs = 1'000;
constexpr int kDeadLettersMax = 1'000;

int64_t AgeOf(const ScanAnswer& oldest) {
  if (oldest.records.empty()) return 0;
  return std::max<int64_t>(0, oldest.store_time_ms - outbox::LongOf(oldest.records[0], "since"));
}

Result<ScanAnswer> Oldest(Database::State& state, const Call& call, const Kind& kind, int limit) {
  return state.store->Scan(call, {.kind = outbox::KindOf(kind).name,
                                  .index = std::string(outbox::kOldestIndex),
                                  .limit = limit});
}

Result<std::vector<Record>> DeadRows(Database::State& state, const Call& call, const Kind& kind) {
  A4C_TRY(ScanAnswer page, state.store->Scan(call, {.kind = outbox::KindOf(kind).name,
                                                    .index = std::string(outbox::kDeadIndex),
                                                    .limit = kDeadLettersMax}));
  return std::move(page.records);
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

Result<int64_t> Database::LagMs(const Call& call, const std::string& kind) {
  A4C_TRY(const CollectionSpec* collection, state_->Searchable(kind));
  const int64_t now = state_->runtime.clock.MonotonicMs();
  if (state_->lag_read_at_ms != INT64_MIN && now - state_->lag_read_at_ms < kLagAgeMs) {
    return state_->lag_ms.load();
  }
  A4C_TRY(ScanAnswer oldest, Oldest(*state_, call.InAllScopes(), collection->kind, 1));
  state_->lag_ms = AgeOf(oldest);
  state_->lag_read_at_ms = now;
  return state_->lag_ms.load();
}

Result<SyncStatus> Database::Status(const Call& call, const std::string& kind) {
  A4C_TRY(const CollectionSpec* collection, state_->Searchable(kind));
  SyncStatus status{.kind = kind};
  A4C_TRY(ScanAnswer rows,
          Oldest(*state_, call, collection->kind, state_->options.outbox_count_max));
  status.store_time_ms = rows.store_time_ms;
  status.outbox_rows = static_cast<int64_t>(rows.records.size());
  status.outbox_rows_more = !rows.next.empty();
  status.lag_ms = AgeOf(rows);
  A4C_TRY(const std::vector<Record> dead, DeadRows(*state_, call, collection->kind));
  status.dead_letters = static_cast<int64_t>(dead.size());
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
  auto generations = rebuild->Generations(call, collection->kind);
  if (!generations && status.index_trouble.empty()) {
    status.index_trouble = generations.error().ToString();
  }
  if (generations) status.generations = *std::move(generations);
  return status;
}

Result<std::vector<DeadLetter>> Database::DeadLetters(const Call& call, const std::string& kind) {
  A4C_TRY(const CollectionSpec* collection, state_->Searchable(kind));
  A4C_TRY(const std::vector<Record> rows, DeadRows(*state_, call, collection->kind));
  std::vector<DeadLetter> letters;
  for (const Record& row : rows) {
    const auto reason = row.quiet.find("reason");
    letters.push_back({outbox::RecordOf(row.ref), row.rev,
                       reason == row.quiet.end() ? "" : std::get<std::string>(reason->second),
                       outbox::LongOf(row, "dead_at")});
  }
  return letters;
}

Result<int64_t> Database::RetryDeadLetters(const Call& call, const std::string& kind,
                                           std::span<const RecordRef> refs) {
  A4C_TRY(const CollectionSpec* collection, state_->Searchable(kind));
  int64_t revived = 0;
  for (bool more = true; more;) {
    A4C_TRY(const std::vector<Record> rows, DeadRows(*state_, call, collection->kind));
    std::vector<WriteBatch> batches;
    for (const Record& row : rows) {
      const bool wanted =
          refs.empty() || std::ranges::find(refs, outbox::RecordOf(row.ref)) != refs.end();
      if (wanted) batches.push_back({{outbox::Revive(row, state_->store_time.NowMs())}});
    }
    if (batches.empty()) break;
    A4C_TRY(ApplyAnswer answer, state_->store->Apply(call, batches));
    const auto applied =
        std::ranges::count(answer.results, BatchOutcome::kApplied, &BatchResult::outcome);
    revived += applied;
    more = refs.empty() && applied > 0 && rows.size() == kDeadLettersMax;
  }
  return revived;
}

std::unique_ptr<Loop> Database::NewStatusLoop(const std::string& kind) {
  if (!state_->Searchable(kind) || state_->backends.index == nullptr) return nullptr;
  return std::make_unique<StatusLoop>(*this, *state_, kind);
}

}  // namespace a4c
