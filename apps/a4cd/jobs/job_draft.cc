#include "apps/a4cd/jobs/job_draft.h"

#include <algorithm>

#include "a4c/host_images.h"
#include "a4c/host_provider.h"
#include "a4c/nearest.h"
#include "apps/a4cd/jobs/built_image.h"
#include "apps/a4cd/jobs/job.h"
#include "apps/a4cd/jobs/spec_change.h"
#include "apps/a4cd/jobs/workspace.h"

namespace a4cd {
namespace {

using a4c::Json;

constexpr int64_t kContextBytesMax = 1LL << 40;

// What a4cd itself says in the payload of a job that it makes: where a move began, the snapshot
// that is taken, why an idle workspace is stopped.
constexpr std::string_view kOwnMembers[] = {"/payload/from", "/payload/snapshot",
                                            "/payload/because"};

void CheckWorkspaceCreate(const Json& payload, Faults& faults) {
  ReadWorkspace(payload, "/payload", 0, faults);
}

void CheckWorkspaceNamed(const Json& payload, Faults& faults) {
  FieldReader fields(payload, "/payload", faults);
  fields.Text("workspace", {.required = true, .bytes_max = 256});
  fields.RefuseOthers();
}

void CheckWorkspaceUpdate(const Json& payload, Faults& faults) {
  FieldReader fields(payload, "/payload", faults);
  fields.Text("workspace", {.required = true, .bytes_max = 256});
  ReadSpecChange(fields, "/payload", faults);
  fields.RefuseOthers();
}

void CheckWorkspaceMove(const Json& payload, Faults& faults) {
  FieldReader fields(payload, "/payload", faults);
  fields.Text("workspace", {.required = true, .bytes_max = 256});
  const Json& with_volume = fields.Any("with_volume");
  if (!with_volume.IsNull() && !with_volume.IsBool()) fields.Add("with_volume", "is true or false");
  fields.RefuseOthers();
}

void CheckWorkspaceSnapshot(const Json& payload, Faults& faults) {
  FieldReader fields(payload, "/payload", faults);
  fields.Text("workspace", {.required = true, .bytes_max = 256});
  fields.Text("host", {.bytes_max = 256});
  CheckTtl(fields.DurationMs("ttl"), fields);
  fields.RefuseOthers();
}

void CheckWorkspaceRestore(const Json& payload, Faults& faults) {
  FieldReader fields(payload, "/payload", faults);
  fields.Text("workspace", {.required = true, .bytes_max = 256});
  fields.Text("snapshot", {.required = true, .bytes_max = 256});
  fields.RefuseOthers();
}

void CheckSnapshotDelete(const Json& payload, Faults& faults) {
  FieldReader fields(payload, "/payload", faults);
  fields.Text("snapshot", {.required = true, .bytes_max = 256});
  fields.RefuseOthers();
}

void CheckCommandRun(const Json& payload, Faults& faults) {
  FieldReader fields(payload, "/payload", faults);
  fields.Text("workspace", {.required = true, .bytes_max = 256});
  if (fields.Arguments("command").empty()) {
    fields.Add("command", "is required", "an argv, for example [\"make\", \"test\"]");
  }
  fields.TextMap("env");
  fields.Text("working_dir", {.bytes_max = 4096});
  fields.RefuseOthers();
}

void AddFault(const std::string& pointer, const a4c::Result<void>& checked, Faults& faults) {
  if (!checked) faults.push_back({pointer, checked.error().message(), checked.error().hint()});
}

// How the Dockerfile is read.
void CheckDockerfile(FieldReader& fields, Faults& faults) {
  const auto args = fields.TextMap("build_args", a4c::kBuildArgsMax);
  const size_t faults_before = faults.size();
  for (const auto& [name, value] : args) {
    AddFault(Pointer("/payload/build_args", name), a4c::CheckBuildArg(name, value), faults);
  }
  if (faults.size() == faults_before) {
    AddFault("/payload/build_args", a4c::CheckBuildArgs(args), faults);
  }
  AddFault("/payload/target", a4c::CheckBuildTarget(fields.Text("target")), faults);
  AddFault("/payload/dockerfile", a4c::CheckDockerfilePath(fields.Text("dockerfile")), faults);
  const Json& no_cache = fields.Any("no_cache");
  if (!no_cache.IsNull() && !no_cache.IsBool()) fields.Add("no_cache", "is true or false");
}

void CheckImageBuild(const Json& payload, Faults& faults) {
  FieldReader fields(payload, "/payload", faults);
  fields.Text("tag", {.required = true, .bytes_max = kTagBytesMax});
  // A tar archive in base64: bounded by the body's own limit. None: it is streamed to the job
  // (PUT /v1/jobs/{id}/context).
  fields.Text("context", {.bytes_max = SIZE_MAX});
  fields.Long("context_bytes", {.min = 0, .max = kContextBytesMax});
  fields.Bytes("memory");
  fields.Long("cpu_millis", {.min = 0, .max = 1'000'000});
  const Json& network = fields.Any("network");
  if (!network.IsNull() && !network.IsBool()) fields.Add("network", "is true or false");
  CheckDockerfile(fields, faults);
  fields.Text("host", {.bytes_max = 256});
  fields.Bytes("disk");
  fields.RefuseOthers();
}

void CheckHostCleanup(const Json& payload, Faults& faults) {
  FieldReader fields(payload, "/payload", faults);
  fields.Text("host", {.required = true, .bytes_max = 256});
  const Json& dry_run = fields.Any("dry_run");
  if (!dry_run.IsNull() && !dry_run.IsBool()) fields.Add("dry_run", "is true or false");
  fields.RefuseOthers();
}

void CheckHostAdopt(const Json& payload, Faults& faults) {
  FieldReader fields(payload, "/payload", faults);
  fields.Text("host", {.required = true, .bytes_max = 256});
  for (const auto& [unit, name] : fields.TextMap("units", 256)) {
    if (IsWorkspaceName(name)) continue;
    faults.push_back({Pointer("/payload/units", unit), "is no name of a workspace",
                      "letters a-z, digits and inner hyphens: \"dev-1\""});
  }
  fields.RefuseOthers();
}

void CheckHostPurge(const Json& payload, Faults& faults) {
  FieldReader fields(payload, "/payload", faults);
  fields.Text("host", {.required = true, .bytes_max = 256});
  for (const std::string& unit : fields.TextList("units")) {
    AddFault("/payload/units", a4c::CheckUnitName(unit), faults);
  }
  const Json& dry_run = fields.Any("dry_run");
  if (!dry_run.IsNull() && !dry_run.IsBool()) fields.Add("dry_run", "is true or false");
  fields.RefuseOthers();
}

struct Type {
  const char* name;
  void (*check)(const Json& payload, Faults& faults);
  const char* scope = "";  // see ExtraScopeOf
};
constexpr Type kTypes[] = {{"workspace.create", CheckWorkspaceCreate},
                           {"workspace.start", CheckWorkspaceNamed},
                           {"workspace.stop", CheckWorkspaceNamed},
                           {"workspace.move", CheckWorkspaceMove},
                           {"workspace.update", CheckWorkspaceUpdate},
                           {"workspace.snapshot", CheckWorkspaceSnapshot},
                           {"workspace.restore", CheckWorkspaceRestore},
                           {"snapshot.delete", CheckSnapshotDelete},
                           {"workspace.delete", CheckWorkspaceNamed},
                           {"command.run", CheckCommandRun},
                           {"image.build", CheckImageBuild},
                           {"host.cleanup", CheckHostCleanup, "hosts:admin"},
                           {"host.adopt", CheckHostAdopt, "hosts:admin"},
                           {"host.purge", CheckHostPurge, "hosts:admin"}};

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// Null: there is none of that name.
const Type* TypeOf(std::string_view name) {
  const auto* found =
      std::ranges::find_if(kTypes, [&](const Type& one) { return name == one.name; });
  return found == std::end(kTypes) ? nullptr : found;
}

void CheckPayload(const JobDraft& draft, FieldReader& fields, Faults& faults) {
  if (draft.type.empty()) return;
  if (const Type* type = TypeOf(draft.type)) return type->check(draft.payload, faults);
  const std::string nearest = a4c::Nearest(draft.type, JobTypes());
  fields.Add(
      "type", "is no type of job",
      nearest.empty() ? "one of " + Joined(JobTypes()) : "did you mean \"" + nearest + "\"?");
}

// What begins at once, whatever is asked.
void CheckDelay(const JobDraft& draft, FieldReader& fields) {
  if (draft.delay_ms == 0) return;
  if (draft.type == "snapshot.delete") {
    fields.Add("delay", "cannot be: a snapshot that is to go cannot be restored from then on",
               "give the snapshot a ttl when it is made");
  }
  if (draft.type == "image.build" && draft.payload.Find("context") == nullptr) {
    fields.Add("delay", "cannot be: whoever streams the context does so now",
               "build without a delay, or send a small context in the payload");
  }
}

}  // namespace

const std::vector<std::string>& JobTypes() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const Type& type : kTypes) list.emplace_back(type.name);
    return list;
  }();
  return names;
}

