// Requests that become sessions. All that can be refused is refused before, as any request is.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "a4c/host_streams.h"
#include "apps/a4cd/api/audit.h"
#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/api/log_query.h"
#include "apps/a4cd/api/problem.h"
#include "apps/a4cd/sessions/workspace_sessions.h"
#include "apps/websocket/frames.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Result;

constexpr const char* kExecProtocol = "a4c.exec.v1";
constexpr const char* kForwardProtocol = "a4c.forward.v1";
constexpr const char* kLogsProtocol = "a4c.logs.v1";

// Whether a header that is a list ("keep-alive, Upgrade") has this word, in any case.
bool HasWord(const std::string& list, std::string_view word) {
  const auto same = [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  };
  size_t at = 0;
  while (at <= list.size()) {
    const size_t comma = std::min(list.find(',', at), list.size());
    std::string_view item(list.data() + at, comma - at);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (std::ranges::equal(item, word, same)) return true;
    at = comma + 1;
  }
  return false;
}

std::optional<Response> RefuseHandshake(const Request& request, const std::string& protocol) {
  if (!HasWord(request.Header("Connection"), "upgrade") ||
      !HasWord(request.Header("Upgrade"), "websocket")) {
    Response response = ProblemResponse({.status = 426,
                                         .type = "upgrade-required",
                                         .detail = "this is spoken over a WebSocket",
                                         .hint = "use a4c workspace exec, or a WebSocket client"});
    response.Add("Upgrade", "websocket");
    return response;
  }
  if (request.method != "GET") {  // HEAD would be answered 101, and no session follow
    Response response = ProblemResponse({.status = 405,
                                         .type = "method-not-allowed",
                                         .detail = "a WebSocket begins with GET",
                                         .hint = "send GET"});
    response.Add("Allow", "GET");
    return response;
  }
  const bool known = request.Header("Sec-WebSocket-Version") == "13";
  if (!known || request.Header("Sec-WebSocket-Key").empty()) {
    return ErrorResponse(
        Error(Code::kInvalid, "the WebSocket handshake is not that of version 13"));
  }
  if (HasWord(request.Header("Sec-WebSocket-Protocol"), protocol)) return std::nullopt;
  return ErrorResponse(Error(Code::kInvalid, "the client does not speak " + protocol,
                             "offer it in Sec-WebSocket-Protocol"));
}

Error NotRunning(const Workspace& workspace) {
  const std::string& name = workspace.name;
  const std::string look = "a4c workspace get " + name;
  if (workspace.desired == "deleted") {
    return Error(Code::kConflict, "the workspace " + name + " is being deleted", look);
  }
  if (workspace.actual == "running") {
    return Error(Code::kConflict, "the workspace " + name + " is being stopped",
                 "a4c workspace start " + name + " --wait");
  }
  const bool start_helps = workspace.actual == "stopped" || workspace.actual == "failed";
  return Error(Code::kConflict,
               "the workspace " + name + " is not running: it is " + workspace.actual +
                   (workspace.message.empty() ? "" : ", " + workspace.message),
               start_helps ? "a4c workspace start " + name + " --wait" : look);
}

Result<Workspace> FindRunning(ApiContext& api, const Request& request) {
  A4C_TRY(
      Workspace workspace,
      api.jobs.FindWorkspace(api.CallFor(request), request.principal.tenant, request.Param("id")));
  if (!workspace.host.empty() && workspace.actual == "running" && workspace.desired == "running") {
    return workspace;
  }
  return NotRunning(workspace);
}

SessionRules RulesOf(const ApiSettings& settings) {
  return {.idle_max_ms = settings.session_idle_max_ms,
          .duration_max_ms = settings.session_duration_max_ms,
          .ping_period_ms = settings.session_ping_period_ms,
          .step_timeout_ms = settings.request_timeout_ms};
}

Response Switch(const Request& request, const char* protocol, std::unique_ptr<Session> session) {
  Response response;
  response.status = 101;
  response.Add("Upgrade", "websocket");
  response.Add("Connection", "Upgrade");
  response.Add("Sec-WebSocket-Accept",
               a4c_websocket::AcceptKey(request.Header("Sec-WebSocket-Key")));
  response.Add("Sec-WebSocket-Protocol", protocol);
  response.session = std::move(session);
  return response;
}

Result<Workspace> FindPlaced(ApiContext& api, const Request& request) {
  A4C_TRY(
      Workspace workspace,
      api.jobs.FindWorkspace(api.CallFor(request), request.principal.tenant, request.Param("id")));
  if (!workspace.host.empty()) return workspace;
  return Error(Code::kConflict, "the workspace is on no server yet",
               "see its job: a4c job list -q workspace:" + workspace.id);
}

