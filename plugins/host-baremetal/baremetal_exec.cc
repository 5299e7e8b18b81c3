// HostExec: a command inside a running container.
#include "baremetal_servers.h"
#include "docker/docker_errors.h"
#include "docker/docker_frames.h"
#include "docker_exec.h"

namespace a4c::baremetal {
namespace {

class BaremetalExec final : public HostExec {
 public:
  explicit BaremetalExec(BaremetalServers& servers) : servers_(servers) {}
  Result<int> Run(const Call& call, const ExecRequest& request,
                  const std::function<void(std::string_view)>& output) override;

 private:
  BaremetalServers& servers_;
};

Result<void> HandOn(const Call& call, DockerConnection& docker,
                    const std::function<void(std::string_view)>& output) {
  FrameReader frames;
  while (true) {
    A4C_TRY(const std::string piece, docker.Read(call));
    if (piece.empty()) return {};
    A4C_TRY(const auto parts, frames.Add(piece));
    for (const DockerFrame& part : parts) output(part.bytes);
  }
}

Error StillUnknown(const Error& error) {
  return Error(Code::kUnknownOutcome, "the command was started: " + error.message(), error.hint());
}

Result<int> BaremetalExec::Run(const Call& call, const ExecRequest& request,
                               const std::function<void(std::string_view)>& output) {
  A4C_CHECK(CheckUnitName(request.unit));
  A4C_CHECK(CheckCommand(request.command, request.env, request.working_dir));
  if (request.command.empty()) return Error(Code::kInvalid, "command is empty");
  A4C_TRY(const std::shared_ptr<DockerServer> server, servers_.Find(call, request.host));
  std::string exec;
  {
    A4C_TRY(DockerLink docker, server->OpenStream(call));
    A4C_TRY(exec, MakeExec(call, servers_, *docker, request.unit, ExecBody(request)));
    A4C_TRY(const int status, docker->Begin(call, {.method = "POST",
                                                   .target = "/exec/" + exec + "/start",
                                                   .body = R"({"Detach":false,"Tty":false})",
                                                   .effect = true}));
    if (status != 200) {
      A4C_TRY(const std::string body, docker->ReadAll(call));
      const auto code = AwaitExecExit(call, servers_, *docker, exec);
      if (!code || (*code != kCannotRun && *code != kNotFound)) {
        return DockerError(status, body, true);
      }
      output(DockerMessage(body));
      return *code;
    }
    const auto ended = HandOn(call, *docker, output);
    if (!ended) return StillUnknown(ended.error());
  }
  // dockerd ends the connection with the output.
  auto docker = server->Open(call);
  if (!docker) return StillUnknown(docker.error());
  const auto code = AwaitExecExit(call, servers_, **docker, exec);
  if (!code) return StillUnknown(code.error());
  return code;
}

}  // namespace

std::unique_ptr<HostExec> NewBaremetalExec(BaremetalServers& servers) {
  return std::make_unique<BaremetalExec>(servers);
}

}  // namespace a4c::baremetal
