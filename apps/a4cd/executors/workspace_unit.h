// The unit of a workspace on its server.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "a4c/host_provider.h"
#include "apps/a4cd/jobs/workspace.h"
#include "apps/a4cd/placement/reservations.h"
#include "apps/a4cd/work/job_log.h"
#include "apps/a4cd/work/job_run.h"
#include "apps/a4cd/work/outcome.h"

namespace a4cd {

inline constexpr const char* kWorkspaceLabel = "a4c.workspace";
inline constexpr const char* kTenantLabel = "a4c.tenant";
inline constexpr const char* kSnapshotLabel = "a4c.snapshot";
// {"VARIABLE": "secret"}: whose values in env are secrets, for who adopts the unit.
inline constexpr const char* kSecretsLabel = "a4c.secrets";

// "" if there is none.
std::string LabelOf(const std::map<std::string, std::string>& labels, const char* name);

// What placement is asked for the workspace.
PlacementRequest PlacementOf(const Workspace& workspace, const Reservations& reservations);

// The unit of run's workspace on a server, in the name of the job's lease.
a4c::Unit UnitOf(const JobRun& run, const std::string& host, a4c::UnitWanted wanted);
// The same of what an update makes of the workspace, with the secrets that it names.
a4c::Result<a4c::Unit> UnitWithSecretsOf(const Workspace& workspace, const JobRun& run,
                                         const std::string& host, a4c::UnitWanted wanted);
// The same with the values of the secrets that it names, as one that will ever run has to be made.
a4c::Result<a4c::Unit> UnitWithSecrets(const JobRun& run, const std::string& host,
                                       a4c::UnitWanted wanted);

// Brings the unit of run's workspace, which has a server, to what is wanted. One that an update has
// left in between is made of what its record says.
a4c::Result<a4c::UnitStatus> EnsureUnit(JobRun& run, a4c::UnitWanted wanted);

// It is made of what its record says, and has room for that alone. False: gone.
a4c::Result<bool> NoteSettled(JobRun& run);

// Removes run's workspace from a server, as the holder of the job's lease. An outcome: the job
// waits for the server's word (WaitForRemoval).
a4c::Result<std::optional<Outcome>> RemoveUnit(JobRun& run, JobLog& log, const std::string& host);

// What a unit's state says of its workspace: actual and message.
struct UnitView {
  std::string actual;
  std::string message;
};
UnitView ViewOf(const a4c::UnitStatus& unit);

// True if its command could not be run at all.
bool CannotRun(const a4c::UnitStatus& unit);

}  // namespace a4cd
