#include "collection/sync_task.h"

#include <algorithm>
#include <array>

#include "a4c/json.h"

namespace a4c {
namespace {

constexpr std::array<std::string_view, 3> kWorkNames = {"verify", "repair", "rebuild"};
constexpr std::array<std::string_view, 4> kStateNames = {"running", "succeeded", "failed",
                                                         "canceled"};
constexpr int64_t kSavePeriodMs = 1'000;

std::string TextOf(const FieldValues& quiet, std::string_view field) {
  const auto found = quiet.find(field);
  const auto* text = found == quiet.end() ? nullptr : std::get_if<std::string>(&found->second);
  return text == nullptr ? "" : *text;
}

int64_t LongOf(const FieldValues& quiet, std::string_view field) {
  const auto found = quiet.find(field);
  const auto* number = found == quiet.end() ? nullptr : std::get_if<int64_t>(&found->second);
  return number == nullptr ? 0 : *number;
}

Json JsonOf(const SyncTask& task) {
  Json examples(Json::Array{});
  for (const RecordRef& ref : task.examples) {
    examples.Append(Json::Object{{"kind", ref.kind}, {"scope", ref.key.scope}, {"id", ref.key.id}});
  }
  return Json::Object{{"work", SyncWorkName(task.work)},
                      {"state", SyncTaskStateName(task.state)},
                      {"phase", task.phase},
                      {"done", task.done},
                      {"total", task.total},
                      {"started_ms", task.started_ms},
                      {"ended_ms", task.ended_ms},
                      {"proved_ms", task.proved_ms},
                      {"message", task.message},
                      {"mismatched_buckets", task.mismatched_buckets},
                      {"drift", task.drift},
                      {"examples", std::move(examples)},
                      {"generation", task.generation},
                      {"index_was_lost", task.index_was_lost},
                      {"position", task.position}};
}

SyncTask TaskOf(const Json& json, SyncWork work) {
  SyncTask task{.work = work};
  const auto state = std::ranges::find(kStateNames, json["state"].Text());
  task.state = state == kStateNames.end()
                   ? SyncTask::State::kFailed
                   : static_cast<SyncTask::State>(state - kStateNames.begin());
  task.phase = json["phase"].Text();
  task.done = json["done"].Int();
  task.total = json["total"].Int();
  task.started_ms = json["started_ms"].Int();
  task.ended_ms = json["ended_ms"].Int();
  task.proved_ms = json["proved_ms"].Int();
  task.message = json["message"].Text();
  task.mismatched_buckets = json["mismatched_buckets"].Int();
  task.drift = json["drift"].Int();
  for (const Json& ref : json["examples"].Items()) {
    task.examples.push_back({ref["kind"].Text(), {ref["scope"].Text(), ref["id"].Text()}});
  }
  task.generation = json["generation"].Int();
  task.index_was_lost = json["index_was_lost"].Bool();
  task.position = json["position"].Text();
  return task;
}

// The batch's fate, as a task sees it: whatever is not applied is tried again by the next step.
Result<void> FateOf(const Result<ApplyAnswer>& answer) {
  if (!answer) return answer.error();
  const BatchResult& result = answer->results[0];
  if (result.outcome == BatchOutcome::kApplied) return {};
  if (result.outcome == BatchOutcome::kConflict) {
    return Error(Code::kConflict, "the task has changed meanwhile");
  }
  return result.error.value_or(Error(Code::kInternal, "the task could not be written"));
}

}  // namespace

std::string_view SyncWorkName(SyncWork work) {
  return kWorkNames[static_cast<size_t>(work)];
}

Result<SyncWork> ParseSyncWork(std::string_view name) {
  const auto found = std::ranges::find(kWorkNames, name);
  if (found != kWorkNames.end()) return static_cast<SyncWork>(found - kWorkNames.begin());
  return Error(Code::kNotFound, "there is no task \"" + std::string(name.substr(0, 100)) + "\"",
               "verify, repair or rebuild");
}

std::string_view SyncTaskStateName(SyncTask::State state) {
  return kStateNames[static_cast<size_t>(state)];
}

Kind SyncTaskKind() {
  return Kind{.name = std::string(kSyncTaskKind),
              .fields = {{.name = "holder", .type = FieldType::kKeyword, .quiet = true},
                         {.name = "until", .type = FieldType::kTime, .quiet = true}}};
}

RecordRef TaskRef(const std::string& kind, SyncWork work) {
  return {std::string(kSyncTaskKind), {"", kind + "." + std::string(SyncWorkName(work))}};
}

RecordRef RetiredRef(const std::string& kind) {
  return {std::string(kSyncTaskKind), {"", kind + ".retired_index"}};
}

Result<std::optional<StoredTask>> ReadTask(Database::State& state, const Call& call,
                                           const std::string& kind, SyncWork work) {
  const RecordRef ref = TaskRef(kind, work);
  A4C_TRY(GetAnswer found, state.store->Get(call, std::span(&ref, 1)));
  state.store_time.Heard(found.store_time_ms);
  const std::optional<Record>& record = found.records[0];
  if (!record) return std::optional<StoredTask>();
  A4C_TRY(Json body, ParseJson(record->body));
  return std::optional(StoredTask{TaskOf(body, work), record->rev, TextOf(record->quiet, "holder"),
                                  LongOf(record->quiet, "until")});
}

Result<StoredTask> WriteTask(Database::State& state, const Call& call, const std::string& kind,
                             const std::optional<StoredTask>& before, const SyncTask& task,
                             const std::string& holder) {
  const int64_t until = holder.empty() ? 0 : state.store_time.NowMs() + state.options.task_lease_ms;
  const WriteBatch batch{{Put{.ref = TaskRef(kind, task.work),
                              .body = JsonOf(task).ToString(),
                              .quiet = {{"holder", holder}, {"until", until}},
                              .expect = before ? Expect::Rev(before->rev) : Expect::Absent()}}};
  A4C_CHECK(FateOf(state.store->Apply(call, std::span(&batch, 1))));
  return StoredTask{task, before ? before->rev + 1 : 1, holder, until};
}

TaskRun::TaskRun(Database::State& state, std::string kind, SyncWork work)
    : state_(state),
      kind_(std::move(kind)),
      work_(work),
      holder_(std::to_string(state.runtime.random.Next())) {}

Result<bool> TaskRun::Claim(const Call& call) {
  A4C_TRY(stored_, ReadTask(state_, call, kind_, work_));
  if (!stored_ || stored_->task.state != SyncTask::State::kRunning) return false;
  const int64_t now_ms = state_.store_time.NowMs();
  if (stored_->holder != holder_ && stored_->until_ms > now_ms) return false;
  const int64_t until = now_ms + state_.options.task_lease_ms;
  const RecordRef ref = TaskRef(kind_, work_);
  const WriteBatch batch{{Check{.ref = ref, .quiet = {{"until", stored_->until_ms}}},
                          Put{.ref = ref,
                              .quiet = {{"holder", holder_}, {"until", until}},
                              .expect = Expect::Rev(stored_->rev)}}};
  const Result<void> claimed = FateOf(state_.store->Apply(call, std::span(&batch, 1)));
  if (claimed) return true;
  if (claimed.error().code() == Code::kConflict) return false;
  return claimed.error();
}

Result<void> TaskRun::Save(const Call& call) {
  A4C_TRY(stored_, WriteTask(state_, call, kind_, stored_, stored_->task, holder_));
  saved_at_ms_ = state_.runtime.clock.MonotonicMs();
  return {};
}

Result<void> TaskRun::SaveNowAndThen(const Call& call) {
  if (state_.runtime.clock.MonotonicMs() < saved_at_ms_ + kSavePeriodMs) return {};
  return Save(call);
}

Result<void> TaskRun::End(const Call& call, SyncTask::State state, std::string message) {
  task().state = state;
  task().message = std::move(message);
  task().ended_ms = state_.store_time.NowMs();
  return Save(call);
}

Result<int64_t> TaskRun::Fail(const Call& call, const Error& error) {
  if (error.code() == Code::kConflict) return kSavePeriodMs;  // canceled, or in other hands
  const bool hopeless = error.code() == Code::kUnsupported || error.code() == Code::kInvalid ||
                        error.code() == Code::kNotFound;
  if (hopeless) {
    A4C_CHECK(End(call, SyncTask::State::kFailed, error.message()));
    return kSavePeriodMs;
  }
  task().message = error.message();
  A4C_CHECK(Save(call));
  return error;
}

}  // namespace a4c