std::string_view ExtraScopeOf(std::string_view type) {
  const Type* found = TypeOf(type);
  return found == nullptr ? "" : found->scope;
}

bool IsUnderstood(std::string_view type, const Json& payload) {
  const Type* known = TypeOf(type);
  if (known == nullptr) return false;
  Faults faults;
  known->check(payload, faults);
  return std::ranges::none_of(faults, [](const Fault& fault) {
    return fault.is_unknown &&
           std::ranges::find(kOwnMembers, fault.pointer) == std::end(kOwnMembers);
  });
}

JobDraft ReadJobDraft(const Json& request, Faults& faults) {
  FieldReader fields(request, "", faults);
  JobDraft draft;
  draft.type = fields.Text("type", {.required = true, .bytes_max = 64});
  draft.title = fields.Text("title", {.bytes_max = 500});
  draft.payload = fields.Any("payload");
  if (draft.payload.IsNull()) draft.payload = Json::Object{};
  draft.labels = fields.TextMap("labels");
  draft.priority = fields.Long("priority", {.fallback = 5, .min = 0, .max = kPriorityMax});
  draft.delay_ms = fields.DurationMs("delay");
  draft.deadline_ms = fields.DurationMs("deadline");
  draft.attempts_max = fields.Long("attempts_max", {.fallback = 3, .min = 1, .max = 100});
  constexpr int64_t kYearMs = 366LL * 24 * 3'600'000;
  if (draft.delay_ms > kYearMs) fields.Add("delay", "is at most a year");
  if (draft.deadline_ms > kYearMs) fields.Add("deadline", "is at most a year");
  if (draft.deadline_ms != 0 && draft.deadline_ms <= draft.delay_ms) {
    fields.Add("deadline", "is over before the delay is",
               "both count from now: deadline is to be the longer one");
  }
  CheckDelay(draft, fields);
  CheckPayload(draft, fields, faults);
  fields.RefuseOthers();
  return draft;
}

}  // namespace a4cd
