// workspace.stop
#include <string>
#include <utility>

#include "apps/a4cd/executors/executors.h"
#include "apps/a4cd/executors/workspace_unit.h"

namespace a4cd {

using a4c::Json;
using a4c::Result;

Result<Outcome> StopWorkspaceUnit(JobRun& run, JobLog& log) {
  UnitView view{"stopped", ""};
  Json result(Json::Object{{"state", "stopped"}});
  if (!run.workspace()->host.empty()) {
    A4C_TRY(const a4c::UnitStatus unit, EnsureUnit(run, a4c::UnitWanted::kStopped));
    view = ViewOf(unit);
    result.AppendMember("host", unit.host);
    result.AppendMember("unit", unit.name);
    if (unit.exit_code) result.AppendMember("exit_code", *unit.exit_code);
    log.Note("unit " + unit.name + " on " + unit.host + ": " + view.actual + "\n");
  }
  Outcome outcome = Outcome::Succeeded(std::move(result));
  // Why, where nobody has asked for it: the idle loop knows.
  const std::string& because = run.job().payload["because"].Text();
  std::string message = because.empty() ? view.message : because;
  outcome.also = [message = std::move(message), now_ms = run.NowMs()](Draft& draft) {
    if (draft.workspace) {
      draft.workspace->actual = "stopped";
      draft.workspace->paused_for.clear();
      draft.workspace->message = message;
      draft.workspace->updated_at = now_ms;
    }
    return Result<void>();
  };
  return outcome;
}

}  // namespace a4cd
