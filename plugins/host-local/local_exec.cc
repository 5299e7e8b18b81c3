// HostExec: a command as the unit's user, in the unit's files, under the unit's limits. It carries
// the unit's mark, so that it ends with the unit.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "local_servers.h"

namespace a4c::local {
namespace {

constexpr int64_t kPollMs = 5;
constexpr int64_t kStopCheckMs = 100;

// A place among those that may run at a time.
class Place {
 public:
  Place(std::atomic<int64_t>& count, int64_t max) : count_(count), got_(count.fetch_add(1) < max) {}
  ~Place() { --count_; }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  bool got() const { return got_; }

 private:
  std::atomic<int64_t>& count_;
  const bool got_;
};

class LocalExec final : public HostExec {
 public:
  LocalExec(LocalServers& servers, const Runtime& runtime, int64_t commands_max)
      : servers_(servers), waiter_(runtime.threads.NewWaiter()), commands_max_(commands_max) {}
  Result<int> Run(const Call& call, const ExecRequest& request,
                  const std::function<void(std::string_view)>& output) override;

 private:
  bool HandOn(const Call& call, int from, const std::function<void(std::string_view)>& output);
  int WaitFor(const Call& call, pid_t pid);

  LocalServers& servers_;
  const std::unique_ptr<Waiter> waiter_;
  const int64_t commands_max_;
  std::atomic<int64_t> running_ = 0;
};

// False if the call ended before the output did.
bool LocalExec::HandOn(const Call& call, int from,
                       const std::function<void(std::string_view)>& output) {
  char piece[65536];
  while (!call.Expired() && !call.Stopping()) {
    pollfd entry{from, POLLIN, 0};
    if (poll(&entry, 1, static_cast<int>(std::min(kStopCheckMs, call.RemainingMs()))) <= 0)
      continue;
    const ssize_t count = read(from, piece, sizeof(piece));
    if (count == 0) return true;
    if (count > 0) output({piece, static_cast<size_t>(count)});
  }
  return false;
}

int LocalExec::WaitFor(const Call& call, pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, WNOHANG) == 0) {
    Waiter::Lock lock(*waiter_);
    waiter_->Wait(call.clock.MonotonicMs() + kPollMs);
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

Result<int> LocalExec::Run(const Call& call, const ExecRequest& request,
                           const std::function<void(std::string_view)>& output) {
  A4C_CHECK(CheckUnitName(request.unit));
  A4C_CHECK(CheckCommand(request.command, request.env, request.working_dir));
  if (request.command.empty()) return Error(Code::kInvalid, "command is empty");
  const Place place(running_, commands_max_);
  if (!place.got()) {
    return Error(Code::kExhausted, std::to_string(commands_max_) + " commands run already");
  }
  A4C_TRY(const std::shared_ptr<LocalServer> server, servers_.Find(call, request.host));
  A4C_TRY(const LocalUnit unit, servers_.FindUnit(call, request.host, request.unit));
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
  int pipes[2];
  if (pipe2(pipes, O_CLOEXEC) != 0) return FileError(errno, "pipe");
  const Fd in(pipes[0]);
  Fd out(pipes[1]);
  A4C_TRY(const pid_t pid, server->Spawn(plan, unit.directory.get(), out.get(), -1));
  out = Fd();
  const bool whole = HandOn(call, in.get(), output);
  if (!whole) kill(pid, SIGTERM);  // our own child, not yet waited for: it is the right one
  const int code = WaitFor(call, pid);
  if (whole) return code;
  return Error(Code::kUnknownOutcome, "the command was started and killed before its end");
}

}  // namespace

std::unique_ptr<HostExec> NewLocalExec(LocalServers& servers, const Runtime& runtime,
                                       int64_t commands_max) {
  return std::make_unique<LocalExec>(servers, runtime, commands_max);
}

}  // namespace a4c::local
