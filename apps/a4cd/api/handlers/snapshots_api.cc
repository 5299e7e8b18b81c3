#include <utility>

#include "apps/a4cd/api/commit.h"
#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/api/problem.h"
#include "apps/a4cd/jobs/snapshot.h"

namespace a4cd {
namespace {

using a4c::Json;
using a4c::Result;

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
                             request.Query("workspace"), *position, *limit, MayBeOld(request));
  if (!page) return ErrorResponse(page.error());
  Json items(Json::Array{});
  for (const Snapshot& snapshot : page->snapshots) items.Append(SnapshotView(snapshot));
  Json body(Json::Object{{"items", std::move(items)}});
  AddStaleness(page->stale_ms, body);
  return PageResponse(request, list, page->next, std::move(body));
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
