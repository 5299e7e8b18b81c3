#include <utility>

#include "a4c/sinks.h"
#include "apps/a4cd/sessions/workspace_sessions.h"

namespace a4cd {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;

namespace {

class ForwardSession final : public Session {
 public:
  ForwardSession(const a4c::Runtime& runtime, const SessionRules& rules, a4c::HostStreams& streams,
                 SessionSubject subject, int port)
      : runtime_(runtime),
        rules_(rules),
        streams_(streams),
        subject_(std::move(subject)),
        port_(port) {}

  void Run(const SessionPeer& peer) override {
    Conversation conversation(runtime_, rules_, peer, *subject_.presence);
    const Result<void> ended = Converse(conversation);
    if (ended) {
      conversation.Tell(Json::Object{{"type", "end"}});
    } else {
      conversation.TellProblem(ended.error());
    }
    NoteSessionEnd(runtime_, subject_, "forward", ended ? "end" : ended.error().ToString(),
                   ended ? "end" : a4c::CodeName(ended.error().code()), conversation.bytes());
    conversation.Close();
  }

 private:
  Result<void> Converse(Conversation& conversation) {
    A4C_TRY(const auto stream,
            streams_.OpenPort(conversation.StepCall(), subject_.host, subject_.unit, port_));
    conversation.Tell(Json::Object{{"type", "started"}});
    return conversation.Carry(*stream, false, [](const Json&) -> Result<void> {
      return Error(Code::kInvalid, "a message of a type that there is not",
                   "there is end_of_input");
    });
  }

  const a4c::Runtime runtime_;
  const SessionRules rules_;
  a4c::HostStreams& streams_;
  const SessionSubject subject_;
  const int port_;
};

}  // namespace

std::unique_ptr<Session> NewForwardSession(const a4c::Runtime& runtime, const SessionRules& rules,
                                           a4c::HostStreams& streams, SessionSubject subject,
                                           int port) {
  return std::make_unique<ForwardSession>(runtime, rules, streams, std::move(subject), port);
}

}  // namespace a4cd
