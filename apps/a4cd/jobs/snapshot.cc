#include "apps/a4cd/jobs/snapshot.h"

#include <optional>
#include <span>

#include "apps/a4cd/jobs/job.h"
#include "apps/a4cd/jobs/texts.h"

namespace a4cd {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;

namespace {

// What body and view have in common.
Json Common(const Snapshot& snapshot) {
  Json json(Json::Object{{"workspace", snapshot.workspace},
                         {"workspace_name", snapshot.workspace_name},
                         {"job", snapshot.job},
                         {"state", snapshot.state},
                         {"message", snapshot.message},
                         {"disk_bytes", snapshot.disk_bytes},
                         {"bytes", snapshot.bytes},
                         {"created_by", snapshot.created_by}});
  if (!snapshot.host.empty()) json.AppendMember("host", snapshot.host);
  return json;
}

Error NoSnapshot(const std::string& id) {
  return Error(Code::kNotFound, "there is no snapshot " + id, "list them: a4c snapshot list");
}

}  // namespace

std::string SnapshotBody(const Snapshot& snapshot) {
  Json body = Common(snapshot);
  if (!snapshot.wanted_host.empty()) body.AppendMember("wanted_host", snapshot.wanted_host);
  body.AppendMember("created_at", snapshot.created_at);
  body.AppendMember("updated_at", snapshot.updated_at);
  body.AppendMember("ready_at", snapshot.ready_at);
  body.AppendMember("ttl_ms", snapshot.ttl_ms);
  if (snapshot.expires_at != 0) body.AppendMember("expires_at", snapshot.expires_at);
  if (snapshot.deleted_at != 0) body.AppendMember("deleted_at", snapshot.deleted_at);
  if (!snapshot.restores.empty()) body.AppendMember("restores", ListJson(snapshot.restores));
  return body.ToString();
}

Result<Snapshot> SnapshotOf(const a4c::Record& record) {
  const Result<Json> parsed = a4c::ParseJson(record.body);
  if (!parsed) return parsed.error().Within("snapshot " + record.ref.key.id);
  const Json& body = *parsed;
  return Snapshot{.id = record.ref.key.id,
                  .rev = record.rev,
                  .workspace = body["workspace"].Text(),
                  .workspace_name = body["workspace_name"].Text(),
                  .job = body["job"].Text(),
                  .state = body["state"].Text(),
                  .wanted_host = body["wanted_host"].Text(),
                  .host = body["host"].Text(),
                  .message = body["message"].Text(),
                  .disk_bytes = body["disk_bytes"].Int(),
                  .bytes = body["bytes"].Int(),
                  .created_at = body["created_at"].Int(),
                  .updated_at = body["updated_at"].Int(),
                  .ready_at = body["ready_at"].Int(),
                  .ttl_ms = body["ttl_ms"].Int(),
                  .expires_at = body["expires_at"].Int(),
                  .deleted_at = body["deleted_at"].Int(),
                  .created_by = body["created_by"].Text(),
                  .restores = ListOf(body["restores"])};
}

Json SnapshotView(const Snapshot& snapshot) {
  Json view(Json::Object{});
  view.AppendMember("id", snapshot.id);
  const Json common = Common(snapshot);
  for (const auto& [name, value] : common.Members()) view.AppendMember(name, value);
  view.AppendMember("created_at", TimeText(snapshot.created_at));
  view.AppendMember("updated_at", TimeText(snapshot.updated_at));
  if (snapshot.ready_at != 0) view.AppendMember("ready_at", TimeText(snapshot.ready_at));
  if (snapshot.expires_at != 0) view.AppendMember("expires_at", TimeText(snapshot.expires_at));
  view.AppendMember("rev", snapshot.rev);
  return view;
}

a4c::RecordRef SnapshotRef(const std::string& tenant, const std::string& id) {
  return {"snapshot", {tenant, id}};
}
std::string SnapshotUnitName(const std::string& id) {
  return "snap-" + id;
}
std::string SnapshotSubject(const std::string& id) {
  return "snapshot:" + id;
}

Result<Snapshot> ReadSnapshot(const a4c::Call& call, a4c::Database& database,
                              const std::string& tenant, const std::string& id) {
  const a4c::RecordRef ref = SnapshotRef(tenant, id);
  if (!a4c::CheckKey(ref.key)) return NoSnapshot(id);
  A4C_TRY(const a4c::GetAnswer answer, database.Get(call, std::span(&ref, 1)));
  const std::optional<a4c::Record>& record = answer.records.at(0);
  if (!record || record->tombstone) return NoSnapshot(id);
  return SnapshotOf(*record);
}

a4c::Put SnapshotPut(const std::string& tenant, const Snapshot& snapshot) {
  return {.ref = SnapshotRef(tenant, snapshot.id),
          .body = SnapshotBody(snapshot),
          .tombstone = snapshot.deleted_at != 0,
          .expect = snapshot.rev == 0 ? a4c::Expect::Absent() : a4c::Expect::Rev(snapshot.rev)};
}

}  // namespace a4cd
