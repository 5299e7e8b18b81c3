#include "apps/a4cd/executors/workspace_unit.h"

#include "a4c/host_update.h"

namespace a4cd {

using a4c::UnitState;
using a4c::UnitStatus;

namespace {

constexpr int kExitNotExecutable = 126;
constexpr int kExitNotFound = 127;

a4c::Unit UnitFrom(const Workspace& workspace, const JobRun& run, const std::string& host,
                   a4c::UnitWanted wanted) {
  return {.host = host,
          .name = UnitName(workspace.id),
          .epoch = run.lease().epoch,
          .claim = run.claim(),
          .labels = {{kWorkspaceLabel, workspace.id}, {kTenantLabel, run.tenant()}},
          .spec = {.image = ImageOf(workspace),
                   .command = workspace.command,
                   .env = workspace.env,
                   .memory_bytes = workspace.memory_bytes,
                   .cpu_millis = workspace.cpu_millis,
                   .disk_bytes = workspace.disk_bytes,
                   .pids = workspace.pids},
          .wanted = wanted};
}

// What is there under its name is of a life that was lost.
a4c::Result<void> ClearGround(JobRun& run, const a4c::Unit& unit) {
  return run.context().tokens.Introduced(run.HostCall(), unit.host, [&] {
    return run.context().hosts.Remove(run.HostCall(), unit.host, unit.name,
                                      {unit.epoch, unit.claim});
  });
}

a4c::Result<bool> NoteItsOwn(JobRun& run) {
  return run.Commit([](Draft& draft) -> a4c::Result<void> {
    if (draft.workspace) draft.workspace->anew = false;
    return {};
  });
}

}  // namespace

std::string LabelOf(const std::map<std::string, std::string>& labels, const char* name) {
  const auto found = labels.find(name);
  return found == labels.end() ? "" : found->second;
}

PlacementRequest PlacementOf(const Workspace& workspace, const Reservations& reservations) {
  return {.amounts = reservations.WithDefaults(
              {workspace.disk_bytes, workspace.memory_bytes, workspace.cpu_millis}),
          .constraints = workspace.constraints,
          .server = workspace.wanted_host};
}

a4c::Unit UnitOf(const JobRun& run, const std::string& host, a4c::UnitWanted wanted) {
  return UnitFrom(*run.workspace(), run, host, wanted);
}

a4c::Result<a4c::Unit> UnitWithSecrets(const JobRun& run, const std::string& host,
                                       a4c::UnitWanted wanted) {
  return UnitWithSecretsOf(*run.workspace(), run, host, wanted);
}

a4c::Result<a4c::Unit> UnitWithSecretsOf(const Workspace& workspace, const JobRun& run,
                                         const std::string& host, a4c::UnitWanted wanted) {
  a4c::Unit unit = UnitFrom(workspace, run, host, wanted);
  if (workspace.secrets.empty()) return unit;
  unit.labels[kSecretsLabel] = SecretsText(workspace);
  for (const auto& [variable, secret] : workspace.secrets) {
    SecretService* secrets = run.context().secrets;
    if (secrets == nullptr) {
      return a4c::Error(a4c::Code::kUnsupported, "this installation has no secrets");
    }
    A4C_TRY(unit.spec.env[variable],
            secrets->Reveal(run.context().StoreCall(), run.tenant(), secret));
  }
  return unit;
}

a4c::Result<UnitStatus> EnsureUnit(JobRun& run, a4c::UnitWanted wanted) {
  const std::string& host = run.workspace()->host;
  A4C_TRY(const a4c::Unit unit, UnitWithSecrets(run, host, wanted));
  auto* updates = run.context().hosts.As<a4c::HostUpdate>();
  const bool updating = !run.workspace()->updating.empty() && updates != nullptr;
  const bool anew = run.workspace()->anew;
  if (anew) A4C_CHECK(ClearGround(run, unit));
  A4C_TRY(UnitStatus status, run.context().tokens.Introduced(run.HostCall(), host, [&] {
    return updating ? updates->Update(run.HostCall(), unit)
                    : run.context().hosts.Ensure(run.HostCall(), unit);
  }));
  // One that is gone meanwhile ends with the next thing it writes.
  if (anew) A4C_CHECK(NoteItsOwn(run));
  if (updating) A4C_CHECK(NoteSettled(run));
  return status;
}

a4c::Result<bool> NoteSettled(JobRun& run) {
  return run.Commit([&run](Draft& draft) -> a4c::Result<void> {
    if (!draft.workspace) return {};
    Reservations& reservations = run.context().reservations;
    draft.workspace->updating.clear();
    A4C_TRY(draft.also, reservations.ResizeOps(
                            run.context().StoreCall(), draft.workspace->host, draft.workspace->id,
                            PlacementOf(*draft.workspace, reservations).amounts));
    return {};
  });
}

a4c::Result<std::optional<Outcome>> RemoveUnit(JobRun& run, JobLog& log, const std::string& host) {
  const std::string unit = UnitName(run.workspace()->id);
  const a4c::Result<void> removed = run.context().tokens.Introduced(run.HostCall(), host, [&] {
    return run.context().hosts.Remove(run.HostCall(), host, unit, {run.lease().epoch, run.claim()});
  });
  if (!removed) {
    if (auto later = WaitForRemoval(run, host, removed.error())) return later;
    return removed.error();
  }
  log.Note(std::string("unit ").append(unit).append(" was removed from ").append(host) + "\n");
  return std::optional<Outcome>();
}

bool CannotRun(const UnitStatus& unit) {
  if (unit.state == UnitState::kBroken) return true;
  return unit.state == UnitState::kStopped &&
         (unit.exit_code == kExitNotExecutable || unit.exit_code == kExitNotFound);
}

UnitView ViewOf(const UnitStatus& unit) {
  std::string ended = "its process has ended";
  if (unit.exit_code) ended = "exited with code " + std::to_string(*unit.exit_code);
  if (!unit.reason.empty()) ended += ": " + unit.reason;
  switch (unit.state) {
    case UnitState::kRunning:
      return {"running", ""};
    case UnitState::kCreated:
      return {"stopped", "was never started"};
    case UnitState::kStopped:
      return {CannotRun(unit) ? "failed" : "stopped", ended};
    case UnitState::kBroken:
      break;
  }
  return {"failed", unit.reason.empty() ? "it cannot run" : unit.reason};
}

}  // namespace a4cd
