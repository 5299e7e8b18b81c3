#include "docker_exec.h"

namespace a4c::baremetal {
namespace {

constexpr int64_t kExitPollMs = 20;

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

}  // namespace a4c::baremetal
