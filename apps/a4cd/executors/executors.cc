#include "apps/a4cd/executors/executors.h"

#include <algorithm>
#include <array>

#include "apps/a4cd/jobs/job_draft.h"

namespace a4cd {
namespace {

struct Entry {
  std::string_view type;
  a4c::Result<Outcome> (*executor)(JobRun& run, JobLog& log);
};
constexpr std::array<Entry, 14> kExecutors = {{{"workspace.create", StartWorkspaceUnit},
                                               {"workspace.start", StartWorkspaceUnit},
                                               {"workspace.stop", StopWorkspaceUnit},
                                               {"workspace.move", MoveWorkspaceUnit},
                                               {"workspace.update", UpdateWorkspaceUnit},
                                               {"workspace.delete", DeleteWorkspaceUnit},
                                               {"workspace.snapshot", SnapshotWorkspace},
                                               {"workspace.restore", RestoreWorkspace},
                                               {"snapshot.delete", DeleteSnapshotUnit},
                                               {"command.run", RunCommand},
                                               {"image.build", BuildImage},
                                               {"host.cleanup", CleanHost},
                                               {"host.adopt", AdoptUnits},
                                               {"host.purge", PurgeUnits}}};

}  // namespace

a4c::Result<Outcome> Execute(JobRun& run, JobLog& log) {
  const auto found = std::ranges::find(kExecutors, run.job().type, &Entry::type);
  // Done in part, it would be called done.
  if (found == kExecutors.end() || !IsUnderstood(run.job().type, run.job().payload)) {
    return WaitFor(run, reason::kWaiting, kOfNewerVersion);
  }
  return found->executor(run, log);
}

}  // namespace a4cd
