#include "apps/a4c/exec.h"

#include <optional>
#include <utility>

#include "apps/a4c/terminal.h"

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

  // How it ended: with the command's exit code, or for a reason that the server told.
  struct End {
    int exit_code = 0;
    std::optional<Reply> problem = {};
  };
  Result<End> Run() {
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
    WatchWindowChanges();
    size_ = CurrentWindowSize();
    wanted.AppendMember("terminal", SizeJson(size_));
    return wanted;
  }

  Result<bool> Hear(const Json& said) {
    const std::string& type = said["type"].Text();
    if (type == "started" && options_.terminal && isatty(STDIN_FILENO) != 0) raw_.emplace();
    if (type == "exit") end_.exit_code = static_cast<int>(said["code"].Int());
    if (type == "problem") end_.problem = ProblemReply(said["problem"]);
    return type == "exit" || type == "problem";
  }

  void SendSize() {
    if (!options_.terminal || !TakeWindowChange()) return;
    const WindowSize now = CurrentWindowSize();
    if (now == std::exchange(size_, now)) return;
    Json message = SizeJson(now);
    message.Set("type", "resize");
    relay_.Say(message);
  }

  const ExecOptions& options_;
  Relay relay_;
  WindowSize size_;
  End end_;
  std::optional<RawTerminal> raw_;  // last: the terminal is itself again before anything else goes
};

}  // namespace

Reply ProblemReply(const Json& problem) {
  Reply reply;
  reply.status = static_cast<int>(problem["status"].Int());
  reply.body = problem;
  return reply;
}

int ExecInWorkspace(Session& session, const ExecOptions& options) {
  Client* client = session.Connect();
  if (client == nullptr) return session.exit_code;
  const std::string path = "/v1/workspaces/" + PercentEncode(options.workspace) + ":exec";
  Result<Switched> switched = client->Switch(path, kProtocol);
  if (!switched) return session.Complain(switched.error());
  if (switched->link == nullptr) return session.Complain(switched->refusal);
  // The terminal is itself again before anybody complains.
  const auto end = Exec(session.runtime, options, switched->link->connection()).Run();
  if (!end) return session.Complain(end.error());
  return end->problem ? session.Complain(*end->problem) : end->exit_code;
}

}  // namespace a4c_cli
