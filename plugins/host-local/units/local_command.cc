#include "units/local_command.h"

#include <signal.h>
#include <sys/wait.h>

namespace a4c::local {
namespace {

constexpr int64_t kPollMs = 5;
constexpr int64_t kEndMaxMs = 5'000;  // for a supervisor to end after SIGTERM

}  // namespace

Result<PlannedCommand> PlanCommand(const Call& call, LocalServers& servers,
                                   const ExecRequest& request) {
  A4C_CHECK(CheckUnitName(request.unit));
  A4C_CHECK(CheckCommand(request.command, request.env, request.working_dir));
  if (request.command.empty()) return Error(Code::kInvalid, "command is empty");
  A4C_TRY(std::shared_ptr<LocalServer> server, servers.Find(call, request.host));
  A4C_TRY(LocalUnit unit, servers.FindUnit(call, request.host, request.unit));
  if (unit.status.state != UnitState::kRunning) {
    return Error(Code::kConflict, "unit " + request.unit + " is not running");
  }
  UnitSpec spec = unit.record.spec;
  spec.command = request.command;
  if (!request.working_dir.empty()) spec.working_dir = request.working_dir;
  LaunchPlan plan = server->PlanOf(spec);
  plan.command = true;
  plan.stop_timeout_ms = 0;
  plan.env = server->EnvironmentOf(unit.record, request.env);
  return PlannedCommand{std::move(server), std::move(unit), std::move(plan)};
}

Result<int> AwaitExit(const Call& call, Waiter& waiter, pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, WNOHANG) == 0) {
    if (call.Expired() || call.Stopping()) {
      return Error(Code::kUnknownOutcome, "the command has not ended yet");
    }
    Waiter::Lock lock(waiter);
    waiter.Wait(call.clock.MonotonicMs() + kPollMs);
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void EndCommand(const Clock& clock, Waiter& waiter, pid_t pid) {
  kill(pid, SIGTERM);
  if (AwaitExit(Call::Within(clock, kEndMaxMs), waiter, pid)) return;
  kill(pid, SIGKILL);  // its program dies with it
  waitpid(pid, nullptr, 0);
}

}  // namespace a4c::local
