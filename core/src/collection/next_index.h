// The generation of an index that a rebuild is filling, for those who write to the index meanwhile.
#pragma once

#include <memory>
#include <span>

#include "a4c/rebuild.h"
#include "collection/database.h"

namespace a4c {

// Whether changes have to reach both generations in this phase of a rebuild.
bool IsFilling(const SyncTask& rebuild);
// Whether a rebuild is under way, in any phase.
Result<bool> IsBeingRebuilt(Database::State& state, const Call& call, const std::string& kind);

// Whether the index has lost what is searched, given its generations: none is live, and there was
// one, as Ensure had made it or as others are left. Somebody deleted it, or its alias.
bool IsLost(const Database::State& state, std::span<const IndexGeneration> generations);
// The number of a generation to be made: behind all others, and never the first, which is Ensure's.
int64_t NextNumber(std::span<const IndexGeneration> generations);

// [one thread]
class NextIndex {
 public:
  NextIndex(Database::State& state, const Kind& kind) : state_(state), kind_(kind) {}

  // Null: there is none. Asked after the records to be written were read: if there is none by then,
  // a rebuild that begins later reads these records, or newer ones, itself.
  // kUnavailable: our index was retired, and nobody may confirm anything by it.
  Result<SearchIndex*> Find(const Call& call);
  // What Find has answered last.
  bool IsOpen() const { return index_ != nullptr; }
  // The rebuild that fills it, as Find has read it.
  const SyncTask& task() const { return task_; }
  // The generation's number; 0: there is none.
  int64_t number() const { return number_; }
  // Makes searchable what was written to it; nothing to do if it has been dropped.
  Result<void> Refresh(const Call& call);

 private:
  Result<void> CheckNotRetired(const Call& call);

  Database::State& state_;
  const Kind& kind_;
  int64_t number_ = 0;
  SyncTask task_;
  std::unique_ptr<SearchIndex> index_;
};

}  // namespace a4c
