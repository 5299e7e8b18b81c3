// workspace.delete
#include "apps/a4cd/executors/executors.h"
#include "apps/a4cd/executors/other_servers.h"
#include "apps/a4cd/executors/workspace_unit.h"

namespace a4cd {

using a4c::Json;
using a4c::Result;

Result<Outcome> DeleteWorkspaceUnit(JobRun& run, JobLog& log) {
  if (!run.workspace()) return Outcome::Succeeded(Json::Object{{"state", "deleted"}});
  A4C_TRY(const std::optional<Outcome> waits, LeaveOtherServers(run, log));
  if (waits) return *waits;
  const std::string host = run.workspace()->host;
  if (!host.empty()) {
    A4C_TRY(const std::optional<Outcome> later, RemoveUnit(run, log, host));
    if (later) return *later;
  }
  Json result(Json::Object{{"state", "deleted"}});
  if (!host.empty()) result.AppendMember("host", host);
  Outcome outcome = Outcome::Succeeded(std::move(result));
  outcome.also = [&run, host](Draft& draft) -> Result<void> {
    if (!draft.workspace) return {};
    if (draft.workspace->host != host || !draft.workspace->also_on.empty()) {
      return a4c::Error(a4c::Code::kConflict, "the workspace was placed while it was deleted");
    }
    draft.workspace_gone = true;
    draft.workspace->actual = "deleted";
    draft.workspace->updated_at = draft.job.updated_at;
    draft.workspace->deleted_at = draft.job.updated_at;
    if (host.empty()) return {};
    A4C_TRY(draft.also, run.context().reservations.ReleaseOps(run.context().StoreCall(), host,
                                                              draft.workspace->id));
    return {};
  };
  return outcome;
}

}  // namespace a4cd
