#include <utility>

#include "apps/a4cd/api/commit.h"
#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/api/problem.h"
#include "apps/a4cd/jobs/snapshot.h"

namespace a4cd {
namespace {

using a4c::Json;
using a4c::Result;

// The id of the workspace of this id or name whose snapshots are asked for; "": of all. Snapshots
// outlive their workspace, whose id goes on to name them.
Result<std::string> WorkspaceAskedFor(ApiContext& api, const Request& request) {
  const std::string given = request.Query("workspace");
  if (given.empty()) return given;
  const a4c::Call call = api.CallFor(request);
  const std::string& tenant = request.principal.tenant;
  const Result<Workspace> found = api.jobs.FindWorkspace(call, tenant, given);
  if (found) return found->id;
  if (found.error().code() != a4c::Code::kNotFound) return found.error();
  A4C_TRY(const JobService::SnapshotPage left,
          api.jobs.ListSnapshots(call, tenant, given, "", 1, MayBeOld(request)));
  if (left.snapshots.empty()) return found.error();
  return given;
}

}  // namespace

Response SnapshotOfWorkspace(ApiContext& api, Request& request) {
  return MakeJobOfBody(api, request, "workspace.snapshot");
}

Response RestoreToWorkspace(ApiContext& api, Request& request) {
  return MakeJobOfBody(api, request, "workspace.restore");
}

Response ListSnapshots(ApiContext& api, Request& request) {
  const Result<std::string> workspace = WorkspaceAskedFor(api, request);
  if (!workspace) return ErrorResponse(workspace.error());
  const std::string list = "snapshots/" + *workspace;
  const Result<int> limit = PageLimit(api, request);
  if (!limit) return ErrorResponse(limit.error());
  const Result<std::string> position = PagePosition(request, list);
  if (!position) return ErrorResponse(position.error());
  const Result<JobService::SnapshotPage> page =
      api.jobs.ListSnapshots(api.CallFor(request), request.principal.tenant, *workspace, *position,
                             *limit, MayBeOld(request));
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
