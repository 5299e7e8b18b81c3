#include <utility>

#include "a4c/sinks.h"
#include "apps/a4cd/jobs/fields.h"
#include "apps/a4cd/sessions/workspace_sessions.h"

namespace a4cd {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;

namespace {

constexpr int64_t kSizeMax = 10'000;

a4c::TerminalSize ReadSize(const Json& json, const std::string& pointer, Faults& faults) {
  FieldReader fields(json, pointer, faults);
  const auto number = [&](const char* name, int fallback) {
    return static_cast<int>(fields.Long(name, {.fallback = fallback, .min = 1, .max = kSizeMax}));
  };
  a4c::TerminalSize size{number("rows", 24), number("columns", 80)};
  fields.Any("type");
  fields.RefuseOthers();
  return size;
}

Result<void> Refused(const Faults& faults) {
  if (faults.empty()) return {};
  return Error(Code::kInvalid, faults[0].pointer + " " + faults[0].detail, faults[0].hint);
}

Result<a4c::CommandRequest> ReadRequest(const Json& json, const SessionSubject& subject) {
  Faults faults;
  FieldReader fields(json, "", faults);
  a4c::CommandRequest request{
      .exec = {.host = subject.host, .unit = subject.unit, .command = fields.Arguments("command")}};
  request.exec.env = fields.TextMap("env");
  request.exec.working_dir = fields.Text("working_dir");
  const Json& terminal = fields.Any("terminal");
  if (!terminal.IsNull()) request.terminal = ReadSize(terminal, "/terminal", faults);
  if (request.exec.command.empty())
    fields.Add("command", "is missing: what is to be run, and its arguments");
  fields.RefuseOthers();
  A4C_CHECK(Refused(faults));
  return request;
}

class CommandSession final : public Session {
 public:
  CommandSession(const a4c::Runtime& runtime, const SessionRules& rules, a4c::HostStreams& streams,
                 SessionSubject subject)
      : runtime_(runtime), rules_(rules), streams_(streams), subject_(std::move(subject)) {}

  void Run(const SessionPeer& peer) override {
    Conversation conversation(runtime_, rules_, peer, *subject_.presence);
    const Result<int> code = Converse(conversation);
    if (code) {
      conversation.Tell(Json::Object{{"type", "exit"}, {"code", *code}});
    } else {
      conversation.TellProblem(code.error());
    }
    NoteSessionEnd(runtime_, subject_, "command",
                   code ? "exit " + std::to_string(*code) : code.error().ToString(),
                   code ? "exit" : a4c::CodeName(code.error().code()), conversation.bytes());
    conversation.Close();
  }

 private:
  // The command is gone when this returns.
  Result<int> Converse(Conversation& conversation) {
    A4C_TRY(const Json wanted, conversation.Await());
    A4C_TRY(const a4c::CommandRequest request, ReadRequest(wanted, subject_));
    A4C_TRY(const auto command, streams_.OpenCommand(conversation.StepCall(), request));
    conversation.Tell(Json::Object{{"type", "started"}});
    const auto control = [&](const Json& said) { return Control(conversation, *command, said); };
    A4C_CHECK(conversation.Carry(*command, request.terminal.has_value(), control));
    return command->Exit(conversation.StepCall());
  }

  static Result<void> Control(const Conversation& conversation, a4c::HostCommand& command,
                              const Json& said) {
    if (said["type"].Text() != "resize") {
      return Error(Code::kInvalid, "a message of a type that there is not",
                   "there are resize and end_of_input");
    }
    Faults faults;
    const a4c::TerminalSize size = ReadSize(said, "", faults);
    A4C_CHECK(Refused(faults));
    const auto resized = command.Resize(conversation.StepCall(), size);
    // One that comes as the command ends changes nothing.
    if (!resized && resized.error().code() == Code::kUnsupported) return resized.error();
    return {};
  }

  const a4c::Runtime runtime_;
  const SessionRules rules_;
  a4c::HostStreams& streams_;
  const SessionSubject subject_;
};

}  // namespace

void NoteSessionEnd(const a4c::Runtime& runtime, const SessionSubject& subject,
                    std::string_view kind, const std::string& end, std::string_view word,
                    int64_t bytes) {
  runtime.metrics.Count("a4c_sessions_total", {{"kind", kind}, {"end", word}});
  runtime.log.Write(a4c::LogLevel::kInfo, "sessions", "a session has ended",
                    {{"request_id", subject.request_id},
                     {"unit", subject.unit},
                     {"kind", std::string(kind)},
                     {"end", end},
                     {"bytes", std::to_string(bytes)}});
}

std::unique_ptr<Session> NewCommandSession(const a4c::Runtime& runtime, const SessionRules& rules,
                                           a4c::HostStreams& streams, SessionSubject subject) {
  return std::make_unique<CommandSession>(runtime, rules, streams, std::move(subject));
}

}  // namespace a4cd
