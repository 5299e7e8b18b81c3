// SyncTask: long work on a searchable kind that an operator asks for, and how far it is.
//
//   A4C_TRY(SyncTask started, database.StartTask(call, "photo", SyncWork::kRebuild));
//   ... some instance's loop does it; after a crash another one goes on where it was ...
//   A4C_TRY(std::optional<SyncTask> now, database.FindTask(call, "photo", SyncWork::kRebuild));
//
// Of each kind and work there is one task, a record: the running one, or the last that ended. Plain
// data [any thread].
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/export.h"
#include "a4c/rebuild.h"
#include "a4c/record.h"
#include "a4c/result.h"

namespace a4c {

enum class SyncWork : uint8_t {
  kVerify,   // compare store and index, and repair what drifted
  kRepair,   // send every record through the sync again
  kRebuild,  // fill a second generation of the index, prove it, and put it in place
};
inline constexpr SyncWork kAllSyncWork[] = {SyncWork::kVerify, SyncWork::kRepair,
                                            SyncWork::kRebuild};
A4C_API std::string_view SyncWorkName(SyncWork work);  // "verify", "repair", "rebuild"
A4C_API Result<SyncWork> ParseSyncWork(std::string_view name);

struct SyncTask {
  enum class State : uint8_t { kRunning, kSucceeded, kFailed, kCanceled };

  SyncWork work = SyncWork::kVerify;
  State state = State::kRunning;
  // kVerify: comparing; kRepair: announcing; kRebuild: creating, copying, proving, swapping,
  // settling.
  std::string phase = {};
  int64_t done = 0;   // records of the phase
  int64_t total = 0;  // about; 0: not known
  int64_t started_ms = 0;
  int64_t ended_ms = 0;      // 0: not yet
  int64_t proved_ms = 0;     // kVerify: start of the last run that found no drift
  std::string message = {};  // the last trouble, or why it failed
  int64_t mismatched_buckets = 0;
  int64_t drift = 0;                     // records that differed with nothing on its way
  std::vector<RecordRef> examples = {};  // some of them
  int64_t generation = 0;                // kRebuild: that is filled
  bool index_was_lost = false;           // kRebuild: begun because no generation was live
  std::string position = {};             // opaque: where to go on
};
A4C_API std::string_view SyncTaskStateName(SyncTask::State state);

// How a searchable kind and its index stand to each other now.
struct SyncStatus {
  std::string kind;
  int64_t store_time_ms = 0;
  int64_t outbox_rows = 0;         // not confirmed, dead letters left out
  bool outbox_rows_more = false;   // there are more than were counted
  int64_t lag_ms = 0;              // age of the oldest of them
  int64_t dead_letters = 0;        // at most 1,000
  bool dead_letters_more = false;  // there are more
  int64_t proved_ms = 0;           // when all buckets were last proven equal; 0: never
  std::string index_trouble = {};  // why the index cannot be written; empty: it can
  std::vector<IndexGeneration> generations = {};  // empty: the index has but one
  std::vector<SyncTask> tasks = {};               // that there are, by work
};

}  // namespace a4c
