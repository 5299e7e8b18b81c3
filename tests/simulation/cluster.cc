#include "tests/simulation/cluster.h"

#include <algorithm>
#include <utility>

#include "a4c/digests.h"
#include "a4c/memory.h"

namespace a4c::simulation {

Kind PhotoKind() {
  return Kind{.name = "photo",
              .fields = {{.name = "title", .type = FieldType::kText, .searchable = true},
                         {.name = "album", .type = FieldType::kKeyword, .searchable = true},
                         {.name = "size", .type = FieldType::kLong, .searchable = true}},
              .indexes = {{.name = "by_album", .fields = {"album"}}}};
}

Cluster::Cluster(Simulation& simulation, const Faults& faults_in)
    : faults(faults_in),
      simulation_(simulation),
      runtime_(simulation, nullptr, 1),
      store_(NewMemoryStore(runtime_.runtime())),
      index_(NewMemorySearchIndex(runtime_.runtime())),
      bus_(NewMemoryBus(runtime_.runtime())) {}

Cluster::~Cluster() = default;

Result<void> Cluster::EnsureStore(std::span<const Kind> kinds) {
  const Simulation::Still still;
  kinds_.assign(kinds.begin(), kinds.end());
  return store_->Ensure(call(), kinds);
}

BatchResult Cluster::Commit(const WriteBatch& batch, size_t* position) {
  const Simulation::Still still;
  const bool checked = failovers_ == 0 || !lossy_;
  const std::string early = checked ? TakenTooEarly(batch) : "";
  if (watcher != nullptr) watcher->Before(*store_, batch);
  Result<ApplyAnswer> answer = store_->Apply(call(), std::span(&batch, 1));
  if (!answer) {
    simulation_.Record("the memory store failed: " + answer.error().ToString());
    return {};
  }
  BatchResult result = std::move(answer->results[0]);
  if (result.outcome == BatchOutcome::kApplied) {
    log_.push_back({batch, result.values});
    *position = log_.size();
    if (watcher != nullptr) watcher->After(*store_, batch);
    CheckConfirms(batch, result);
    if (!early.empty()) {
      simulation_.Record("a poller took the row of " + early + ", which another one had");
    }
  }
  return result;
}

Result<GetAnswer> Cluster::Get(std::span<const RecordRef> refs) {
  const Simulation::Still still;
  return store_->Get(call(), refs);
}

Result<ScanAnswer> Cluster::Scan(const ScanRequest& request) {
  const Simulation::Still still;
  return store_->Scan(call(), request);
}

int64_t Cluster::StoreTimeMs() {
  return runtime().clock.NowMs();
}

void Cluster::FailOver(size_t lossy) {
  const Simulation::Still still;
  const size_t kept = replicated_ - std::min(replicated_, lossy);
  simulation_.Note("failover: " + std::to_string(log_.size() - kept) + " batches lost");
  ++failovers_;
  lossy_ = lossy_ || kept < replicated_;
  const auto lost = log_.begin() + static_cast<std::ptrdiff_t>(kept);
  dropped_.insert(dropped_.end(), lost, log_.end());
  log_.erase(lost, log_.end());
  replicated_ = kept;
  store_ = NewMemoryStore(runtime_.runtime());
  if (!store_->Ensure(call(), kinds_)) simulation_.Record("the new primary has no kinds");
  std::vector<WriteBatch> batches;
  for (const LogEntry& entry : log_) batches.push_back(entry.batch);
  const auto applied = store_->Apply(call(), batches);
  for (size_t i = 0; i < batches.size(); ++i) {
    if (!applied || applied->results[i].values != log_[i].values) {
      simulation_.Record("the new primary applied the log otherwise");
      return;
    }
  }
}

namespace {

bool Writes(const std::vector<LogEntry>& log, const RecordRef& ref, bool only_deletes) {
  return std::ranges::any_of(log, [&](const LogEntry& entry) {
    return std::ranges::any_of(entry.batch.ops, [&](const Op& op) {
      const Put* put = std::get_if<Put>(&op);
      return put != nullptr && put->ref == ref && (put->tombstone || !only_deletes);
    });
  });
}

}  // namespace

bool Cluster::WasDeleted(const RecordRef& ref) const {
  return Writes(log_, ref, true) || Writes(dropped_, ref, true);
}

bool Cluster::HasLost(const RecordRef& ref) const {
  return Writes(dropped_, ref, false);
}

std::optional<DigestRow> Cluster::Visible(const RecordRef& ref) {
  const Simulation::Still still;
  const int bucket = DigestBucket(ref.key.id);
  const auto rows = index_->As<Digests>()->Rows(call(), PhotoKind(), std::span(&bucket, 1));
  for (const DigestRow& row : *rows) {
    if (row.key == ref.key) return row;
  }
  return std::nullopt;
}

// Searches and digests pass over tombstones; a write with a rev below all others meets them.
bool Cluster::IndexHolds(const RecordRef& ref) {
  const Simulation::Still still;
  const Document probe{.ref = ref, .rev = 1, .tombstone = true, .body = "{}"};
  const auto results = index_->Bulk(call(), std::span(&probe, 1));
  if (results && (*results)[0].outcome == BulkOutcome::kStale) return true;
  const Purge purge{ref};
  (void)index_->Remove(call(), std::span(&purge, 1));
  return false;
}

void Cluster::WipeTopics() {
  const Simulation::Still still;
  simulation_.Note("all topics are wiped");
  bus_ = NewMemoryBus(runtime_.runtime());
  ++bus_generation_;
}

void Cluster::Later(int64_t delay_ms, std::function<void()> effect) {
  network_.push_back(runtime().threads.Start(
      "network", [this, delay_ms, effect = std::move(effect)](const std::stop_token&) {
        simulation_.Sleep(delay_ms);
        effect();
      }));
}

void Cluster::Drain() {
  for (size_t i = 0; i < network_.size(); ++i) network_[i]->Join();
  network_.clear();
}

namespace {

const Put* TakeOf(const Op& op) {
  const Put* const put = std::get_if<Put>(&op);
  if (put == nullptr || put->body || put->ref.kind != kPhotoOutbox) return nullptr;
  const auto next_at = put->quiet.find("next_at");
  const bool is_take =
      next_at != put->quiet.end() && std::holds_alternative<int64_t>(next_at->second);
  return is_take ? put : nullptr;
}

}  // namespace

bool Cluster::IsTake(const WriteBatch& batch) {
  return std::ranges::any_of(batch.ops, [](const Op& op) { return TakeOf(op) != nullptr; });
}

// Of several pollers one gets a row: whoever moves its due time on has found it due. The row of
// which that is not so, if the batch is applied.
std::string Cluster::TakenTooEarly(const WriteBatch& batch) {
  for (const Op& op : batch.ops) {
    const Put* const put = TakeOf(op);
    if (put == nullptr) continue;
    const auto found = store_->Get(call(), std::span(&put->ref, 1));
    if (!found || !found->records[0]) continue;
    const auto due = found->records[0]->quiet.find("next_at");
    if (due == found->records[0]->quiet.end()) continue;
    if (std::get<int64_t>(due->second) > StoreTimeMs()) return put->ref.key.id;
  }
  return "";
}

// An outbox row goes only when searches show the change that it stands for. After a lossy failover
// the index may be ahead; but it never shows another document under the record's own rev.
void Cluster::CheckConfirm(const Delete& confirm, int64_t rev) {
  if (confirm.ref.kind != kPhotoOutbox || rev == 0) return;
  const RecordRef ref{"photo", confirm.ref.key};
  const auto found = store_->Get(call(), std::span(&ref, 1));
  if (!found || !found->records[0]) return;
  const Record& record = *found->records[0];
  const std::optional<DigestRow> visible = Visible(ref);
  const std::string confirmed =
      "rev " + std::to_string(rev) + " of " + ref.key.id + " was confirmed";
  if (visible && visible->rev == record.rev &&
      visible->digest != DigestOf(ref.key.id, record.rev, BodyHash(record.body), record.tombstone,
                                  PhotoKind().version)) {
    simulation_.Record(confirmed + " while searches showed another document of that rev");
  }
  const int64_t visible_rev = visible ? visible->rev : 0;
  if (lossy_ || visible_rev >= rev || (!visible && WasDeleted(ref))) return;
  simulation_.Record(confirmed + " while searches showed rev " + std::to_string(visible_rev));
}

namespace {

bool IsRejection(const Put& put) {
  const auto reason = put.quiet.find("reason");
  return reason != put.quiet.end() && std::holds_alternative<std::string>(reason->second);
}

}  // namespace

void Cluster::NoteJudged(const RecordRef& row, int64_t rev) {
  if (row.kind == kPhotoOutbox) judged_[row] = std::max(judged_[row], rev);
}

int64_t Cluster::JudgedRev(const RecordRef& row) const {
  const auto found = judged_.find(row);
  return found == judged_.end() ? 0 : found->second;
}

// Searches show the record with this rev at least, or none of it, if it was deleted.
bool Cluster::Shows(const RecordRef& ref, int64_t rev) {
  const std::optional<DigestRow> visible = Visible(ref);
  return visible ? visible->rev >= rev : WasDeleted(ref);
}

// A row that has moved on says up to which rev searches show its record.
void Cluster::CheckAdvance(const Put& advance) {
  const auto confirmed = advance.quiet.find("confirmed");
  if (advance.ref.kind != kPhotoOutbox || confirmed == advance.quiet.end() || lossy_) return;
  const auto* rev = std::get_if<int64_t>(&confirmed->second);
  const RecordRef ref{"photo", advance.ref.key};
  if (rev == nullptr || Shows(ref, *rev)) return;
  simulation_.Record("rev " + std::to_string(*rev) + " of " + ref.key.id +
                     " is called confirmed, and searches do not show it");
}

// A task that has ended stays as it is, until another one is started.
void Cluster::CheckTask(const Put& written) {
  if (written.ref.kind != "sync_task" || !written.body || failovers_ > 0) return;
  Json task = *ParseJson(*written.body);
  Json& before = tasks_[written.ref];
  const bool had_ended = before.IsObject() && before["state"].Text() != "running";
  if (had_ended && before["started_ms"].Int() == task["started_ms"].Int()) {
    simulation_.Record("the task " + written.ref.key.id + ", which had ended as " +
                       before["state"].Text() + ", was written again");
  }
  before = std::move(task);
}

void Cluster::CheckSwapped() {
  const auto stored = store_->Scan(call(), {.kind = "photo", .tombstones = true, .limit = 10'000});
  for (const Record& record : stored->records) {
    if (record.body.find(kPoison) != std::string::npos) continue;
    const RecordRef row{std::string(kPhotoOutbox), record.ref.key};
    const auto announced = store_->Get(call(), std::span(&row, 1));
    int64_t confirmed_rev = record.rev;
    if (const auto& found = announced->records[0]) {
      const auto confirmed = found->quiet.find("confirmed");
      const bool is_told = confirmed != found->quiet.end();
      const auto* rev = is_told ? std::get_if<int64_t>(&confirmed->second) : nullptr;
      confirmed_rev = rev == nullptr ? 0 : *rev;
    }
    if (confirmed_rev == 0 || Shows(record.ref, confirmed_rev)) continue;
    simulation_.Record("the index was swapped for one that does not show rev " +
                       std::to_string(confirmed_rev) + " of " + record.ref.key.id);
  }
}

void Cluster::CheckConfirms(const WriteBatch& batch, const BatchResult& result) {
  for (size_t i = 0; i < batch.ops.size(); ++i) {
    if (const Put* put = std::get_if<Put>(&batch.ops[i])) {
      CheckAdvance(*put);
      CheckTask(*put);
      if (IsRejection(*put)) NoteJudged(put->ref, result.values[i]);
    }
    if (const Delete* confirm = std::get_if<Delete>(&batch.ops[i])) {
      CheckConfirm(*confirm, result.values[i]);
      NoteJudged(confirm->ref, result.values[i]);
    }
  }
}

}  // namespace a4c::simulation
