#include "apps/a4c/sessions/exec.h"

#include <memory>
#include <optional>
#include <utility>

namespace a4c_cli {

using a4c::Json;
using a4c::Result;

namespace {

constexpr const char* kProtocol = "a4c.exec.v1";

Json SizeJson(const WindowSize& size) {
  return Json::Object{{"rows", size.rows}, {"columns", size.columns}};
}

class Exec {
 public:
  Exec(const a4c::Runtime& runtime, const ExecOptions& options, a4c_websocket::Connection& peer)
      : options_(options), relay_(runtime, peer, options.descriptors) {}

  Result<ExecEnd> Run() {
    relay_.Say(Wanted());
    A4C_CHECK(relay_.Run([this](const Json& said) { return Hear(said); }, [this] { SendSize(); }));
    return end_;
  }

 private:
  Json Wanted() {
    Json wanted(Json::Object{});
    Json command(Json::Array{});
    for (const std::string& word : options_.command) command.Append(word);
    wanted.AppendMember("command", std::move(command));
    wanted.AppendMember("env", options_.env);
    if (!options_.working_dir.empty()) wanted.AppendMember("working_dir", options_.working_dir);
    if (!options_.terminal) return wanted;
    if (OwnTerminal()) WatchWindowChanges();
    size_ = SizeNow();
    wanted.AppendMember("terminal", SizeJson(size_));
    return wanted;
  }

  Result<bool> Hear(const Json& said) {
    const std::string& type = said["type"].Text();
    const bool raw = options_.terminal && OwnTerminal() && isatty(STDIN_FILENO) != 0;
    if (type == "started" && raw) raw_.emplace();
    if (type == "exit") end_.exit_code = static_cast<int>(said["code"].Int());
    if (type == "problem") end_.problem = ProblemReply(said["problem"]);
    return type == "exit" || type == "problem";
  }

  bool OwnTerminal() const { return !options_.window_size; }
  WindowSize SizeNow() const {
    return OwnTerminal() ? CurrentWindowSize() : options_.window_size();
  }
  void SendSize() {
    if (!options_.terminal || (OwnTerminal() && !TakeWindowChange())) return;
    const WindowSize now = SizeNow();
    if (now == std::exchange(size_, now)) return;
    Json message = SizeJson(now);
    message.Set("type", "resize");
    relay_.Say(message);
  }

  const ExecOptions& options_;
  Relay relay_;
  WindowSize size_;
  ExecEnd end_;
  std::optional<RawTerminal> raw_;  // last: the terminal is itself again before anything else goes
};

}  // namespace

// A constant: what a shell reads here nobody has typed.
std::vector<std::string> ShellCommand() {
  return {"/bin/sh", "-c", "command -v bash >/dev/null && exec bash; exec sh"};
}

Reply ProblemReply(const Json& problem) {
  Reply reply;
  reply.status = static_cast<int>(problem["status"].Int());
  reply.body = problem;
  return reply;
}

Result<ExecEnd> RunInWorkspace(const Session& session, const ExecOptions& options) {
  A4C_TRY(const std::unique_ptr<Client> client, session.Open());
  const std::string path = "/v1/workspaces/" + PercentEncode(options.workspace) + ":exec";
  A4C_TRY(const Switched switched, client->Switch(path, kProtocol));
  if (switched.link == nullptr) return ExecEnd{.problem = switched.refusal};
  return Exec(session.runtime, options, switched.link->connection()).Run();
}

int ExecInWorkspace(Session& session, const ExecOptions& options) {
  // The terminal is itself again before anybody complains.
  const auto end = RunInWorkspace(session, options);
  if (!end) return session.Complain(end.error());
  return end->problem ? session.Complain(*end->problem) : end->exit_code;
}

}  // namespace a4c_cli
