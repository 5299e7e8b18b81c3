// Restarts: workspaces whose process has ended by itself are started again, as their `restart`
// says, by workspace.start jobs. The first waits restart_wait, each further one twice as long, up
// to restart_wait_max; one that then ran for restart_reset begins anew. And what runs though it is
// to be stopped (a start that reached its server late) is stopped again, with the same waits. [any
// thread]
#pragma once

#include <cstdint>
#include <string>

#include "a4c/host_provider.h"
#include "apps/a4cd/jobs/job_service.h"

namespace a4cd {

struct RestartOptions {
  int64_t wait_ms = 10'000;
  int64_t wait_max_ms = 300'000;
  int64_t reset_ms = 600'000;
};

// Whether it has ended, and is to run again. unit: null if its server has none.
bool WantsRestart(const Workspace& workspace, const a4c::UnitStatus* unit);

// Whether its unit runs, as the record tells, and is to be stopped.
bool WantsStop(const Workspace& workspace, const a4c::UnitStatus* unit);

// How long after its end it is started again.
int64_t RestartWaitMs(const Workspace& workspace, const RestartOptions& options);

class Restarts {
 public:
  // All outlive it.
  Restarts(a4c::Database& database, JobService& jobs, const RestartOptions& options)
      : database_(database), jobs_(jobs), options_(options) {}

  // Of a workspace that no job is at: the count, once its process has ended.
  void NoteEnd(Workspace& workspace) const;
  // Of one that a job has left in between (an update, a snapshot, a move), and that no job is at:
  // the job that makes it of what its record says, if it is time.
  a4c::Result<void> Settle(const a4c::Call& call, const std::string& tenant,
                           const Workspace& workspace);
  // Makes the job if it is time.
  a4c::Result<void> Look(const a4c::Call& call, const std::string& tenant,
                         const Workspace& workspace, const a4c::UnitStatus* unit);

 private:
  struct OwnJob {
    std::string type;
    std::string by;
    std::string title;
  };
  a4c::Result<void> MakeIfDue(const a4c::Call& call, const std::string& tenant,
                              const Workspace& workspace, const OwnJob& job);

  a4c::Database& database_;
  JobService& jobs_;
  const RestartOptions options_;
};

}  // namespace a4cd
