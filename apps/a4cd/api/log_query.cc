#include "apps/a4cd/api/log_query.h"

#include <string>

#include "a4c/host_extensions.h"
#include "a4c/time_period.h"
#include "apps/a4cd/api/api.h"
#include "apps/a4cd/jobs/fields.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;

Result<int64_t> SinceOf(const std::string& text, int64_t now_ms) {
  if (const auto period = a4c::ParseTimePeriod(text)) return period->start_ms;
  const Json given(Json::Object{{"since", text}});
  Faults faults;
  const int64_t ago_ms = FieldReader(given, "", faults).DurationMs("since");
  if (faults.empty()) return now_ms - ago_ms;
  return Error(Code::kInvalid, "since is a duration or a time",
               "write 30s, 10m, 24h or 7d, or 2026-11-28T10:00:00Z");
}

}  // namespace

Result<LogCut> ReadLogCut(const Request& request, int64_t now_ms) {
  LogCut cut;
  if (request.HasQuery("tail")) {
    A4C_TRY(cut.lines, LimitNamed(request, "tail", 0, kLogLinesMax, 0));
  }
  if (request.HasQuery("since")) {
    A4C_TRY(cut.since_ms, SinceOf(request.Query("since"), now_ms));
  }
  if (!cut.empty() && !request.Query("from").empty()) {
    return Error(Code::kInvalid, "from is where a log goes on, tail and since are where it begins",
                 "give tail and since with the first request, from with those after it");
  }
  return cut;
}

Result<std::string> FindUnitLogStart(const a4c::Call& call, a4c::HostProvider& hosts,
                                     const Workspace& workspace, const Request& request,
                                     const LogCut& cut) {
  if (!cut.since_ms) return request.Query("from");
  auto* times = hosts.As<a4c::HostLogTimes>();
  if (times == nullptr) {
    return Error(Code::kUnsupported, "the lines of a workspace's log have no times here",
                 "ask for the last ones: tail=100 (a4c workspace logs --tail 100)");
  }
  return times->PositionAt(call, workspace.host, UnitName(workspace.id), *cut.since_ms);
}

}  // namespace a4cd