using Make = std::function<std::unique_ptr<Session>(SessionSubject)>;

// note: whether it is a change, which belongs into the audit log.
Response BeginSession(ApiContext& api, const Request& request, const char* protocol,
                      const Result<Workspace>& workspace, bool note, const Make& make) {
  if (!workspace) {
    const Problem problem = ProblemOf(workspace.error());
    return note ? RefuseNoted(api, request, problem) : ProblemResponse(problem);
  }
  if (auto refused = RefuseHandshake(request, protocol)) return *std::move(refused);
  std::unique_ptr<TenantPlaces::Place> place;
  if (auto full = api.places.sessions.Enter(request.principal.tenant, place)) {
    full->status = 429;  // of the instance's bound too
    return ProblemResponse(*full);
  }
  auto presence =
      std::make_unique<Presence>(api.database, api.runtime, request.principal.tenant, *workspace);
  if (note) {
    const Result<void> begun = presence->Begin(api.CallFor(request));
    if (!begun) return RefuseNoted(api, request, ProblemOf(begun.error()));
  }
  const a4c::RecordRef ref{"workspace", {request.principal.tenant, workspace->id}};
  if (note) {
    const auto noted = NoteAudit(api, request, {.outcome = "applied", .ref = ref});
    if (!noted) return ErrorResponse(noted.error());
  }
  return Switch(request, protocol,
                make({.host = workspace->host,
                      .unit = UnitName(workspace->id),
                      .request_id = request.request_id,
                      .place = std::move(place),
                      .presence = std::move(presence)}));
}

// The same for what runs in it, or is reached there.
Response BeginStream(
    ApiContext& api, const Request& request, const char* protocol,
    const Result<Workspace>& workspace,
    const std::function<std::unique_ptr<Session>(a4c::HostStreams&, SessionSubject)>& make) {
  auto* streams = api.hosts == nullptr ? nullptr : api.hosts->As<a4c::HostStreams>();
  if (streams == nullptr) {
    return ErrorResponse(
        Error(Code::kUnsupported, "the host provider has no way into its workspaces"));
  }
  return BeginSession(api, request, protocol, workspace, true,
                      [&](SessionSubject subject) { return make(*streams, std::move(subject)); });
}

Result<int> PortOf(const Request& request) {
  const std::string& text = request.Query("port");
  int port = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool whole = error == std::errc() && at == text.data() + text.size();
  if (whole && port >= 1 && port <= 65535) return port;
  return Error(Code::kInvalid, "port is a whole number from 1 to 65535");
}

}  // namespace

Response ExecInWorkspace(ApiContext& api, Request& request) {
  return BeginStream(api, request, kExecProtocol, FindRunning(api, request),
                     [&](a4c::HostStreams& streams, SessionSubject subject) {
                       return NewCommandSession(api.runtime, RulesOf(api.settings), streams,
                                                std::move(subject));
                     });
}

Response ForwardToWorkspace(ApiContext& api, Request& request) {
  const Result<Workspace> workspace = FindRunning(api, request);
  const Result<int> port = PortOf(request);
  if (workspace && !port) return ErrorResponse(port.error());
  return BeginStream(api, request, kForwardProtocol, workspace,
                     [&](a4c::HostStreams& streams, SessionSubject subject) {
                       return NewForwardSession(api.runtime, RulesOf(api.settings), streams,
                                                std::move(subject), *port);
                     });
}

Response FollowWorkspaceLogs(ApiContext& api, Request& request) {
  auto* logs = api.hosts == nullptr ? nullptr : api.hosts->As<a4c::HostLogs>();
  if (logs == nullptr) {
    return ErrorResponse(Error(Code::kUnsupported, "the host provider keeps no logs"));
  }
  const Result<LogCut> cut = ReadLogCut(request, api.database.NowMs());
  if (!cut) return ErrorResponse(cut.error());
  const Result<Workspace> workspace = FindPlaced(api, request);
  Result<std::string> from = std::string();
  if (workspace) {
    from = FindUnitLogStart(api.CallFor(request), *api.hosts, *workspace, request, *cut);
  }
  if (!from) return ErrorResponse(from.error());
  return BeginSession(api, request, kLogsProtocol, workspace, false, [&](SessionSubject subject) {
    return NewLogSession(api.runtime, RulesOf(api.settings), *logs, std::move(subject),
                         {.from = *from, .is_new = cut->since_ms.has_value(), .lines = cut->lines});
  });
}

}  // namespace a4cd
