#include <map>
#include <utility>

#include "apps/a4cd/api/commit.h"
#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/api/handlers/workspace_page.h"
#include "apps/a4cd/api/list_filter.h"
#include "apps/a4cd/api/problem.h"

namespace a4cd {
namespace {

using a4c::Json;
using a4c::Result;

constexpr std::string_view kDesired[] = {"running", "stopped", "deleted"};
constexpr std::string_view kActual[] = {"pending", "running", "stopped", "failed", "lost"};
constexpr FilterMember kFilterMembers[] = {{"actual", kActual}, {"desired", kDesired}, {"host"}};

Response StepWorkspace(ApiContext& api, Request& request, const char* type) {
  return MakeJob(api, request, type, Json::Object{{"workspace", request.Param("id")}});
}

Result<Workspace> Find(ApiContext& api, const Request& request) {
  return api.jobs.FindWorkspace(api.CallFor(request), request.principal.tenant,
                                request.Param("id"));
}

}  // namespace

Response MakeJob(ApiContext& api, Request& request, const char* type, Json payload) {
  JobDraft draft;
  draft.type = type;
  draft.payload = std::move(payload);
  return MakeWrite(api, request, {.status = 202, .location_prefix = "/v1/jobs/"}, [&] {
    return api.jobs.PrepareCreate(api.CallFor(request), request.principal, draft);
  });
}

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

Response CreateWorkspace(ApiContext& api, Request& request) {
  const Result<Json> body = ParseBody(api, request.body);
  if (!body) return ErrorResponse(body.error());
  Faults faults;
  ReadWorkspace(*body, "", 0, faults);
  if (!faults.empty()) return FaultsResponse(std::move(faults));
  return MakeJob(api, request, "workspace.create", *body);
}

Result<WorkspacesWanted> ReadWorkspaces(ApiContext& api, const Request& request, std::string list) {
  A4C_TRY(const ListFilter filter, ListFilter::Of(request, kFilterMembers));
  WorkspacesWanted wanted{.workspaces = {}, .list = std::move(list) + filter.Name(), .next = {}};
  A4C_TRY(const int limit, PageLimit(api, request));
  A4C_TRY(const std::string position, PagePosition(request, wanted.list));
  std::map<std::string, Workspace, std::less<>> seen;
  const auto read = [&](const std::string& after, int most) -> Result<ViewPage> {
    A4C_TRY(JobService::WorkspacePage page,
            api.jobs.ListWorkspaces(api.CallFor(request), request.principal.tenant, after, most,
                                    MayBeOld(request)));
    ViewPage views{.items = {}, .next = page.next, .stale_ms = page.stale_ms, .bytes = page.bytes};
    for (Workspace& one : page.workspaces) {
      views.items.push_back(WorkspaceView(one));
      seen.insert_or_assign(one.id, std::move(one));
    }
    return views;
  };
  A4C_TRY(const ViewPage page, ReadWanted(filter, position, limit, read));
  for (const Json& item : page.items) {
    wanted.workspaces.push_back(std::move(seen.find(item["id"].Text())->second));
  }
  wanted.next = page.next;
  wanted.stale_ms = page.stale_ms;
  return wanted;
}

Response ListWorkspaces(ApiContext& api, Request& request) {
  const Result<WorkspacesWanted> page = ReadWorkspaces(api, request, "workspaces");
  if (!page) return ErrorResponse(page.error());
  Json items(Json::Array{});
  for (const Workspace& one : page->workspaces) items.Append(WorkspaceView(one));
  Json body(Json::Object{{"items", std::move(items)}});
  AddStaleness(page->stale_ms, body);
  return PageResponse(request, page->list, page->next, std::move(body));
}

Response GetWorkspace(ApiContext& api, Request& request) {
  const Result<Workspace> workspace = Find(api, request);
  if (!workspace) return ErrorResponse(workspace.error());
  Response response = JsonResponse(200, WorkspaceView(*workspace));
  response.Add("ETag", ETag(workspace->rev));
  return response;
}

Response StartWorkspace(ApiContext& api, Request& request) {
  return StepWorkspace(api, request, "workspace.start");
}

Response StopWorkspace(ApiContext& api, Request& request) {
  return StepWorkspace(api, request, "workspace.stop");
}

Response UpdateWorkspace(ApiContext& api, Request& request) {
  return MakeJobOfBody(api, request, "workspace.update");
}

Response DeleteWorkspace(ApiContext& api, Request& request) {
  return StepWorkspace(api, request, "workspace.delete");
}

}  // namespace a4cd
