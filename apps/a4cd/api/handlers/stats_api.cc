// What workspaces use just now, asked of their servers: of one, and of many at once.
#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <utility>

#include "a4c/host_activity.h"
#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/api/handlers/workspace_page.h"
#include "apps/a4cd/api/problem.h"
#include "apps/a4cd/hosts/enrolments.h"
#include "apps/a4cd/hosts/use_reader.h"
#include "apps/a4cd/worker.h"

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;

// Between two looks at the processor time; 0: one look, and no share of the processor.
constexpr int kIntervalMs = 500;
constexpr int kIntervalMaxMs = 5'000;
// Of a request's time, for the answer that the server gave none.
constexpr int64_t kSparedMs = 1'000;

// How many may be named.
constexpr size_t kNamedMax = 100;

Result<a4c::HostActivity*> ActivityOf(const ApiContext& api) {
  auto* activity = api.hosts == nullptr ? nullptr : api.hosts->As<a4c::HostActivity>();
  if (activity != nullptr) return activity;
  return Error(Code::kUnsupported, "the host provider does not say what workspaces use");
}

std::vector<Result<WorkspaceUse>> ReadUses(ApiContext& api, const Request& request,
                                           a4c::HostActivity& activity,
                                           std::span<const Workspace> workspaces,
                                           int64_t interval_ms) {
  // Servers are no tenant's; which one it is, the tenant's own record says.
  const auto know = [&api](const Call& call, const std::string& host) -> Result<void> {
    if (api.worker == nullptr) return {};
    Call unbound = call;
    unbound.scopes = nullptr;
    return api.worker->enrolments().Know(unbound, host);
  };
  Call call = api.CallFor(request);
  call.deadline_ms -= std::min(kSparedMs, call.RemainingMs() / 4);
  return UseReader(api.runtime, activity, know).Read(call, workspaces, interval_ms);
}

// 0: unknown, or no limit.
void AppendKnown(Json& view, const char* name, int64_t amount) {
  if (amount != 0) view.AppendMember(name, amount);
}

Json UseView(const Workspace& workspace, const WorkspaceUse& use) {
  Json view(Json::Object{{"id", workspace.id},
                         {"name", workspace.name},
                         {"host", workspace.host},
                         {"actual", workspace.actual},
                         {"running", use.is_running}});
  const int64_t limit_bytes = use.now.memory_limit_bytes;
  AppendKnown(view, "memory_limit_bytes", limit_bytes == 0 ? workspace.memory_bytes : limit_bytes);
  AppendKnown(view, "disk_limit_bytes", workspace.disk_bytes);
  AppendKnown(view, "processes_limit", workspace.pids);
  if (!use.is_running) return view;
  view.AppendMember("cpu_ms", use.now.cpu_ms);
  if (use.cpu_percent >= 0) {
    view.AppendMember("cpu_percent", std::round(use.cpu_percent * 10) / 10);
  }
  AppendKnown(view, "memory_bytes", use.now.memory_bytes);
  AppendKnown(view, "processes", use.now.processes);
  AppendKnown(view, "disk_used_bytes", use.now.disk_used_bytes);
  view.AppendMember("read_at", TimeText(use.read_at_ms));
  return view;
}

Json ProblemView(const Workspace& workspace, const Error& error) {
  Json view(Json::Object{{"id", workspace.id},
                         {"name", workspace.name},
                         {"host", workspace.host},
                         {"actual", workspace.actual}});
  view.AppendMember("problem", ProblemJson(ProblemOf(error)));
  return view;
}

// workspaces=: ids or names, between commas. Which of them are not there is said in `items`.
Result<WorkspacesWanted> NamedWorkspaces(ApiContext& api, const Request& request, Json& items) {
  for (const char* name : {"limit", "cursor", "actual", "desired", "host", "labels"}) {
    if (!request.HasQuery(name)) continue;
    return Error(Code::kInvalid,
                 std::string("workspaces names those that are meant: ") + name + " is for a list");
  }
  const std::vector<std::string> names = BetweenCommas(request.Query("workspaces"));
  if (names.empty() || names.size() > kNamedMax) {
    return Error(Code::kInvalid, "workspaces is 1 to " + std::to_string(kNamedMax) +
                                     " ids or names, with commas between");
  }
  WorkspacesWanted wanted;
  for (const std::string& name : names) {
    Result<Workspace> found =
        api.jobs.FindWorkspace(api.CallFor(request), request.principal.tenant, name);
    if (found) {
      wanted.workspaces.push_back(*std::move(found));
    } else if (found.error().code() == Code::kNotFound || found.error().code() == Code::kInvalid) {
      items.Append(
          Json::Object{{"name", name}, {"problem", ProblemJson(ProblemOf(found.error()))}});
    } else {
      return found.error();
    }
  }
  return wanted;
}

}  // namespace

Response GetWorkspaceStats(ApiContext& api, Request& request) {
  const Result<int> interval_ms =
      LimitNamed(request, "interval_ms", kIntervalMs, kIntervalMaxMs, 0);
  if (!interval_ms) return ErrorResponse(interval_ms.error());
  const Result<Workspace> workspace =
      api.jobs.FindWorkspace(api.CallFor(request), request.principal.tenant, request.Param("id"));
  if (!workspace) return ErrorResponse(workspace.error());
  const auto activity = ActivityOf(api);
  if (!activity) return ErrorResponse(activity.error());
  std::unique_ptr<TenantPlaces::Place> place;  // it waits, for servers too
  if (const auto full = api.places.slow_requests.Enter(request.principal.tenant, place)) {
    return ProblemResponse(*full);
  }
  const Result<WorkspaceUse> use =
      ReadUses(api, request, **activity, std::span(&*workspace, 1), *interval_ms).front();
  return use ? JsonResponse(200, UseView(*workspace, *use)) : ErrorResponse(use.error());
}

Response ListWorkspaceStats(ApiContext& api, Request& request) {
  const Result<int> interval_ms =
      LimitNamed(request, "interval_ms", kIntervalMs, kIntervalMaxMs, 0);
  if (!interval_ms) return ErrorResponse(interval_ms.error());
  const auto activity = ActivityOf(api);
  if (!activity) return ErrorResponse(activity.error());
  std::unique_ptr<TenantPlaces::Place> place;
  if (const auto full = api.places.slow_requests.Enter(request.principal.tenant, place)) {
    return ProblemResponse(*full);
  }
  Json items(Json::Array{});
  const Result<WorkspacesWanted> wanted = request.HasQuery("workspaces")
                                              ? NamedWorkspaces(api, request, items)
                                              : ReadWorkspaces(api, request, "workspaces:stats");
  if (!wanted) return ErrorResponse(wanted.error());
  const std::vector<Workspace>& workspaces = wanted->workspaces;
  const auto uses = ReadUses(api, request, **activity, workspaces, *interval_ms);
  for (size_t i = 0; i < workspaces.size(); ++i) {
    items.Append(uses[i] ? UseView(workspaces[i], *uses[i])
                         : ProblemView(workspaces[i], uses[i].error()));
  }
  Json body(Json::Object{{"items", std::move(items)}});
  AddStaleness(wanted->stale_ms, body);
  return PageResponse(request, wanted->list, wanted->next, std::move(body));
}

}  // namespace a4cd
