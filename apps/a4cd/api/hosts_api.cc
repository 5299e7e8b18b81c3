#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "apps/a4cd/api/commit.h"
#include "apps/a4cd/api/handlers.h"
#include "apps/a4cd/api/problem.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Expect;
using a4c::Host;
using a4c::Json;
using a4c::Record;
using a4c::Result;

a4c::RecordRef HostRef(const std::string& id) {
  return {"host", {"", id}};
}

Result<std::vector<Host>> AllHosts(ApiContext& api, const Request& request) {
  if (api.hosts == nullptr) {
    return Error(Code::kUnsupported, "this instance has no host provider", "set hosts.plugin");
  }
  return api.hosts->Hosts(api.CallFor(request));
}

// What operators said of a server; null: nothing.
Result<std::optional<Record>> HostRecord(ApiContext& api, const Request& request,
                                         const std::string& id) {
  const a4c::RecordRef ref = HostRef(id);
  A4C_TRY(a4c::GetAnswer answer, api.database.Get(api.CallFor(request), std::span(&ref, 1)));
  return std::move(answer.records.at(0));
}

Result<Json> HostView(ApiContext& api, const Request& request, const Host& host) {
  A4C_TRY(const std::optional<Record> record, HostRecord(api, request, host.id));
  Json said;
  if (record) {
    A4C_TRY(said, a4c::ParseJson(record->body));
  }
  Json view(Json::Object{{"id", host.id}, {"reachable", host.reachable}});
  if (!host.reason.empty()) view.AppendMember("reason", host.reason);
  view.AppendMember("cordoned", said["cordoned"].Bool());
  view.AppendMember("draining", said["draining"].Bool());
  view.AppendMember("disk_total_bytes", host.disk_total_bytes);
  view.AppendMember("disk_used_bytes", host.disk_used_bytes);
  view.AppendMember("disk_free_bytes", host.disk_free_bytes);
  view.AppendMember("memory_total_bytes", host.memory_total_bytes);
  view.AppendMember("cpu_total_millis", host.cpu_total_millis);
  view.AppendMember("age_ms", host.age_ms);
  return view;
}

Result<Host> FindHost(ApiContext& api, const Request& request) {
  A4C_TRY(const std::vector<Host> hosts, AllHosts(api, request));
  const auto found = std::ranges::find(hosts, request.Param("id"), &Host::id);
  if (found != hosts.end()) return *found;
  return Error(Code::kNotFound, "there is no server " + request.Param("id"),
               "list them: a4c host list");
}

Result<PreparedWrite> Mark(ApiContext& api, const Request& request, bool cordoned, bool draining) {
  A4C_TRY(const Host host, FindHost(api, request));
  A4C_TRY(const std::optional<Record> record, HostRecord(api, request, host.id));
  Json body(Json::Object{});
  if (record) {
    A4C_TRY(body, a4c::ParseJson(record->body));
  }
  body.Set("cordoned", cordoned);
  body.Set("draining", draining);
  body.Set("by", request.principal.key_id);
  PreparedWrite write;
  write.commit.changes.push_back({.ref = HostRef(host.id),
                                  .body = body.ToString(),
                                  .expect = record ? Expect::Rev(record->rev) : Expect::Absent()});
  write.id = host.id;
  write.rev = record ? record->rev + 1 : 1;
  write.view = Json::Object{{"id", host.id}, {"cordoned", cordoned}, {"draining", draining}};
  write.decide_again = true;
  return write;
}

}  // namespace

Response ListHosts(ApiContext& api, Request& request) {
  const Result<std::vector<Host>> hosts = AllHosts(api, request);
  if (!hosts) return ErrorResponse(hosts.error());
  Json items(Json::Array{});
  for (const Host& host : *hosts) {
    Result<Json> view = HostView(api, request, host);
    if (!view) return ErrorResponse(view.error());
    items.Append(*std::move(view));
  }
  return JsonResponse(200, Json::Object{{"items", std::move(items)}});
}

Response GetHost(ApiContext& api, Request& request) {
  const Result<Host> host = FindHost(api, request);
  if (!host) return ErrorResponse(host.error());
  const Result<Json> view = HostView(api, request, *host);
  return view ? JsonResponse(200, *view) : ErrorResponse(view.error());
}

Response AddHost(ApiContext&, Request&) {
  return ErrorResponse(
      Error(Code::kUnsupported,
            "servers cannot be added through the API yet: the host provider takes them, with their "
            "pinned fingerprints, from its config",
            "add the server to hosts.config and restart the instances one by one"));
}

Response CordonHost(ApiContext& api, Request& request) {
  return MakeWrite(api, request, {}, [&] { return Mark(api, request, true, false); });
}

Response UncordonHost(ApiContext& api, Request& request) {
  return MakeWrite(api, request, {}, [&] { return Mark(api, request, false, false); });
}

Response DrainHost(ApiContext& api, Request& request) {
  return MakeWrite(api, request, {}, [&] { return Mark(api, request, true, true); });
}

}  // namespace a4cd
