// HostExec: a command whose output is handed on, without input.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "units/local_command.h"

namespace a4c::local {
namespace {

constexpr int64_t kStopCheckMs = 100;

class LocalExec final : public HostExec {
 public:
  LocalExec(LocalServers& servers, const Runtime& runtime, int64_t commands_max)
      : servers_(servers), waiter_(runtime.threads.NewWaiter()), commands_max_(commands_max) {}
  Result<int> Run(const Call& call, const ExecRequest& request,
                  const std::function<void(std::string_view)>& output) override;

 private:
  bool HandOn(const Call& call, int from, const std::function<void(std::string_view)>& output);

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

Result<int> LocalExec::Run(const Call& call, const ExecRequest& request,
                           const std::function<void(std::string_view)>& output) {
  const Place place(running_, commands_max_);
  if (!place.got()) {
    return Error(Code::kExhausted, std::to_string(commands_max_) + " commands run already");
  }
  A4C_TRY(const PlannedCommand planned, PlanCommand(call, servers_, request));
  int pipes[2];
  if (pipe2(pipes, O_CLOEXEC) != 0) return FileError(errno, "pipe");
  const Fd in(pipes[0]);
  Fd out(pipes[1]);
  A4C_TRY(const pid_t pid,
          planned.server->Spawn(
              planned.plan, {.answer = out.get(), .unit_directory = planned.unit.directory.get()}));
  out = Fd();
  const bool whole = HandOn(call, in.get(), output);
  if (whole) {
    auto code = AwaitExit(call, *waiter_, pid);
    if (code) return code;
  }
  EndCommand(call.clock, *waiter_, pid);
  return Error(Code::kUnknownOutcome, "the command was started and killed before its end");
}

}  // namespace

std::unique_ptr<HostExec> NewLocalExec(LocalServers& servers, const Runtime& runtime,
                                       int64_t commands_max) {
  return std::make_unique<LocalExec>(servers, runtime, commands_max);
}

}  // namespace a4c::local
