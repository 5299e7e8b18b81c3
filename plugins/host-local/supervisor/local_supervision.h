// The supervisor of a unit or of a command within one, as its parent sees it; supervisor.cc is the
// other side.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "a4c/result.h"
#include "files/local_files.h"
#include "supervisor/local_launch.h"
#include "supervisor/supervisor_lock.h"

namespace a4c::local {

// Takes the lock on behalf of a supervisor to be; nothing if there is one.
Result<std::optional<Fd>> TakeSupervisorLock(int unit_directory);

// What a supervisor is given besides its plan; see supervisor.cc.
struct SupervisorDescriptors {
  int answer;
  int unit_directory;
  int lock_or_input = -1;
  int errors = -1;
};
// Starts `program` with a plan: its pid.
Result<pid_t> SpawnSupervisor(const std::string& program, const LaunchPlan& plan,
                              const SupervisorDescriptors& descriptors);

}  // namespace a4c::local
