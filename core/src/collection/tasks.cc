// Starting, finding and ending the long work that the loops do.
#include <algorithm>

#include "a4c/json.h"
#include "a4c/rebuild.h"
#include "collection/next_index.h"
#include "collection/sync_task.h"

namespace a4c {
namespace {

Result<Rebuild*> RebuildOf(Database::State& state) {
  if (state.backends.index == nullptr) return Error(Code::kUnsupported, "there is no search index");
  Rebuild* const rebuild = state.backends.index->As<Rebuild>();
  if (rebuild != nullptr) return rebuild;
  return Error(Code::kUnsupported, "this search plugin cannot be rebuilt while it is searched",
               "repair sends every record through the sync again");
}

Result<int64_t> NextGeneration(Database::State& state, const Call& call, const Kind& kind) {
  A4C_TRY(Rebuild * rebuild, RebuildOf(state));
  A4C_TRY(const std::vector<IndexGeneration> list, rebuild->Generations(call, kind));
  return NextNumber(list);
}

// About how many documents there will be: as many as the live generation shows.
int64_t LiveDocuments(Database::State& state, const Call& call, const Kind& kind) {
  const auto answer = state.backends.index->Search(call, {.kind = kind, .limit = 1});
  return answer ? answer->total : 0;
}

std::string_view FirstPhase(SyncWork work) {
  if (work == SyncWork::kRebuild) return "creating";
  return work == SyncWork::kRepair ? "announcing" : "comparing";
}

bool Runs(const std::optional<StoredTask>& stored) {
  return stored && stored->task.state == SyncTask::State::kRunning;
}

Error NotRunning(SyncWork work) {
  return Error(Code::kConflict, "no " + std::string(SyncWorkName(work)) + " is running");
}

Json RetiredBody(const std::string& identity) {
  return Json::Object{{"identity", identity}};
}

}  // namespace

Result<void> Database::RetireIndex(const Call& call, const std::string& kind,
                                   const std::string& identity) {
  A4C_CHECK(state_->Searchable(kind));
  const WriteBatch batch{{Put{.ref = RetiredRef(kind), .body = RetiredBody(identity).ToString()}}};
  A4C_TRY(ApplyAnswer answer, state_->store->Apply(call, std::span(&batch, 1)));
  if (answer.results[0].outcome == BatchOutcome::kApplied) return {};
  return answer.results[0].error.value_or(Error(Code::kInternal, "the index was not retired"));
}

Result<SyncTask> Database::StartTask(const Call& call, const std::string& kind, SyncWork work) {
  A4C_TRY(const CollectionSpec* collection, state_->Searchable(kind));
  if (state_->backends.index == nullptr) {
    return Error(Code::kUnsupported, "there is no search index");
  }
  A4C_TRY(const std::optional<StoredTask> before, ReadTask(*state_, call, kind, work));
  if (Runs(before)) {
    return Error(Code::kConflict, "a " + std::string(SyncWorkName(work)) + " is running already");
  }
  SyncTask task{.work = work,
                .phase = std::string(FirstPhase(work)),
                .started_ms = state_->store_time.NowMs(),
                .proved_ms = before ? before->task.proved_ms : 0};
  if (work == SyncWork::kRebuild) {
    A4C_TRY(task.generation, NextGeneration(*state_, call, collection->kind));
  }
  task.total = LiveDocuments(*state_, call, collection->kind);
  A4C_TRY(StoredTask written, WriteTask(*state_, call, kind, before, task, ""));
  return std::move(written.task);
}

Result<std::optional<SyncTask>> Database::FindTask(const Call& call, const std::string& kind,
                                                   SyncWork work) {
  A4C_CHECK(state_->Searchable(kind));
  A4C_TRY(std::optional<StoredTask> stored, ReadTask(*state_, call, kind, work));
  if (!stored) return std::optional<SyncTask>();
  return std::optional(std::move(stored->task));
}

Result<SyncTask> Database::CancelTask(const Call& call, const std::string& kind, SyncWork work) {
  A4C_TRY(const CollectionSpec* collection, state_->Searchable(kind));
  A4C_TRY(const std::optional<StoredTask> before, ReadTask(*state_, call, kind, work));
  if (!Runs(before)) return NotRunning(work);
  SyncTask task = before->task;
  if (task.phase == "swapping" || task.phase == "settling") {
    return Error(Code::kConflict, "the new generation is being put in place already",
                 "wait until it has ended");
  }
  task.state = SyncTask::State::kCanceled;
  task.ended_ms = state_->store_time.NowMs();
  A4C_TRY(StoredTask written, WriteTask(*state_, call, kind, before, task, ""));
  if (work == SyncWork::kRebuild) {
    A4C_TRY(Rebuild * rebuild, RebuildOf(*state_));
    A4C_CHECK(rebuild->Drop(call, collection->kind, task.generation));
  }
  return std::move(written.task);
}

Result<int64_t> Database::DropOldGenerations(const Call& call, const std::string& kind) {
  A4C_TRY(const CollectionSpec* collection, state_->Searchable(kind));
  A4C_TRY(Rebuild * rebuild, RebuildOf(*state_));
  A4C_TRY(const auto stored, ReadTask(*state_, call, kind, SyncWork::kRebuild));
  const int64_t in_work = Runs(stored) ? stored->task.generation : 0;
  A4C_TRY(const std::vector<IndexGeneration> list, rebuild->Generations(call, collection->kind));
  int64_t dropped = 0;
  for (const IndexGeneration& one : list) {
    if (one.live || one.number == in_work) continue;
    A4C_CHECK(rebuild->Drop(call, collection->kind, one.number));
    ++dropped;
  }
  return dropped;
}

}  // namespace a4c
