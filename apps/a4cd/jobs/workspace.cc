#include "apps/a4cd/jobs/workspace.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "apps/a4cd/jobs/constraints.h"
#include "apps/a4cd/jobs/job.h"
#include "apps/a4cd/jobs/texts.h"

namespace a4cd {
namespace {

using a4c::Json;

constexpr size_t kSecretsBytesMax = 4'096;  // of a label

// Sessions are refreshed once a minute at the latest.
constexpr int64_t kIdleStopMinMs = 2 * 60'000;
constexpr int64_t kTtlMaxMs = 100LL * 365 * 24 * 3'600'000;  // a century

// What body and view have in common.
Json Common(const Workspace& workspace) {
  Json json(Json::Object{});
  json.AppendMember("name", workspace.name);
  json.AppendMember("image", workspace.image);
  if (!workspace.image_digest.empty()) {
    json.AppendMember("image_digest", workspace.image_digest);
  }
  json.AppendMember("command", ListJson(workspace.command));
  json.AppendMember("env", MapJson(workspace.env));
  json.AppendMember("secrets", MapJson(workspace.secrets));
  json.AppendMember("labels", MapJson(workspace.labels));
  json.AppendMember("memory_bytes", workspace.memory_bytes);
  json.AppendMember("cpu_millis", workspace.cpu_millis);
  json.AppendMember("disk_bytes", workspace.disk_bytes);
  json.AppendMember("pids", workspace.pids);
  json.AppendMember("wanted_host", workspace.wanted_host);
  if (!workspace.constraints.empty()) {
    json.AppendMember("constraints", ConstraintsJson(workspace.constraints));
  }
  json.AppendMember("on_drain", workspace.on_drain);
  json.AppendMember("restart", workspace.restart);
  json.AppendMember("restarts", workspace.restarts);
  json.AppendMember("desired", workspace.desired);
  json.AppendMember("actual", workspace.actual);
  if (!workspace.host.empty()) json.AppendMember("host", workspace.host);
  if (workspace.idle_stop_ms != 0) json.AppendMember("idle_stop_ms", workspace.idle_stop_ms);
  if (!workspace.also_on.empty()) json.AppendMember("also_on", ListJson(workspace.also_on));
  if (!workspace.restoring.empty()) json.AppendMember("restoring", workspace.restoring);
  if (!workspace.updating.empty()) json.AppendMember("updating", workspace.updating);
  if (!workspace.paused_for.empty()) json.AppendMember("paused_for", workspace.paused_for);
  if (!workspace.lost_with.empty()) json.AppendMember("lost_with", workspace.lost_with);
  json.AppendMember("message", workspace.message);
  json.AppendMember("created_by", workspace.created_by);
  return json;
}

}  // namespace

bool IsWorkspaceName(const std::string& name) {
  const auto fits = [](unsigned char c) { return std::islower(c) || std::isdigit(c) || c == '-'; };
  return !name.empty() && name.size() <= 63 && std::ranges::all_of(name, fits) &&
         name.front() != '-' && name.back() != '-';
}

Workspace ReadWorkspace(const Json& request, const std::string& pointer, int64_t now_ms,
                        Faults& faults) {
  FieldReader fields(request, pointer, faults);
  Workspace workspace;
  workspace.name = fields.Text("name", {.required = true, .bytes_max = 63});
  if (!workspace.name.empty() && !IsWorkspaceName(workspace.name)) {
    fields.Add("name", "has letters a-z, digits and inner hyphens only", "for example \"dev-1\"");
  }
  workspace.image = fields.Text("image", {.bytes_max = 512});
  workspace.command = fields.Arguments("command");
  if (workspace.image.empty() && workspace.command.empty()) {
    fields.Add("command", "is required without an image", "for example [\"sleep\", \"600\"]");
  }
  workspace.env = fields.TextMap("env");
  workspace.secrets = fields.TextMap("secrets");
  for (const auto& [variable, secret] : workspace.secrets) {
    if (workspace.env.contains(variable)) {
      fields.Add("secrets", "\"" + variable + "\" stands in env too");
    }
  }
  if (!SecretsFit(workspace)) fields.Add("secrets", "are too many");
  workspace.labels = fields.TextMap("labels");
  workspace.memory_bytes = fields.Bytes("memory");
  workspace.cpu_millis = fields.Long("cpu_millis", {.max = 1'000'000});
  workspace.disk_bytes = fields.Bytes("disk");
  workspace.pids = fields.Long("pids", {.max = 1'000'000});
  workspace.wanted_host = fields.Text("host", {.bytes_max = 256});
  workspace.constraints = ReadConstraints(fields, pointer + "/constraints", faults);
  if (const std::string on_drain = ReadOnDrain(fields); !on_drain.empty()) {
    workspace.on_drain = on_drain;
  }
  workspace.idle_stop_ms = fields.DurationMs("idle_stop");
  CheckIdleStop(workspace.idle_stop_ms, fields);
  if (const std::string restart = ReadRestart(fields); !restart.empty()) {
    workspace.restart = restart;
  }
  const int64_t ttl_ms = fields.DurationMs("ttl");
  CheckTtl(ttl_ms, fields);
  workspace.created_at = now_ms;
  workspace.updated_at = now_ms;
  if (ttl_ms > 0 && ttl_ms <= kTtlMaxMs) workspace.expires_at = now_ms + ttl_ms;
  fields.RefuseOthers();
  return workspace;
}

namespace {

// Empty: a job of this type changes nothing of it.
std::string_view DesiredBy(std::string_view type) {
  if (type == "workspace.create" || type == "workspace.start") return "running";
  if (type == "workspace.stop") return "stopped";
  return type == "workspace.delete" ? "deleted" : "";
}

}  // namespace

void Intend(std::string_view type, Workspace& workspace) {
  const std::string_view desired = DesiredBy(type);
  if (!desired.empty() && workspace.desired != "deleted") workspace.desired = desired;
}

void Unintend(std::string_view type, Workspace& workspace) {
  if (workspace.removing || workspace.desired != DesiredBy(type)) return;
  const bool is_down = workspace.actual == "stopped" || workspace.actual == "failed";
  workspace.desired = is_down ? "stopped" : "running";
}

a4c::Result<void> CheckNotLost(const Workspace& workspace, std::string_view type,
                               const Json& payload) {
  if (workspace.lost_with.empty()) return {};
  // One that is made, or moved without its files, has nothing to lose.
  const bool is_anew = type == "workspace.create" ||
                       (type == "workspace.move" && !payload["with_volume"].Bool()) ||
                       (type == "workspace.start" && workspace.on_drain == "recreate");
  if (is_anew || type == "workspace.update" || type == "workspace.delete") return {};
  const std::string& name = workspace.name;
  return a4c::Error(a4c::Code::kConflict,
                    "the workspace " + name + " is gone with its server " + workspace.lost_with +
                        ", and what it kept with it",
                    (workspace.on_drain == "recreate"
                         ? ""
                         : "a4c workspace update " + name + " --on-drain recreate, then ") +
                        "a4c workspace start " + name +
                        " begins anew with an empty disk, into which a snapshot " +
                        "can be restored; or a4c workspace delete " + name);
}

std::string ReadRestart(FieldReader& fields) {
  std::string restart = fields.Text("restart", {.bytes_max = 16});
  if (!restart.empty() && restart != "never" && restart != "on_failure" && restart != "always") {
    fields.Add("restart", "is never, on_failure or always");
  }
  return restart;
}

std::string ReadOnDrain(FieldReader& fields) {
  std::string on_drain = fields.Text("on_drain", {.bytes_max = 16});
  if (!on_drain.empty() && on_drain != "keep" && on_drain != "recreate") {
    fields.Add("on_drain", "is keep or recreate");
  }
  return on_drain;
}

void CheckIdleStop(int64_t idle_stop_ms, FieldReader& fields) {
  if (idle_stop_ms != 0 && idle_stop_ms < kIdleStopMinMs) {
    fields.Add("idle_stop", "is at least two minutes", "for example \"30m\"");
  }
}

void CheckTtl(int64_t ttl_ms, FieldReader& fields) {
  if (ttl_ms > kTtlMaxMs) fields.Add("ttl", "is too long", "a hundred years at most");
}

bool SecretsFit(const Workspace& workspace) {
  return SecretsText(workspace).size() <= kSecretsBytesMax;
}

std::string SecretsText(const Workspace& workspace) {
  return MapJson(workspace.secrets).ToString();
}

std::map<std::string, std::string> SecretsOf(const std::string& text) {
  const a4c::Result<Json> parsed = a4c::ParseJson(text);
  return parsed ? MapOf(*parsed) : std::map<std::string, std::string>();
}

const std::string& ImageOf(const Workspace& workspace) {
  return workspace.image_digest.empty() ? workspace.image : workspace.image_digest;
}

std::string WorkspaceBody(const Workspace& workspace) {
  Json body = Common(workspace);
  body.AppendMember("created_at", workspace.created_at);
  body.AppendMember("updated_at", workspace.updated_at);
  if (workspace.expires_at != 0) body.AppendMember("expires_at", workspace.expires_at);
  if (workspace.deleted_at != 0) body.AppendMember("deleted_at", workspace.deleted_at);
  if (workspace.removing) body.AppendMember("removing", true);
  if (workspace.lost_epoch != 0) body.AppendMember("lost_epoch", workspace.lost_epoch);
  if (workspace.anew) body.AppendMember("anew", true);
  return body.ToString();
}

a4c::Result<Workspace> WorkspaceOf(const a4c::Record& record) {
  a4c::Result<Json> parsed = a4c::ParseJson(record.body);
  if (!parsed) return parsed.error().Within("workspace " + record.ref.key.id);
  const Json& body = *parsed;
  Workspace workspace;
  workspace.id = record.ref.key.id;
  workspace.rev = record.rev;
  workspace.name = body["name"].Text();
  workspace.image = body["image"].Text();
  workspace.image_digest = body["image_digest"].Text();
  workspace.command = ListOf(body["command"]);
  workspace.env = MapOf(body["env"]);
  workspace.secrets = MapOf(body["secrets"]);
  workspace.labels = MapOf(body["labels"]);
  workspace.memory_bytes = body["memory_bytes"].Int();
  workspace.cpu_millis = body["cpu_millis"].Int();
  workspace.disk_bytes = body["disk_bytes"].Int();
  workspace.pids = body["pids"].Int();
  workspace.wanted_host = body["wanted_host"].Text();
  workspace.constraints = ConstraintsOf(body["constraints"]);
  if (body["on_drain"].IsText()) workspace.on_drain = body["on_drain"].Text();
  if (body["restart"].IsText()) workspace.restart = body["restart"].Text();
  workspace.restarts = body["restarts"].Int();
  workspace.desired = body["desired"].Text();
  workspace.actual = body["actual"].Text();
  workspace.host = body["host"].Text();
  workspace.message = body["message"].Text();
  workspace.created_at = body["created_at"].Int();
  workspace.updated_at = body["updated_at"].Int();
  workspace.expires_at = body["expires_at"].Int();
  workspace.idle_stop_ms = body["idle_stop_ms"].Int();
  workspace.deleted_at = body["deleted_at"].Int();
  workspace.also_on = ListOf(body["also_on"]);
  workspace.restoring = body["restoring"].Text();
  workspace.updating = body["updating"].Text();
  workspace.paused_for = body["paused_for"].Text();
  workspace.removing = body["removing"].Bool();
  workspace.lost_with = body["lost_with"].Text();
  workspace.lost_epoch = body["lost_epoch"].Int();
  workspace.anew = body["anew"].Bool();
  workspace.created_by = body["created_by"].Text();
  const auto session = record.quiet.find("session_at");
  const auto* at = session == record.quiet.end() ? nullptr : std::get_if<int64_t>(&session->second);
  if (at != nullptr) workspace.session_at = *at;
  return workspace;
}

Json WorkspaceView(const Workspace& workspace) {
  Json view(Json::Object{});
  view.AppendMember("id", workspace.id);
  const Json common = Common(workspace);
  for (const auto& [name, value] : common.Members()) view.AppendMember(name, value);
  view.AppendMember("created_at", TimeText(workspace.created_at));
  view.AppendMember("updated_at", TimeText(workspace.updated_at));
  if (workspace.expires_at != 0) view.AppendMember("expires_at", TimeText(workspace.expires_at));
  if (workspace.session_at != 0) view.AppendMember("session_at", TimeText(workspace.session_at));
  view.AppendMember("rev", workspace.rev);
  return view;
}

std::string UnitName(const std::string& workspace_id) {
  return "ws-" + workspace_id;
}
std::string WorkspaceSubject(const std::string& workspace_id) {
  return "workspace:" + workspace_id;
}

}  // namespace a4cd
