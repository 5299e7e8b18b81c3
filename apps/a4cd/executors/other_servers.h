// Servers besides its own that may hold something of a workspace, and hold room for it, because it
// is being carried from one to another.
#pragma once

#include <optional>

#include "apps/a4cd/work/job_log.h"
#include "apps/a4cd/work/job_run.h"
#include "apps/a4cd/work/outcome.h"

namespace a4cd {

// The quiet field of a workspace: when a move of it with its volume was given up last.
inline constexpr const char* kMoveFailedAt = "move_failed_at";

// Removes the workspace from each of them, and gives the room back with the server's word that
// nothing is left. Nothing, once there are none; else what the job waits for.
a4c::Result<std::optional<Outcome>> LeaveOtherServers(JobRun& run, JobLog& log);

}  // namespace a4cd
