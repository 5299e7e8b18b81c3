#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "a4c/sinks.h"
#include "apps/a4cd/api/commit.h"
#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/api/handlers/host_changes.h"
#include "apps/a4cd/api/list_filter.h"
#include "apps/a4cd/api/problem.h"
#include "apps/a4cd/api/query_rules.h"
#include "apps/a4cd/hosts/drain_loop.h"
#include "apps/a4cd/jobs/map_change.h"
#include "apps/a4cd/jobs/room_waits.h"
#include "apps/a4cd/jobs/snapshot.h"
#include "apps/a4cd/worker.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Expect;
using a4c::Json;
using a4c::Record;
using a4c::Result;

constexpr std::string_view kYesNo[] = {"true", "false"};
constexpr FilterMember kFilterMembers[] = {
    {"reachable", kYesNo}, {"cordoned", kYesNo}, {"draining", kYesNo}};

constexpr size_t kStuckShownMax = 100;
constexpr int kReservationsPage = 500;

Result<std::vector<HostRecord>> AllHosts(ApiContext& api, const Request& request) {
  if (api.worker == nullptr) return NoHosts();
  return api.worker->disks().Hosts(api.CallFor(request));
}

struct HostMarks {
  bool cordoned = false;
  bool draining = false;
  bool drains_volumes = false;
};

Response Mark(ApiContext& api, Request& request, const HostMarks& marks) {
  return MakeWrite(api, request, {}, [&]() -> Result<PreparedWrite> {
    A4C_TRY(const HostRecord host, FindHost(api, request));
    HostRecord after = host;
    after.cordoned = marks.cordoned;
    after.draining = marks.draining;
    after.drains_volumes = marks.drains_volumes;
    return HostWrite(api, host, std::move(after), request);
  });
}

Result<PreparedWrite> PrepareLabels(ApiContext& api, const Request& request,
                                    const MapChange& change) {
  A4C_TRY(const HostRecord host, FindHost(api, request));
  HostRecord after = host;
  after.labels = change.Of(host.labels);
  if (after.labels.size() > kEntriesMax) {
    return Error(Code::kInvalid, "the server would have more than 64 labels",
                 "remove some: a4c host label " + host.id + " NAME-");
  }
  return HostWrite(api, host, std::move(after), request);
}

// Of what holds room there what is neither a workspace of the server nor a job.
Result<int64_t> SnapshotsOn(ApiContext& api, const Request& request, const std::string& host,
                            const std::vector<Record>& workspaces) {
  std::set<std::string_view> others;
  for (const Record& record : workspaces) others.insert(record.ref.key.id);
  std::vector<a4c::RecordRef> refs;
  a4c::ScanRequest scan{
      .kind = "reservation", .index = "by_host", .prefix = {host}, .limit = kReservationsPage};
  do {
    A4C_TRY(const a4c::ScanAnswer page, api.database.Scan(api.CallFor(request), scan));
    for (const Record& record : page.records) {
      A4C_TRY(const Json body, a4c::ParseJson(record.body));
      const std::string& id = body["workspace"].Text();
      if (!id.empty() && !others.contains(id))
        refs.push_back(SnapshotRef(body["tenant"].Text(), id));
    }
    scan.after = page.next;
  } while (!scan.after.empty());
  if (refs.empty()) return 0;
  A4C_TRY(const a4c::GetAnswer found, api.database.Get(api.CallFor(request), refs));
  return std::ranges::count_if(found.records, [](const std::optional<Record>& record) {
    return record && !record->tombstone;
  });
}

