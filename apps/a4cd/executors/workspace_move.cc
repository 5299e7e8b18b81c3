// workspace.move without its volume: removed from its server and made again on another. What it had
// on its disk stays behind; its reservation moves with it.
#include <optional>
#include <string>
#include <utility>

#include "apps/a4cd/executors/executors.h"
#include "apps/a4cd/executors/other_servers.h"
#include "apps/a4cd/executors/workspace_unit.h"

namespace a4cd {
namespace {

using a4c::Json;
using a4c::Result;

// Nothing is taken away before there is room elsewhere. Another may take that room meanwhile: then
// the workspace waits for its place as a new one does. Nothing: there is room.
Result<std::optional<Placement>> WhyNotElsewhere(JobRun& run) {
  WorkContext& context = run.context();
  A4C_TRY(std::vector<Server> servers, context.disks.Servers(context.StoreCall()));
  std::erase_if(servers, [&](const Server& one) { return one.id == run.workspace()->host; });
  const Placement placement = Place(servers, PlacementOf(*run.workspace(), context.reservations),
                                    context.reservations.options().limits, 0);
  return placement.server != nullptr ? std::nullopt : std::optional(placement);
}

// The room is given back with the server's word that nothing is left there.
Result<bool> Leave(JobRun& run) {
  const std::string host = run.workspace()->host;
  return run.Commit([&](Draft& draft) -> Result<void> {
    if (!draft.workspace || draft.workspace->host != host) {
      return a4c::Error(a4c::Code::kConflict, "the workspace changed while it was moved");
    }
    draft.workspace->host.clear();
    draft.workspace->restoring.clear();  // what was half restored has gone with the rest
    draft.workspace->updating.clear();   // the next unit is made of what the record says
    draft.workspace->paused_for.clear();
    draft.workspace->actual = "pending";
    draft.workspace->message = "on its way from server " + host;
    draft.workspace->updated_at = run.NowMs();
    A4C_TRY(draft.also, run.context().reservations.ReleaseOps(run.context().StoreCall(), host,
                                                              draft.workspace->id));
    return {};
  });
}

// A stopped one is placed when it is started.
Outcome LeftBehind() {
  Outcome outcome = Outcome::Succeeded(Json::Object{{"state", "stopped"}});
  outcome.also = [](Draft& draft) {
    if (draft.workspace) {
      draft.workspace->actual = "stopped";
      draft.workspace->message = "it has no server until it is started";
      draft.workspace->lost_with.clear();
    }
    return Result<void>();
  };
  return outcome;
}

}  // namespace

Result<Outcome> MoveWorkspaceUnit(JobRun& run, JobLog& log) {
  if (run.job().payload["with_volume"].Bool()) return CarryWorkspace(run, log);
  A4C_TRY(const std::optional<Outcome> waits, LeaveOtherServers(run, log));
  if (waits) return *waits;
  const std::string host = run.workspace()->host;
  // An attempt before may have come as far as the next server.
  if (host == run.job().payload["from"].Text() && !host.empty()) {
    A4C_TRY(const std::optional<Placement> why_not, WhyNotElsewhere(run));
    if (why_not && run.workspace()->desired == "running") {
      return WaitForRoom(run, *why_not,
                         "no other server has room for it now: " + why_not->Summary());
    }
    A4C_TRY(const std::optional<Outcome> later, RemoveUnit(run, log, host));
    if (later) return *later;
    A4C_TRY(const bool is_ours, Leave(run));
    if (!is_ours || !run.workspace()) return Outcome::Gone();
  }
  if (run.workspace()->desired != "running") return LeftBehind();
  return StartWorkspaceUnit(run, log);
}

}  // namespace a4cd
