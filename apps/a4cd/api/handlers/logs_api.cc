// What jobs have logged and workspaces have written: a page, the end of it, or as it grows.
// logs:follow of a workspace is a session: sessions_api.cc.
#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "a4c/host_extensions.h"
#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/api/log_query.h"
#include "apps/a4cd/api/problem.h"
#include "apps/a4cd/api/query_rules.h"
#include "apps/a4cd/sessions/log_tail.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;

constexpr int64_t kLogBytesMax = 1 << 20;

// The log of a job while it is being written: its text alone, or events that say where they are
// and how the job has ended.
class JobLogSource final : public StreamSource {
 public:
  JobLogSource(JobService& jobs, std::string tenant, std::string id, const LogStart& from,
               bool as_events)
      : jobs_(jobs),
        tenant_(std::move(tenant)),
        id_(std::move(id)),
        from_(from),
        as_events_(as_events) {}

  Result<Piece> Next(const a4c::Call& call) override {
    // The state is read first: what is logged before a job ends is there once it has ended.
    A4C_TRY(const Job job, jobs_.Get(call, tenant_, id_));
    A4C_TRY(LogPage page, jobs_.Logs(call, tenant_, id_, from_.seq));
    const bool last = job.finished() && page.next == from_.seq;
    page.text.erase(0, from_.skip);
    from_ = {.seq = page.next};
    if (as_events_) page.text = EventsOf(page, last, job, call.clock.MonotonicMs());
    return Piece{std::move(page.text), last};
  }

 private:
  std::string EventsOf(const LogPage& page, bool last, const Job& job, int64_t now_ms) {
    std::string events;
    if (!page.text.empty()) {
      events += "id: " + std::to_string(page.next) +
                "\ndata: " + Json(Json::Object{{"text", page.text}}).ToString() + "\n\n";
    }
    if (last) {
      const std::string state(JobStateName(job.state));
      events += "event: end\ndata: " + Json(Json::Object{{"state", state}}).ToString() + "\n\n";
    }
    if (events.empty() && now_ms >= sign_at_ms_) events = kSignOfLife;
    if (!events.empty()) sign_at_ms_ = now_ms + kSignOfLifeMs;
    return events;
  }

  JobService& jobs_;
  const std::string tenant_;
  const std::string id_;
  LogStart from_;
  const bool as_events_;
  int64_t sign_at_ms_ = 0;  // the first answer says that it is open
};

// A client that was there says where by the id of the last event it has got.
const std::string& LogPositionOf(const Request& request) {
  const std::string& position = request.Header("Last-Event-ID");
  return position.empty() ? request.Query("from") : position;
}

Result<LogStart> StartOfJobLog(ApiContext& api, const Request& request, const std::string& id) {
  const std::string& after = LogPositionOf(request);
  LogStart from;
  const char* end = after.data() + after.size();
  const auto [at, error] = std::from_chars(after.data(), end, from.seq);
  if (!after.empty() && (error != std::errc() || at != end || from.seq < 0)) {
    return Error(Code::kInvalid, "from is the number in A4C-Log-Next");
  }
  A4C_TRY(const LogCut cut, ReadLogCut(request, api.database.NowMs()));
  const a4c::Call call = api.CallFor(request);
  A4C_CHECK(api.jobs.Get(call, request.principal.tenant, id));
  if (cut.empty() || !request.Header("Last-Event-ID").empty()) return from;
  return FindLogStart(call, api.database, request.principal.tenant, id, cut);
}

}  // namespace

Response GetJobLogs(ApiContext& api, Request& request) {
  const std::string& id = request.Param("id");
  const Result<LogStart> from = StartOfJobLog(api, request, id);
  if (!from) return ErrorResponse(from.error());
  if (Flag(request, "follow")) {
    const bool as_events = request.Header("Accept").starts_with("text/event-stream");
    Response response = TextResponse(200, "");
    if (as_events) response.content_type = "text/event-stream";
    response.Add("Cache-Control", "no-store");
    response.stream =
        std::make_unique<JobLogSource>(api.jobs, request.principal.tenant, id, *from, as_events);
    return response;
  }
  Result<LogPage> page =
      api.jobs.Logs(api.CallFor(request), request.principal.tenant, id, from->seq);
  if (!page) return ErrorResponse(page.error());
  page->text.erase(0, from->skip);
  Response response = TextResponse(200, std::move(page->text));
  response.Add("A4C-Log-Next", std::to_string(page->next));
  return response;
}

Response GetWorkspaceLogs(ApiContext& api, Request& request) {
  const Result<LogCut> cut = ReadLogCut(request, api.database.NowMs());
  if (!cut) return ErrorResponse(cut.error());
  const a4c::Call call = api.CallFor(request);
  const Result<Workspace> workspace =
      api.jobs.FindWorkspace(call, request.principal.tenant, request.Param("id"));
  if (!workspace) return ErrorResponse(workspace.error());
  if (workspace->host.empty()) {
    return ErrorResponse(Error(Code::kConflict, "the workspace is on no server yet",
                               "see its job: a4c job list -q workspace:" + workspace->id));
  }
  auto* logs = api.hosts == nullptr ? nullptr : api.hosts->As<a4c::HostLogs>();
  if (logs == nullptr) {
    return ErrorResponse(Error(Code::kUnsupported, "the host provider keeps no logs"));
  }
  const std::string unit = UnitName(workspace->id);
  const Result<std::string> from = FindUnitLogStart(call, *api.hosts, *workspace, request, *cut);
  if (!from) return ErrorResponse(from.error());
  Result<a4c::LogPage> page =
      cut->lines ? ReadLogTail(call, *logs, workspace->host, unit, *from, *cut->lines)
                 : logs->Read(call, workspace->host, unit, *from, kLogBytesMax);
  if (!page) return ErrorResponse(page.error());
  Response response = TextResponse(200, std::move(page->bytes));
  response.Add("A4C-Log-Next", page->next);
  return response;
}

}  // namespace a4cd
