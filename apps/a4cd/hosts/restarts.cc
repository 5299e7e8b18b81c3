#include "apps/a4cd/hosts/restarts.h"

#include <algorithm>
#include <string>

namespace a4cd {
namespace {

constexpr int64_t kDoublingsMax = 30;

}  // namespace

bool WantsRestart(const Workspace& workspace, const a4c::UnitStatus* unit) {
  if (workspace.desired != "running" || workspace.restart == "never") return false;
  if (workspace.actual != "stopped" && workspace.actual != "failed") return false;
  if (!workspace.restoring.empty()) return false;  // it would be refused: it is not whole
  const bool well = unit != nullptr && unit->exit_code == 0;
  return workspace.restart == "always" || !well;
}

bool WantsStop(const Workspace& workspace, const a4c::UnitStatus* unit) {
  return unit != nullptr && unit->state == a4c::UnitState::kRunning &&
         workspace.desired == "stopped" && workspace.actual == "running";
}

int64_t RestartWaitMs(const Workspace& workspace, const RestartOptions& options) {
  int64_t wait_ms = 0;
  const int64_t doublings = std::min(workspace.restarts, kDoublingsMax);
  const bool past = __builtin_mul_overflow(options.wait_ms, int64_t{1} << doublings, &wait_ms);
  return past ? options.wait_max_ms : std::min(wait_ms, options.wait_max_ms);
}

void Restarts::NoteEnd(Workspace& workspace) const {
  const int64_t ran_ms = database_.NowMs() - workspace.updated_at;
  if (ran_ms >= options_.reset_ms) workspace.restarts = 0;
}

a4c::Result<void> Restarts::Settle(const a4c::Call& call, const std::string& tenant,
                                   const Workspace& workspace) {
  const bool runs = workspace.desired == "running";
  return MakeIfDue(call, tenant, workspace,
                   {.type = runs ? "workspace.start" : "workspace.stop",
                    .by = "reconciler",
                    .title = "bring " + workspace.name + " out of what a job has left half done"});
}

a4c::Result<void> Restarts::Look(const a4c::Call& call, const std::string& tenant,
                                 const Workspace& workspace, const a4c::UnitStatus* unit) {
  if (WantsStop(workspace, unit)) {
    return MakeIfDue(call, tenant, workspace,
                     {.type = "workspace.stop",
                      .by = "reconciler",
                      .title = "stop " + workspace.name + " again: it runs, and is to be stopped"});
  }
  if (!WantsRestart(workspace, unit)) return {};
  return MakeIfDue(
      call, tenant, workspace,
      {.type = "workspace.start",
       .by = "restart",
       .title = "restart " + std::to_string(workspace.restarts + 1) + " of " + workspace.name +
                (workspace.message.empty() ? "" : ": " + workspace.message)});
}

a4c::Result<void> Restarts::MakeIfDue(const a4c::Call& call, const std::string& tenant,
                                      const Workspace& workspace, const OwnJob& job) {
  const int64_t since_ms = database_.NowMs() - workspace.updated_at;
  if (since_ms < RestartWaitMs(workspace, options_)) return {};
  JobDraft draft;
  draft.type = job.type;
  draft.title = job.title;
  draft.payload = a4c::Json::Object{{"workspace", workspace.id}};
  draft.is_restart = true;
  return jobs_.CreateOwn(call, tenant, job.by, draft);
}

}  // namespace a4cd
