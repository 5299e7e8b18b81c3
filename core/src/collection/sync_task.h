// The record of a SyncTask, and a loop's hold on it.
//
// Body: the task, its rev raised by each step that is saved. Quiet: `holder`, `until`: who works on
// it, on the store's time. Whoever saves expects the rev that it read: a holder that was taken over
// cannot, and each step may be done twice.
#pragma once

#include <optional>
#include <string>

#include "collection/database.h"

namespace a4c {

inline constexpr std::string_view kSyncTaskKind = "sync_task";
Kind SyncTaskKind();

struct StoredTask {
  SyncTask task;
  int64_t rev = 0;
  std::string holder;
  int64_t until_ms = 0;
};
// The record that says which index was retired.
RecordRef RetiredRef(const std::string& kind);
RecordRef TaskRef(const std::string& kind, SyncWork work);
Result<std::optional<StoredTask>> ReadTask(Database::State& state, const Call& call,
                                           const std::string& kind, SyncWork work);
// Writes it where `before` was read. kConflict: it has changed meanwhile.
Result<StoredTask> WriteTask(Database::State& state, const Call& call, const std::string& kind,
                             const std::optional<StoredTask>& before, const SyncTask& task,
                             const std::string& holder);

// [one thread]
class TaskRun {
 public:
  TaskRun(Database::State& state, std::string kind, SyncWork work);

  // Reads the task; true: it is running, and this run's for task_lease.
  Result<bool> Claim(const Call& call);
  // What Claim read, also if it is not ours; nothing: there was never one.
  const std::optional<StoredTask>& stored() const { return stored_; }
  SyncTask& task() { return stored_->task; }

  // Saves the task and renews the lease. kConflict: it was canceled, or another has taken it over.
  Result<void> Save(const Call& call);
  // The same, if that was not done within a second.
  Result<void> SaveNowAndThen(const Call& call);
  Result<void> End(const Call& call, SyncTask::State state, std::string message = {});
  // An error that trying again may cure is noted and returned; another one ends the task.
  Result<int64_t> Fail(const Call& call, const Error& error);

 private:
  Database::State& state_;
  const std::string kind_;
  const SyncWork work_;
  const std::string holder_;
  std::optional<StoredTask> stored_;
  int64_t saved_at_ms_ = 0;
};

}  // namespace a4c
