#include "collection/database.h"

#include <algorithm>
#include <iterator>

#include "a4c/json.h"
#include "a4c/retention.h"
#include "collection/outbox.h"
#include "collection/store_moved.h"
#include "collection/sync_task.h"

namespace a4c {
namespace {

constexpr int64_t kIndexAtStartMs = 10'000;

}  // namespace

Kind IdempotencyKind() {
  return Kind{
      .name = std::string(kIdempotencyKind),
      .version = 2,
      .fields =
          {{.name = "created", .type = FieldType::kTime, .quiet = true},
           {.name = "touched", .type = FieldType::kTime, .quiet = true, .merge = Merge::kMax}},
      .indexes = {{.name = std::string(kIdempotencyIndex), .fields = {"created"}, .scoped = false}},
      .age_field = "created"};
}

Result<const CollectionSpec*> Database::State::Searchable(const std::string& kind) const {
  const auto found = collections.find(kind);
  if (found == collections.end()) return Error(Code::kInvalid, "unknown kind \"" + kind + "\"");
  if (!found->second.searchable) {
    return Error(Code::kInvalid, "kind \"" + kind + "\" is not searchable");
  }
  return &found->second;
}

bool Database::State::IsSearchable(const std::string& kind) const {
  const auto found = collections.find(kind);
  return found != collections.end() && found->second.searchable;
}

Result<void> Database::State::EnsureIndex(const Call& call) {
  if (backends.index == nullptr || index_ensured) return {};
  std::vector<Kind> kinds;
  for (const auto& [name, spec] : collections) {
    if (spec.searchable) kinds.push_back(spec.kind);
  }
  Result<void> ensured = backends.index->Ensure(call, kinds);
  index_ensured = ensured.has_value();
  index_outdated = !ensured && ensured.error().code() == Code::kConflict &&
                   backends.index->As<Rebuild>() != nullptr;
  if (!index_outdated) return ensured;
  return Error(Code::kUnavailable, ensured.error().message(), ensured.error().hint());
}

Result<void> Database::State::LookForIndex(const Call& call) {
  Call brief = call;
  brief.deadline_ms = std::min(call.deadline_ms, runtime.clock.MonotonicMs() + kIndexAtStartMs);
  const Result<void> ensured = EnsureIndex(brief);
  if (ensured) return {};
  const Error& error = ensured.error();
  if (!error.retryable() && !error.unknown_outcome()) return error;
  runtime.log.Write(LogLevel::kWarning, "collection",
                    index_outdated ? "the index has to be rebuilt" : "the index is not ready yet",
                    {{"error", error.ToString()}});
  return {};
}

Result<GetAnswer> Database::State::GetInParts(const Call& call, std::span<const RecordRef> refs) {
  GetAnswer all;
  while (!refs.empty()) {
    const size_t count = std::min(refs.size(), static_cast<size_t>(options.sync_batch_max));
    A4C_TRY(GetAnswer part, store->Get(call, refs.first(count)));
    all.store_time_ms = part.store_time_ms;
    std::ranges::move(part.records, std::back_inserter(all.records));
    refs = refs.subspan(count);
  }
  return all;
}

bool Database::State::Pause(const Call& call, int64_t pause_ms) const {
  const int64_t until = runtime.clock.MonotonicMs() + std::min(pause_ms, call.RemainingMs());
  Waiter::Lock lock(*waiter);
  while (runtime.clock.MonotonicMs() < until && !call.Stopping()) waiter->Wait(until);
  return !call.Expired() && !call.Stopping();
}

std::vector<Kind> StoredKinds(std::span<const CollectionSpec> collections) {
  std::vector<Kind> kinds = {IdempotencyKind(), SyncTaskKind()};
  for (const CollectionSpec& spec : collections) {
    kinds.push_back(spec.kind);
    if (!spec.searchable) continue;
    kinds.push_back(outbox::KindOf(spec.kind));
    kinds.push_back(outbox::MarkerKindOf(spec.kind));
  }
  return kinds;
}

Database::Database(const Backends& backends, const Runtime& runtime, const DatabaseOptions& options)
    : state_(std::make_unique<State>(backends, runtime, options)) {}

Database::~Database() = default;

Result<void> Database::Open(const Call& call, std::vector<CollectionSpec> collections) {
  for (CollectionSpec& spec : collections) {
    A4C_CHECK(CheckKind(spec.kind));
    if (spec.topic.empty()) spec.topic = spec.kind.name + "-sync";
    state_->collections[spec.kind.name] = spec;
    if (spec.searchable) state_->lags.try_emplace(spec.kind.name);
    if (!spec.searchable || state_->backends.index == nullptr) continue;
    state_->refreshes.try_emplace(spec.kind.name, *state_->backends.index, state_->runtime,
                                  spec.kind.name, state_->options.refresh_period_ms);
    state_->stalls.try_emplace(spec.kind.name, state_->runtime, state_->options.rebuild_stall_ms);
  }
  A4C_CHECK(state_->backends.store.Ensure(call, StoredKinds(collections)));
  A4C_CHECK(CheckStoreNotMoved(call, state_->backends.store));
  A4C_CHECK(state_->LookForIndex(call));
  A4C_CHECK(Scan(call, {.kind = std::string(kIdempotencyKind), .limit = 1}));  // its time
  return {};
}

Result<GetAnswer> Database::Get(const Call& call, std::span<const RecordRef> refs) {
  Result<GetAnswer> answer = state_->store->Get(call, refs);
  if (answer) state_->store_time.Heard(answer->store_time_ms);
  return answer;
}

Result<ScanAnswer> Database::Scan(const Call& call, const ScanRequest& request) {
  Result<ScanAnswer> answer = state_->store->Scan(call, request);
  if (answer) state_->store_time.Heard(answer->store_time_ms);
  return answer;
}

int64_t Database::NowMs() const {
  return state_->store_time.NowMs();
}

Result<bool> Database::Forget(const Call& call, const std::string& kind, int64_t before_ms) {
  const auto found = state_->collections.find(kind);
  if (found == state_->collections.end()) {
    return Error(Code::kInvalid, "unknown kind \"" + kind + "\"");
  }
  return a4c::Forget(call, state_->backends.store, found->second.kind, before_ms);
}

Result<std::vector<BatchResult>> ApplyRepeatable(Database::State& state, const Call& call,
                                                 std::span<const WriteBatch> batches) {
  A4C_TRY(ApplyAnswer answer, state.store->Apply(call, batches));
  state.store_time.Heard(answer.store_time_ms);
  for (const BatchResult& result : answer.results) {
    if (result.outcome == BatchOutcome::kUnknown || result.outcome == BatchOutcome::kNotApplied) {
      return result.error.value_or(Error(Code::kUnavailable, "the store did not apply a batch"));
    }
    if (result.outcome == BatchOutcome::kInvalid) {
      return Error(Code::kInternal,
                   "the sync made an invalid batch: " +
                       (result.failures.empty() ? "" : result.failures[0].message));
    }
  }
  return std::move(answer.results);
}

void PublishHints(Database::State& state, const Call& call, std::span<const Token> changes) {
  if (state.backends.bus == nullptr) return;
  std::vector<Message> messages;
  for (const Token& change : changes) {
    if (!state.IsSearchable(change.ref.kind)) continue;
    Json payload;
    payload.Set("kind", change.ref.kind).Set("scope", change.ref.key.scope);
    payload.Set("id", change.ref.key.id).Set("rev", change.rev);
    messages.push_back({.topic = state.collections.at(change.ref.kind).topic,
                        .key = change.ref.key.id,
                        .payload = payload.ToString()});
  }
  if (messages.empty()) return;
  const auto published = state.backends.bus->Publish(call, messages);
  int64_t lost = static_cast<int64_t>(messages.size());
  if (published) lost = std::ranges::count(*published, PublishOutcome::kFull);
  state.runtime.metrics.Count("a4c_bus_hints_lost_total", {}, static_cast<double>(lost));
}

}  // namespace a4c
