// Why a job is where it is, what would be decided now, and which server that would be.
#include "a4c/json.h"
#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/api/list_filter.h"
#include "apps/a4cd/api/problem.h"
#include "apps/a4cd/jobs/constraints.h"
#include "apps/a4cd/jobs/workspace.h"
#include "apps/a4cd/worker.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;

Json ShownPlacement(Json placement) {
  placement.Set("at", TimeText(placement["at"].Int()));
  return placement;
}

// disk=, memory=, cpu_millis=, host=: as in the payload of workspace.create; arch= and
// labels=gpu=yes,zone=b: as in its constraints.
Result<PlacementRequest> AskedFor(const Request& request) {
  Json asked(Json::Object{});
  for (const char* name : {"disk", "memory", "cpu_millis"}) {
    if (request.HasQuery(name)) asked.AppendMember(name, request.Query(name));
  }
  Faults faults;
  Json constraints(Json::Object{{"labels", LabelsOf(request.Query("labels"), faults)}});
  if (request.HasQuery("arch")) constraints.AppendMember("arch", request.Query("arch"));
  asked.AppendMember("constraints", std::move(constraints));
  FieldReader fields(asked, "", faults);
  PlacementRequest placement{
      .amounts = {fields.Bytes("disk"), fields.Bytes("memory"), fields.Bytes("cpu_millis")},
      .constraints = ReadConstraints(fields, "", faults),
      .server = request.Query("host")};
  if (faults.empty()) return placement;
  return Error(Code::kInvalid, "query " + faults[0].pointer.substr(1) + ": " + faults[0].detail,
               faults[0].hint.empty()
                   ? "for example disk=2GiB&cpu_millis=500&arch=amd64&labels=gpu=yes"
                   : faults[0].hint);
}

PlacementRequest RequestOf(const Workspace& workspace) {
  return {.amounts = {workspace.disk_bytes, workspace.memory_bytes, workspace.cpu_millis},
          .constraints = workspace.constraints,
          .server = workspace.wanted_host};
}

Result<Json> Now(ApiContext& api, const Request& request, PlacementRequest asked) {
  asked.amounts = api.worker->reservations().WithDefaults(asked.amounts);
  A4C_TRY(Json now, api.worker->reservations().ExplainNow(api.CallFor(request), asked));
  return ShownPlacement(std::move(now));
}

// The best of them as it stood to the request; the problem says why there is none.
Response Best(const Json& now) {
  if (!now["fits"].Bool()) {
    return ProblemResponse(
        {.status = 409,
         .type = "no-capacity",
         .detail = now["summary"].Text(),
         .hint = now["can_ever_fit"].Bool()
                     ? "each server and its reason: /v1/placement:explain with the same query"
                     : "no server could take it if it were empty: add one, or ask for less"});
  }
  Json best(Json::Object{{"at", now["at"]}, {"request", now["request"]}});
  for (const auto& [name, value] : now["servers"].Items().front().Members()) {
    if (name != "fits") best.AppendMember(name, value);
  }
  return JsonResponse(200, best);
}

Error NoWorker() {
  return Error(Code::kUnsupported, "this instance has no host provider", "set hosts.plugin");
}

Result<Json> OfJob(ApiContext& api, const Request& request) {
  const a4c::Call call = api.CallFor(request);
  const std::string& tenant = request.principal.tenant;
  A4C_TRY(const Job job, api.jobs.Get(call, tenant, request.Query("job")));
  Json view(Json::Object{{"job", job.id}, {"state", JobStateName(job.state)}});
  if (job.placement.IsObject()) {
    view.AppendMember("recorded", ShownPlacement(job.placement));
    return view;
  }
  if (job.type != "workspace.create" && job.type != "workspace.start") {
    return Error(Code::kNotFound, "a " + job.type + " is not placed");
  }
  A4C_TRY(const Workspace workspace, api.jobs.FindWorkspace(call, tenant, job.workspace));
  if (!workspace.host.empty()) {
    view.AppendMember("host", workspace.host);
    return view;
  }
  A4C_TRY(Json now, Now(api, request, RequestOf(workspace)));
  view.AppendMember("now", std::move(now));
  return view;
}

}  // namespace

Response LeastUsedHost(ApiContext& api, Request& request) {
  if (api.worker == nullptr) return ErrorResponse(NoWorker());
  const Result<PlacementRequest> asked = AskedFor(request);
  if (!asked) return ErrorResponse(asked.error());
  const Result<Json> now = Now(api, request, *asked);
  return now ? Best(*now) : ErrorResponse(now.error());
}

Response ExplainPlacement(ApiContext& api, Request& request) {
  if (api.worker == nullptr) return ErrorResponse(NoWorker());
  if (request.HasQuery("job")) {
    const Result<Json> view = OfJob(api, request);
    return view ? JsonResponse(200, *view) : ErrorResponse(view.error());
  }
  const Result<PlacementRequest> asked = AskedFor(request);
  if (!asked) return ErrorResponse(asked.error());
  const Result<Json> view = Now(api, request, *asked);
  return view ? JsonResponse(200, *view) : ErrorResponse(view.error());
}

}  // namespace a4cd
