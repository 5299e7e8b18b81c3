// HostExec: a command inside a running container.
#include "a4c/sinks.h"
#include "baremetal_servers.h"
#include "docker/docker_errors.h"
#include "docker/docker_frames.h"
#include "docker_exec.h"

namespace a4c::baremetal {
namespace {

constexpr int64_t kEndMs = 5'000;
// Whose value is the same in every attempt at the same command.
constexpr const char* kMark = "A4C_JOB";

class BaremetalExec final : public HostExec {
 public:
  explicit BaremetalExec(BaremetalServers& servers) : servers_(servers) {}
  Result<int> Run(const Call& call, const ExecRequest& request,
                  const std::function<void(std::string_view)>& output) override;

 private:
  using Output = std::function<void(std::string_view)>;
  Result<int> RunOn(const Call& call, DockerServer& server, const ExecRequest& request,
                    const Output& output);
  Result<void> EndAttemptBefore(const Call& call, DockerConnection& docker,
                                const ExecRequest& request);
  void EndThisAttempt(DockerServer& server, const ExecRequest& request);
  void NoteLeft(const ExecRequest& request, const Error& error);

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

// Empty: a command without one is never ended by us.
std::string MarkOf(const ExecRequest& request) {
  const auto mark = request.env.find(kMark);
  return mark == request.env.end() ? "" : std::string(kMark) + "=" + mark->second;
}

Result<int> BaremetalExec::Run(const Call& call, const ExecRequest& request, const Output& output) {
  A4C_CHECK(CheckUnitName(request.unit));
  A4C_CHECK(CheckCommand(request.command, request.env, request.working_dir));
  if (request.command.empty()) return Error(Code::kInvalid, "command is empty");
  A4C_TRY(const std::shared_ptr<DockerServer> server, servers_.Find(call, request.host));
  Result<int> code = RunOn(call, *server, request, output);
  const bool may_run = !code && code.error().unknown_outcome();
  if (may_run && !MarkOf(request).empty()) EndThisAttempt(*server, request);
  return code;
}

Result<int> BaremetalExec::RunOn(const Call& call, DockerServer& server, const ExecRequest& request,
                                 const Output& output) {
  std::string exec;
  {
    A4C_TRY(DockerLink docker, server.OpenStream(call));
    if (!MarkOf(request).empty()) A4C_CHECK(EndAttemptBefore(call, *docker, request));
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
  auto docker = server.Open(call);
  if (!docker) return StillUnknown(docker.error());
  auto code = AwaitExecExit(call, servers_, **docker, exec);
  if (!code) return StillUnknown(code.error());
  return code;
}

// Of a process that died, or whose connection was cut: two attempts never run beside each other.
Result<void> BaremetalExec::EndAttemptBefore(const Call& call, DockerConnection& docker,
                                             const ExecRequest& request) {
  A4C_TRY(const Container container, servers_.FindOurs(call, docker, request.unit));
  if (!container.has_commands) return {};
  Result<void> ended = EndMarked(call, servers_, docker, request.unit, MarkOf(request), true);
  if (ended || ended.error().retryable()) return ended;
  NoteLeft(request, ended.error());
  return {};
}

// Its caller has given up, or the connection has.
void BaremetalExec::EndThisAttempt(DockerServer& server, const ExecRequest& request) {
  const Call call = Call::Within(servers_.runtime.clock, kEndMs);
  const auto end = [&]() -> Result<void> {
    A4C_TRY(DockerLink docker, server.Open(call));
    return EndMarked(call, servers_, *docker, request.unit, MarkOf(request), false);
  };
  const Result<void> ended = end();
  if (!ended) NoteLeft(request, ended.error());
}

void BaremetalExec::NoteLeft(const ExecRequest& request, const Error& error) {
  servers_.runtime.log.Write(
      LogLevel::kWarning, "hosts", "a command whose caller has gone could not be ended",
      {{"host", request.host}, {"unit", request.unit}, {"error", error.ToString()}});
}

}  // namespace

std::unique_ptr<HostExec> NewBaremetalExec(BaremetalServers& servers) {
  return std::make_unique<BaremetalExec>(servers);
}

}  // namespace a4c::baremetal
