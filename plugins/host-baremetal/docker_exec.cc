#include "docker_exec.h"

#include "docker/docker_errors.h"

namespace a4c::baremetal {
namespace {

constexpr int64_t kExitPollMs = 20;

// A constant: nothing that a user wrote is in it. The shell's `read` leaves out the NULs between
// the variables.
constexpr const char* kEndScript =
    "each() { for dir in /proc/[0-9]*; do "
    "while read -r line || [ -n \"$line\" ]; do case \"$line\" in "
    "*\"$1\"*) kill -\"$2\" \"${dir#/proc/}\" && found=1;; esac; "
    "done <\"$dir/environ\"; done 2>/dev/null; }; found=; "
    "each \"$1\" HUP; each \"$1\" TERM; [ -z \"$found\" ] || { sleep 1; each \"$1\" KILL; }";

}  // namespace

Result<std::string> MakeExec(const Call& call, const BaremetalServers& servers,
                             DockerConnection& docker, const std::string& unit, const Json& body) {
  A4C_TRY(const Container container, servers.FindOurs(call, docker, unit));
  A4C_TRY(const Json made,
          docker.ExchangeJson(call, {.method = "POST",
                                     .target = "/containers/" + container.id + "/exec",
                                     .body = body.ToString()}));
  return made["Id"].Text();
}

Result<int> AwaitExecExit(const Call& call, const BaremetalServers& servers,
                          DockerConnection& docker, const std::string& exec) {
  while (true) {
    A4C_TRY(const Json state,
            docker.ExchangeJson(call, {.method = "GET", .target = "/exec/" + exec + "/json"}));
    if (!state["Running"].Bool() && state["ExitCode"].IsInt()) {
      return static_cast<int>(state["ExitCode"].Int());
    }
    Waiter::Lock lock(*servers.waiter);
    servers.waiter->Wait(call.clock.MonotonicMs() + kExitPollMs);
  }
}

Result<void> EndMarked(const Call& call, const BaremetalServers& servers, DockerConnection& docker,
                       const std::string& unit, const std::string& mark, bool waits) {
  const Json body =
      ExecBody({.host = {}, .unit = unit, .command = {"/bin/sh", "-c", kEndScript, "a4c", mark}});
  const auto exec = MakeExec(call, servers, docker, unit, body);
  // What has no unit to run in any more has ended.
  if (!exec && (exec.error().code() == Code::kNotFound || exec.error().code() == Code::kConflict)) {
    return {};
  }
  if (!exec) return exec.error();
  A4C_TRY(const DockerReply reply, docker.Exchange(call, {.method = "POST",
                                                          .target = "/exec/" + *exec + "/start",
                                                          .body = R"({"Detach":true})",
                                                          .effect = true}));
  if (!reply.ok()) return DockerError(reply.status, reply.body, true);
  if (!waits) return {};
  A4C_TRY(const int code, AwaitExecExit(call, servers, docker, *exec));
  if (code != kCannotRun && code != kNotFound) return {};
  return Error(Code::kUnsupported, "the unit has no /bin/sh that could end a command");
}

}  // namespace a4c::baremetal