// What keeps a server that is drained from being empty, for whom it is not a secret.
Result<void> AddWorkspaces(ApiContext& api, const Request& request, const HostRecord& host,
                           Json& view) {
  A4C_TRY(const std::vector<Record> records,
          WorkspacesOn(api.CallFor(request), api.database, host.id));
  view.AppendMember("workspaces", static_cast<int64_t>(records.size()));
  A4C_TRY(const int64_t snapshots, SnapshotsOn(api, request, host.id, records));
  view.AppendMember("snapshots", snapshots);
  if (!host.draining) return {};
  view.AppendMember("drained", records.empty());
  Json staying(Json::Array{});
  int64_t staying_count = 0;
  for (const Record& record : records) {
    const Result<Workspace> workspace = WorkspaceOf(record);
    const std::string why =
        workspace ? WhyItStays(*workspace, host.drains_volumes) : "its record cannot be read";
    if (why.empty()) continue;
    ++staying_count;
    const bool is_shown =
        record.ref.key.scope == request.principal.tenant && staying.Items().size() < kStuckShownMax;
    if (!is_shown) continue;
    staying.Append(Json::Object{
        {"id", record.ref.key.id}, {"name", workspace ? workspace->name : ""}, {"reason", why}});
  }
  view.AppendMember("staying", std::move(staying));
  view.AppendMember("staying_count", staying_count);
  return {};
}

}  // namespace

Error NoHosts() {
  return Error(Code::kUnsupported, "this instance has no host provider", "set hosts.plugin");
}

Result<HostRecord> FindHost(ApiContext& api, const Request& request) {
  if (api.worker == nullptr) return NoHosts();
  return api.worker->disks().Find(api.CallFor(request), request.Param("id"));
}

PreparedWrite HostWrite(ApiContext& api, const HostRecord& before, HostRecord after,
                        const Request& request) {
  after.updated_at = api.database.NowMs();
  after.by = request.principal.key_id;
  PreparedWrite write;
  write.commit.changes.push_back(
      {.ref = HostRef(after.id), .body = HostBody(after), .expect = Expect::Rev(before.rev)});
  after.rev = before.rev + 1;
  write.id = after.id;
  write.rev = after.rev;
  write.view = HostView(after);
  write.decide_again = true;
  return write;
}

void WakeRoomWaiters(ApiContext& api) {
  const Result<void> woken = WakeRoomWaits(
      a4c::Call::Within(api.runtime.clock, api.settings.request_timeout_ms), api.database);
  if (woken) return;
  api.runtime.log.Write(a4c::LogLevel::kWarning, "hosts", "jobs that wait for room were not woken",
                        {{"error", woken.error().ToString()}});
}

Response ListHosts(ApiContext& api, Request& request) {
  const Result<ListFilter> filter = ListFilter::Of(request, kFilterMembers);
  if (!filter) return ErrorResponse(filter.error());
  const Result<std::vector<HostRecord>> hosts = AllHosts(api, request);
  if (!hosts) return ErrorResponse(hosts.error());
  Json items(Json::Array{});
  for (const HostRecord& host : *hosts) {
    Json view = HostView(host);
    if (filter->Takes(view)) items.Append(std::move(view));
  }
  return JsonResponse(200, Json::Object{{"items", std::move(items)}});
}

Response GetHost(ApiContext& api, Request& request) {
  const Result<HostRecord> host = FindHost(api, request);
  if (!host) return ErrorResponse(host.error());
  Json view = HostView(*host);
  if (const Result<void> added = AddWorkspaces(api, request, *host, view); !added) {
    return ErrorResponse(added.error());
  }
  Response response = JsonResponse(200, view);
  response.Add("ETag", ETag(host->rev));
  return response;
}

Response CordonHost(ApiContext& api, Request& request) {
  return Mark(api, request, {.cordoned = true});
}

Response UncordonHost(ApiContext& api, Request& request) {
  return Mark(api, request, {});
}

Response LabelHost(ApiContext& api, Request& request) {
  const Result<Json> body = ParseBody(api, request.body);
  if (!body) return ErrorResponse(body.error());
  Faults faults;
  FieldReader fields(*body, "", faults);
  const MapChange change = ReadMapChange(fields);
  fields.RefuseOthers();
  if (!faults.empty()) return FaultsResponse(std::move(faults));
  Response response =
      MakeWrite(api, request, {}, [&] { return PrepareLabels(api, request, change); });
  if (response.status == 200) WakeRoomWaiters(api);
  return response;
}

Response DrainHost(ApiContext& api, Request& request) {
  return Mark(
      api, request,
      {.cordoned = true, .draining = true, .drains_volumes = Flag(request, "with_volumes")});
}

}  // namespace a4cd
