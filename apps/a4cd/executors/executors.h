// What each type of job does, one file each. An executor runs on the worker's thread, uses the
// host provider by run.HostCall(), and answers what came of it; an error is judged by OutcomeOf. It
// may run again after a crash, so all it does is idempotent, but for a command that a user gave.
#pragma once

#include "a4c/result.h"
#include "apps/a4cd/work/job_log.h"
#include "apps/a4cd/work/job_run.h"
#include "apps/a4cd/work/outcome.h"

namespace a4cd {

// workspace.create, workspace.start: a place for it, and its unit running.
a4c::Result<Outcome> StartWorkspaceUnit(JobRun& run, JobLog& log);
a4c::Result<Outcome> StopWorkspaceUnit(JobRun& run, JobLog& log);
// To another server than the one it has.
a4c::Result<Outcome> MoveWorkspaceUnit(JobRun& run, JobLog& log);
// The same with what it keeps, which is copied before anything is removed.
a4c::Result<Outcome> CarryWorkspace(JobRun& run, JobLog& log);
// Made anew of another image or other limits, with its files.
a4c::Result<Outcome> UpdateWorkspaceUnit(JobRun& run, JobLog& log);
// Gives the reservation back only with the server's word that nothing is left.
a4c::Result<Outcome> DeleteWorkspaceUnit(JobRun& run, JobLog& log);
// Into a unit of its own, while the workspace stands still.
a4c::Result<Outcome> SnapshotWorkspace(JobRun& run, JobLog& log);
// From such a unit; what the workspace kept is lost.
a4c::Result<Outcome> RestoreWorkspace(JobRun& run, JobLog& log);
a4c::Result<Outcome> DeleteSnapshotUnit(JobRun& run, JobLog& log);
// In the workspace's unit; its output is the job's log. Runs at least once; attempts_max 1: at most
// once.
a4c::Result<Outcome> RunCommand(JobRun& run, JobLog& log);
a4c::Result<Outcome> BuildImage(JobRun& run, JobLog& log);
// Images that nothing uses, and units of workspaces that were deleted. Never for absence of a
// record.
a4c::Result<Outcome> CleanHost(JobRun& run, JobLog& log);

// Units of ours on a server, each by its name, become workspaces; without names they are listed.
a4c::Result<Outcome> AdoptUnits(JobRun& run, JobLog& log);
// The other way on for such units: gone with all that they keep, each by its name. The same list.
a4c::Result<Outcome> PurgeUnits(JobRun& run, JobLog& log);

inline constexpr const char* kOfNewerVersion =
    "made by a newer version of a4cd: another instance does it";

// What the job's type says. One that this version does not understand waits for an instance that
// does.
a4c::Result<Outcome> Execute(JobRun& run, JobLog& log);

}  // namespace a4cd
