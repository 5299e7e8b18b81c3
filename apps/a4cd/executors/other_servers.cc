#include "apps/a4cd/executors/other_servers.h"

#include <string>

#include "apps/a4cd/executors/workspace_unit.h"

namespace a4cd {
namespace {

using a4c::Result;

// False: the job is another's by now, or its workspace has gone.
Result<bool> Forget(JobRun& run, const std::string& host) {
  A4C_TRY(const bool is_ours, run.Commit([&](Draft& draft) -> Result<void> {
    if (!draft.workspace) return {};
    std::erase(draft.workspace->also_on, host);
    draft.workspace->updated_at = run.NowMs();
    A4C_TRY(draft.also, run.context().reservations.ReleaseOps(run.context().StoreCall(), host,
                                                              draft.workspace->id));
    return {};
  }));
  return is_ours && run.workspace();
}

}  // namespace

Result<std::optional<Outcome>> LeaveOtherServers(JobRun& run, JobLog& log) {
  while (!run.workspace()->also_on.empty()) {
    const std::string host = run.workspace()->also_on.back();
    A4C_CHECK(run.context().enrolments.Know(run.context().StoreCall(), host));
    A4C_TRY(std::optional<Outcome> later, RemoveUnit(run, log, host));
    if (later) return later;
    A4C_TRY(const bool is_ours, Forget(run, host));
    if (!is_ours) return std::optional(Outcome::Gone());
  }
  return std::optional<Outcome>();
}

}  // namespace a4cd
