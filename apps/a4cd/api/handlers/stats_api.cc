// What a workspace uses just now, asked of its server.
#include <algorithm>
#include <cmath>
#include <utility>

#include "a4c/host_activity.h"
#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/api/problem.h"
#include "apps/a4cd/hosts/enrolments.h"
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

// What a server says to us, or does not, is no answer to the client's key.
Error OfServer(const std::string& host, const Error& error) {
  const bool is_silent = error.code() == Code::kTimeout || error.code() == Code::kUnavailable ||
                         error.code() == Code::kDenied;
  if (!is_silent) return error;
  return Error(Code::kUnavailable, "the server " + host + " does not answer: " + error.message(),
               "try again; see what is wrong with it: a4c host get " + host);
}

struct Use {
  bool is_running = false;
  a4c::UnitActivity now;
  double cpu_percent = -1;  // 100: one core; below 0: unknown
  int64_t read_at_ms = 0;
};

class UseReader {
 public:
  UseReader(ApiContext& api, a4c::HostActivity& activity, const Request& request,
            const Workspace& workspace)
      : api_(api), activity_(activity), workspace_(workspace), call_(api.CallFor(request)) {
    call_.deadline_ms -= std::min(kSparedMs, call_.RemainingMs() / 4);
  }

  Result<Use> Read(int64_t interval_ms) {
    A4C_CHECK(KnowServer());
    A4C_TRY(Use use, ReadOnce());
    if (!use.is_running || interval_ms == 0) return use;
    const int64_t read_ms = call_.clock.MonotonicMs();
    Wait(read_ms + interval_ms);
    A4C_TRY(Use later, ReadOnce());
    const int64_t passed_ms = call_.clock.MonotonicMs() - read_ms;
    const int64_t used_ms = later.now.cpu_ms - use.now.cpu_ms;
    // Started anew in between.
    if (!later.is_running || used_ms < 0 || passed_ms <= 0) return later;
    later.cpu_percent = static_cast<double>(used_ms) * 100 / static_cast<double>(passed_ms);
    return later;
  }

 private:
  // Servers are no tenant's; which one it is, the tenant's own record says.
  Result<void> KnowServer() {
    if (api_.worker == nullptr) return {};
    Call unbound = call_;
    unbound.scopes = nullptr;
    return api_.worker->enrolments().Know(unbound, workspace_.host);
  }

  Result<Use> ReadOnce() {
    Result<std::vector<a4c::UnitActivity>> read =
        activity_.Read(call_, workspace_.host, {UnitName(workspace_.id)});
    if (!read) return OfServer(workspace_.host, read.error());
    Use use{.now = {}, .read_at_ms = api_.runtime.clock.NowMs()};
    use.is_running = !read->empty();
    if (use.is_running) use.now = std::move(read->front());
    return use;
  }

  void Wait(int64_t until_ms) {
    const auto waiter = api_.runtime.threads.NewWaiter();
    a4c::Waiter::Lock lock(*waiter);
    until_ms = std::min(until_ms, call_.deadline_ms);
    while (call_.clock.MonotonicMs() < until_ms) waiter->Wait(until_ms);
  }

  ApiContext& api_;
  a4c::HostActivity& activity_;
  const Workspace& workspace_;
  Call call_;
};

// 0: unknown, or no limit.
void AppendKnown(Json& view, const char* name, int64_t amount) {
  if (amount != 0) view.AppendMember(name, amount);
}

Json UseView(const Workspace& workspace, const Use& use) {
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

}  // namespace

Response GetWorkspaceStats(ApiContext& api, Request& request) {
  const Result<int> interval_ms =
      LimitNamed(request, "interval_ms", kIntervalMs, kIntervalMaxMs, 0);
  if (!interval_ms) return ErrorResponse(interval_ms.error());
  const Result<Workspace> workspace =
      api.jobs.FindWorkspace(api.CallFor(request), request.principal.tenant, request.Param("id"));
  if (!workspace) return ErrorResponse(workspace.error());
  auto* activity = api.hosts == nullptr ? nullptr : api.hosts->As<a4c::HostActivity>();
  if (activity == nullptr) {
    return ErrorResponse(
        Error(Code::kUnsupported, "the host provider does not say what workspaces use"));
  }
  if (workspace->host.empty()) return JsonResponse(200, UseView(*workspace, {}));
  const Result<Use> use = UseReader(api, *activity, request, *workspace).Read(*interval_ms);
  return use ? JsonResponse(200, UseView(*workspace, *use)) : ErrorResponse(use.error());
}

}  // namespace a4cd
