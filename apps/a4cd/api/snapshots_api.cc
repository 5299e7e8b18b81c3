#include <utility>

#include "apps/a4cd/api/commit.h"
#include "apps/a4cd/api/handlers.h"
#include "apps/a4cd/api/problem.h"
#include "apps/a4cd/jobs/snapshot.h"

namespace a4cd {
namespace {

using a4c::Json;
using a4c::Result;

// Making, using and deleting one are jobs; the answer is that job.
Response MakeJob(ApiContext& api, Request& request, const char* type, Json payload) {
  JobDraft draft;
  draft.type = type;
  draft.payload = std::move(payload);
  return MakeWrite(api, request, {.status = 202, .location_prefix = "/v1/jobs/"}, [&] {
    return api.jobs.PrepareCreate(api.CallFor(request), request.principal, draft);
  });
}

// The body is the payload but for the workspace, which stands in the path.
Response MakeJobOfBody(ApiContext& api, Request& request, const char* type) {
  const Result<Json> body = ParseBody(api, request.body);
  if (!body) return ErrorResponse(body.error());
  Faults faults;
  if (!body->IsObject()) faults.push_back({"", "is not an object"});
  if (body->Find("workspace") != nullptr) faults.push_back({"/workspace", "stands in the path"});
  if (!faults.empty()) return FaultsResponse(std::move(faults));
  Json payload = *body;
  payload.Set("workspace", request.Param("id"));
  Json draft(Json::Object{{"type", type}});
  draft.AppendMember("payload", payload);
  ReadJobDraft(draft, faults);
  for (Fault& fault : faults) fault.pointer.erase(0, std::string("/payload").size());
  if (!faults.empty()) return FaultsResponse(std::move(faults));
  return MakeJob(api, request, type, std::move(payload));
}

}  // namespace

Response SnapshotOfWorkspace(ApiContext& api, Request& request) {
  return MakeJobOfBody(api, request, "workspace.snapshot");
}

Response RestoreToWorkspace(ApiContext& api, Request& request) {
  return MakeJobOfBody(api, request, "workspace.restore");
}

Response ListSnapshots(ApiContext& api, Request& request) {
  const std::string list = "snapshots/" + request.Query("workspace");
  const Result<int> limit = PageLimit(api, request);
  if (!limit) return ErrorResponse(limit.error());
  const Result<std::string> position = PagePosition(request, list);
  if (!position) return ErrorResponse(position.error());
  const Result<JobService::SnapshotPage> page =
      api.jobs.ListSnapshots(api.CallFor(request), request.principal.tenant,
                             request.Query("workspace"), *position, *limit);
  if (!page) return ErrorResponse(page.error());
  Json items(Json::Array{});
  for (const Snapshot& snapshot : page->snapshots) items.Append(SnapshotView(snapshot));
  Json body(Json::Object{{"items", std::move(items)}});
  Response response;
  AddNext(request, list, page->next, body, response);
  response.body = body.ToString() + "\n";
  return response;
}

Response GetSnapshot(ApiContext& api, Request& request) {
  const Result<Snapshot> snapshot = ReadSnapshot(api.CallFor(request), api.database,
                                                 request.principal.tenant, request.Param("id"));
  if (!snapshot) return ErrorResponse(snapshot.error());
  Response response = JsonResponse(200, SnapshotView(*snapshot));
  response.Add("ETag", ETag(snapshot->rev));
  return response;
}

Response DeleteSnapshot(ApiContext& api, Request& request) {
  return MakeJob(api, request, "snapshot.delete", Json::Object{{"snapshot", request.Param("id")}});
}

}  // namespace a4cd
