#include <Poco/Base64Encoder.h>

#include <sstream>
#include <utility>

#include "apps/a4cd/sessions/log_tail.h"
#include "apps/a4cd/sessions/workspace_sessions.h"

namespace a4cd {

using a4c::Json;
using a4c::Result;

namespace {

constexpr int64_t kPageBytesMax = 256 << 10;
constexpr int64_t kLookPeriodMs = 500;

std::string Base64(const std::string& bytes) {
  std::ostringstream text;
  Poco::Base64Encoder encoder(text);
  encoder.rdbuf()->setLineLength(0);
  encoder << bytes;
  encoder.close();
  return text.str();
}

class LogSession final : public Session {
 public:
  LogSession(const a4c::Runtime& runtime, const SessionRules& rules, a4c::HostLogs& logs,
             SessionSubject subject, LogOrigin origin)
      : runtime_(runtime),
        rules_(rules),
        logs_(logs),
        subject_(std::move(subject)),
        from_(std::move(origin.from)),
        is_new_(origin.is_new),
        lines_(origin.lines) {}

  void Run(const SessionPeer& peer) override {
    Conversation conversation(runtime_, rules_, peer, *subject_.presence);
    const a4c::Error end = Follow(conversation);
    conversation.TellProblem(end);
    NoteSessionEnd(runtime_, subject_, "logs", end.ToString(), a4c::CodeName(end.code()), bytes_);
    conversation.Close();
  }

 private:
  // A log has no end of its own.
  a4c::Error Follow(Conversation& conversation) {
    conversation.Tell(Json::Object{{"type", "started"}});
    if (lines_) {
      const Result<void> told = TellTail(conversation, *lines_);
      if (!told) return told.error();
    } else if (is_new_) {
      Tell(conversation, {.bytes = {}, .next = from_});
    }
    while (true) {
      Result<a4c::LogPage> page =
          logs_.Read(conversation.StepCall(), subject_.host, subject_.unit, from_, kPageBytesMax);
      if (!page) return page.error();
      const bool more = !page->bytes.empty();
      if (more) Tell(conversation, *page);
      from_ = std::move(page->next);
      const auto passed = conversation.Pass(more ? 0 : kLookPeriodMs);
      if (!passed) return passed.error();
    }
  }

  // Told even if it is empty: whoever comes back goes on there.
  Result<void> TellTail(Conversation& conversation, int64_t lines) {
    A4C_TRY(a4c::LogPage tail, ReadLogTail(conversation.StepCall(), logs_, subject_.host,
                                           subject_.unit, from_, lines));
    Tell(conversation, tail);
    from_ = std::move(tail.next);
    return {};
  }

  // Bytes and position in one message: a client has both or neither.
  void Tell(Conversation& conversation, const a4c::LogPage& page) {
    Json message(Json::Object{{"type", "log"}});
    message.AppendMember("bytes", Base64(page.bytes));
    message.AppendMember("next", page.next);
    conversation.Tell(message);
    bytes_ += static_cast<int64_t>(page.bytes.size());
  }

  const a4c::Runtime runtime_;
  const SessionRules rules_;
  a4c::HostLogs& logs_;
  const SessionSubject subject_;
  std::string from_;
  const bool is_new_;
  const std::optional<int64_t> lines_;
  int64_t bytes_ = 0;
};

}  // namespace

std::unique_ptr<Session> NewLogSession(const a4c::Runtime& runtime, const SessionRules& rules,
                                       a4c::HostLogs& logs, SessionSubject subject,
                                       LogOrigin origin) {
  return std::make_unique<LogSession>(runtime, rules, logs, std::move(subject), std::move(origin));
}

}  // namespace a4cd
