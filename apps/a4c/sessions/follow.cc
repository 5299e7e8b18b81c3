#include "apps/a4c/sessions/follow.h"

#include <Poco/Base64Decoder.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <sstream>
#include <utility>

#include "apps/a4c/sessions/exec.h"

namespace a4c_cli {

using a4c::Json;
using a4c::Result;

namespace {

constexpr const char* kProtocol = "a4c.logs.v1";
constexpr int64_t kFirstWaitMs = 250;
constexpr int64_t kWaitMaxMs = 5'000;
constexpr int64_t kGiveUpMs = 60'000;  // without a word of the log
// Longer than a4cd waits for a server that hangs: of a connection that lasts, the log has nothing
// to say.
constexpr int64_t kLastsMs = 15'000;

std::string FromBase64(const std::string& text) {
  std::istringstream in(text);
  Poco::Base64Decoder decoder(in);
  return {std::istreambuf_iterator<char>(decoder), {}};
}

class Follower {
 public:
  Follower(Session& session, const std::string& workspace,
           std::vector<std::pair<std::string, std::string>> begin)
      : session_(session),
        path_("/v1/workspaces/" + PercentEncode(workspace) + "/logs:follow"),
        query_(std::move(begin)),
        heard_ms_(session.runtime.clock.MonotonicMs()) {}

  int Run() {
    while (true) {
      const Result<Reply> ended = Once();
      const int64_t silent_ms = session_.runtime.clock.MonotonicMs() - heard_ms_;
      if (!IsRepeatable(ended) || silent_ms >= kGiveUpMs) {
        return ended ? session_.Complain(*ended) : session_.Complain(ended.error());
      }
      session_.Pause(wait_ms_);
      wait_ms_ = std::min(2 * wait_ms_, kWaitMaxMs);
    }
  }

 private:
  // One connection, to its end: why it ended.
  Result<Reply> Once() {
    A4C_TRY(const std::unique_ptr<Client> client, session_.Open());
    A4C_TRY(const Switched switched, client->Switch(WithQuery(path_, query_), kProtocol));
    if (switched.link == nullptr) return switched.refusal;
    Reply problem;
    bool is_heard = false;
    const int64_t begun_ms = session_.runtime.clock.MonotonicMs();
    Relay relay(session_.runtime, switched.link->connection(), {});
    const Result<void> relayed = relay.Run([&](const Json& said) -> Result<bool> {
      const std::string& type = said["type"].Text();
      if (type == "log") Show(said);
      if (type == "problem") problem = ProblemReply(said["problem"]);
      is_heard = is_heard || type == "log";
      return type == "problem";
    });
    // It was there until now, however long there was nothing to say.
    const int64_t now_ms = session_.runtime.clock.MonotonicMs();
    if (is_heard || now_ms - begun_ms >= kLastsMs) {
      heard_ms_ = now_ms;
      wait_ms_ = kFirstWaitMs;
    }
    if (!relayed) return relayed.error();
    return problem;
  }

  void Show(const Json& said) {
    session_.ShowText(FromBase64(said["bytes"].Text()));
    query_ = {{"from", said["next"].Text()}};
  }

  Session& session_;
  const std::string path_;
  std::vector<std::pair<std::string, std::string>> query_;  // where what is not shown yet begins
  int64_t heard_ms_;
  int64_t wait_ms_ = kFirstWaitMs;
};

}  // namespace

int FollowWorkspaceLog(Session& session, const std::string& workspace,
                       std::vector<std::pair<std::string, std::string>> begin) {
  return Follower(session, workspace, std::move(begin)).Run();
}

}  // namespace a4c_cli
