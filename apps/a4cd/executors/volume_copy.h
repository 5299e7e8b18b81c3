// What a workspace or a snapshot keeps, carried into a unit that is made for it.
#pragma once

#include <cstdint>
#include <string>

#include "a4c/host_provider.h"
#include "a4c/host_volumes.h"
#include "apps/a4cd/jobs/snapshot.h"
#include "apps/a4cd/work/job_log.h"
#include "apps/a4cd/work/job_run.h"
#include "apps/a4cd/work/outcome.h"

namespace a4cd {

struct UnitPlace {
  std::string host;
  std::string unit;
};

// kUnsupported: the host provider carries no files.
a4c::Result<a4c::HostVolumes*> VolumesOf(JobRun& run);

// The unit of a snapshot of run's workspace.
a4c::Unit SnapshotUnitOf(const JobRun& run, const Snapshot& snapshot);

// Removes the receiver, whatever it holds, makes it again, never to be started by this, and copies
// into it what the other unit, which must not run, keeps. How many bytes. After an error the
// receiver may hold a part.
a4c::Result<int64_t> CopyIntoNew(JobRun& run, JobLog& log, const UnitPlace& from,
                                 a4c::Unit receiver);

// Stops the workspace, and says before in its record for which job: should that end without
// bringing it back (a cancel, its deadline), the reconciler does. False: the job or the workspace
// is gone.
a4c::Result<bool> StandStill(JobRun& run);

// Lets the workspace run where it is, if it is to; else an error, or what its server says of it.
a4c::Result<std::string> BringBack(JobRun& run, JobLog& log);

// Of an error that CopyIntoNew has met: as OutcomeOf, but what lacks room is not tried again.
Outcome OutcomeOfCopy(const a4c::Error& error);

// The same, after the workspace was brought back as far as that is possible now: under a higher
// epoch if the outcome is unknown, so that what may still come of it is refused.
Outcome FailedAndBroughtBack(JobRun& run, JobLog& log, const a4c::Error& error);

}  // namespace a4cd
