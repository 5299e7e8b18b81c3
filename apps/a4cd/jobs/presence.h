// That somebody is in a workspace, known only to the instance that carries the session: it says so
// in the store, beside the workspace's record, from time to time. Of workspaces without idle_stop
// nobody asks, and nothing is written; whether one has got it since is read as often.
#pragma once

#include <cstdint>
#include <string_view>

#include "a4c/collection.h"
#include "apps/a4cd/jobs/workspace.h"

namespace a4cd {

inline constexpr const char* kSessionAt = "session_at";  // the quiet field

// [one thread at a time]
class Presence {
 public:
  // database and runtime's parts outlive it.
  Presence(a4c::Database& database, const a4c::Runtime& runtime, const std::string& tenant,
           const Workspace& workspace);

  // Somebody comes. kConflict: the workspace has changed since it was read; it may be on its way to
  // be stopped.
  a4c::Result<void> Begin(const a4c::Call& call);
  // Somebody still is there: to be called often, reads or writes at most every fifteen seconds, far
  // below the least idle_stop. What cannot be written is written the next time.
  void Keep();

 private:
  void LookAgain(const a4c::Call& call);
  a4c::Result<void> Write(const a4c::Call& call, bool is_first);

  a4c::Database& database_;
  const a4c::Runtime runtime_;
  const a4c::RecordRef ref_;
  const int64_t rev_;
  bool is_wanted_;
  int64_t done_ms_;  // when it was read or written, on MonotonicMs
};

}  // namespace a4cd
