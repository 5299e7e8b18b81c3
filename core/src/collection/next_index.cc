#include "collection/next_index.h"

#include <algorithm>
#include <array>

#include "a4c/json.h"
#include "collection/sync_task.h"

namespace a4c {

bool IsFilling(const SyncTask& rebuild) {
  static constexpr std::array<std::string_view, 3> kPhases = {"copying", "proving", "swapping"};
  return rebuild.state == SyncTask::State::kRunning &&
         std::ranges::find(kPhases, rebuild.phase) != kPhases.end();
}

Result<bool> IsBeingRebuilt(Database::State& state, const Call& call, const std::string& kind) {
  if (state.backends.index->As<Rebuild>() == nullptr) return false;
  A4C_TRY(const auto stored, ReadTask(state, call, kind, SyncWork::kRebuild));
  return stored && stored->task.state == SyncTask::State::kRunning;
}

bool IsLost(const Database::State& state, std::span<const IndexGeneration> generations) {
  const bool was_there = state.index_ensured || !generations.empty();
  return was_there && std::ranges::none_of(generations, &IndexGeneration::live);
}

int64_t NextNumber(std::span<const IndexGeneration> generations) {
  return std::max<int64_t>(1, generations.empty() ? 0 : generations.back().number) + 1;
}

Result<void> NextIndex::CheckNotRetired(const Call& call) {
  if (state_.options.index_identity.empty()) return {};
  const RecordRef ref = RetiredRef(kind_.name);
  A4C_TRY(GetAnswer found, state_.store->Get(call, std::span(&ref, 1)));
  if (!found.records[0]) return {};
  A4C_TRY(Json body, ParseJson(found.records[0]->body));
  if (body["identity"].Text() != state_.options.index_identity) return {};
  return Error(Code::kUnavailable, "another search index has taken the place of this one",
               "start with the config that names it");
}

Result<SearchIndex*> NextIndex::Find(const Call& call) {
  A4C_CHECK(CheckNotRetired(call));
  Rebuild* const rebuild = state_.backends.index->As<Rebuild>();
  if (rebuild == nullptr) return nullptr;
  A4C_TRY(const auto stored, ReadTask(state_, call, kind_.name, SyncWork::kRebuild));
  if (!stored || !IsFilling(stored->task)) {
    index_.reset();
    number_ = 0;
    return nullptr;
  }
  if (stored->task.generation != number_) {
    A4C_TRY(index_, rebuild->Open(call, kind_, stored->task.generation));
    number_ = stored->task.generation;
  }
  task_ = stored->task;
  return index_.get();
}

Result<void> NextIndex::Refresh(const Call& call) {
  if (index_ == nullptr) return {};
  Result<void> refreshed = index_->Refresh(call, kind_.name);
  if (!refreshed && refreshed.error().code() == Code::kNotFound) return {};
  return refreshed;
}

}  // namespace a4c
