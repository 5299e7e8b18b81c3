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

bool Cluster::WasDeleted(const RecordRef& ref) const {
  const auto deletes = [&ref](const LogEntry& entry) {
    return std::ranges::any_of(entry.batch.ops, [&ref](const Op& op) {
      const Put* put = std::get_if<Put>(&op);
      return put != nullptr && put->tombstone && put->ref == ref;
    });
  };
  return std::ranges::any_of(log_, deletes) || std::ranges::any_of(dropped_, deletes);
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
      "network", [this, delay_ms, effect = std::move(effect)](std::stop_token) {
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

void Cluster::CheckConfirms(const WriteBatch& batch, const BatchResult& result) {
  for (size_t i = 0; i < batch.ops.size(); ++i) {
    if (const Delete* confirm = std::get_if<Delete>(&batch.ops[i])) {
      CheckConfirm(*confirm, result.values[i]);
    }
  }
}

}  // namespace a4c::simulation
