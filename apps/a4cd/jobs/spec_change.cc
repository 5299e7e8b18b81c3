#include "apps/a4cd/jobs/spec_change.h"

#include <algorithm>
#include <utility>

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;

constexpr const char* kMembers[] = {"image", "env",  "secrets", "memory",   "cpu_millis",
                                    "disk",  "pids", "restart", "on_drain", "labels"};

// A member that is said, and is wrong, has a fault of its own.
bool IsSaid(const Json& value) {
  if (value.IsText()) return !value.Text().empty();
  return !value.IsNull() && !(value.IsInt() && value.Int() == 0);
}

// None: it is not said.
std::optional<int64_t> DurationOrNever(FieldReader& fields, const char* name) {
  const Json& value = fields.Any(name);
  if (value.IsNull()) return std::nullopt;
  return value.Text() == "never" ? 0 : fields.DurationMs(name);
}

MapChange ReadChange(const Json& value, const std::string& pointer, Faults& faults) {
  if (value.IsNull()) return {};
  FieldReader fields(value, pointer, faults);
  MapChange change = ReadMapChange(fields);
  fields.RefuseOthers();
  return change;
}

void CheckVariables(const SpecChange& change, FieldReader& fields) {
  for (const auto& [variable, secret] : change.secrets.set) {
    if (!change.env.set.contains(variable)) continue;
    fields.Add("secrets", "\"" + variable + "\" is set in env too");
  }
}

Result<void> CheckCount(size_t count, const char* what, const char* option,
                        const Workspace& workspace) {
  if (count <= kEntriesMax) return {};
  return Error(Code::kInvalid,
               std::string(what) + ": the workspace would have more than 64 of them",
               "remove some: a4c workspace update " + workspace.name + " " + option + " NAME-");
}

}  // namespace

bool SpecChange::ChangesUnit() const {
  return !image.empty() || command || !env.empty() || !secrets.empty() || memory_bytes != 0 ||
         cpu_millis != 0 || disk_bytes != 0 || pids != 0;
}

Result<void> SpecChange::Check(const Workspace& workspace) const {
  if (disk_bytes != 0 && disk_bytes < workspace.disk_bytes) {
    return Error(Code::kInvalid,
                 "disk: it has " + std::to_string(workspace.disk_bytes) +
                     " bytes already, and a disk only grows",
                 "make another workspace for less, and copy what you need");
  }
  Workspace after = workspace;
  To(after, 0);
  if (after.image.empty() && after.command.empty()) {
    return Error(Code::kInvalid, "command: without an image there has to be one",
                 R"(for example ["sleep", "600"])");
  }
  return CheckBounds(workspace);
}

Result<void> SpecChange::CheckBounds(const Workspace& workspace) const {
  Workspace after = workspace;
  To(after, 0);
  if (!SecretsFit(after)) {
    return Error(Code::kInvalid, "secrets: they would be too many",
                 "remove some: a4c workspace update " + workspace.name + " --secret NAME-");
  }
  A4C_CHECK(CheckCount(after.labels.size(), "labels", "--label", workspace));
  A4C_CHECK(CheckCount(after.env.size(), "env", "--env", workspace));
  return CheckCount(after.secrets.size(), "secrets", "--secret", workspace);
}

void SpecChange::To(Workspace& workspace, int64_t asked_at_ms) const {
  if (command) workspace.command = *command;
  workspace.env = env.Of(std::move(workspace.env));
  workspace.secrets = secrets.Of(std::move(workspace.secrets));
  for (const auto& [variable, value] : env.set) workspace.secrets.erase(variable);
  for (const auto& [variable, secret] : secrets.set) workspace.env.erase(variable);
  if (!image.empty()) {
    workspace.image = image;
    workspace.image_digest = image_digest;
  }
  if (memory_bytes != 0) workspace.memory_bytes = memory_bytes;
  if (cpu_millis != 0) workspace.cpu_millis = cpu_millis;
  // A disk only grows, also if another update made it larger since this one was asked for.
  workspace.disk_bytes = std::max(workspace.disk_bytes, disk_bytes);
  if (pids != 0) workspace.pids = pids;
  if (ttl_ms) workspace.expires_at = *ttl_ms == 0 ? 0 : asked_at_ms + *ttl_ms;
  if (idle_stop_ms) workspace.idle_stop_ms = *idle_stop_ms;
  if (!restart.empty()) workspace.restart = restart;
  if (!on_drain.empty()) workspace.on_drain = on_drain;
  workspace.labels = labels.Of(std::move(workspace.labels));
}

SpecChange ReadSpecChange(FieldReader& fields, const std::string& pointer, Faults& faults) {
  SpecChange change;
  change.image = fields.Text("image", {.bytes_max = 512});
  change.memory_bytes = fields.Bytes("memory");
  change.cpu_millis = fields.Long("cpu_millis", {.max = 1'000'000});
  change.disk_bytes = fields.Bytes("disk");
  change.pids = fields.Long("pids", {.max = 1'000'000});
  change.ttl_ms = DurationOrNever(fields, "ttl");
  CheckTtl(change.ttl_ms.value_or(0), fields);
  change.idle_stop_ms = DurationOrNever(fields, "idle_stop");
  CheckIdleStop(change.idle_stop_ms.value_or(0), fields);
  change.restart = ReadRestart(fields);
  change.on_drain = ReadOnDrain(fields);
  change.labels = ReadChange(fields.Any("labels"), Pointer(pointer, "labels"), faults);
  change.env = ReadChange(fields.Any("env"), Pointer(pointer, "env"), faults);
  change.secrets = ReadChange(fields.Any("secrets"), Pointer(pointer, "secrets"), faults);
  CheckVariables(change, fields);
  if (!fields.Any("command").IsNull()) change.command = fields.Arguments("command");
  const bool is_said =
      change.ttl_ms || change.idle_stop_ms || change.command ||
      std::ranges::any_of(kMembers, [&](const char* name) { return IsSaid(fields.Any(name)); });
  if (!is_said) {
    fields.Add("image", "is missing, as is all else that can be changed: one has to be said",
               R"(for example {"memory": "2GiB"} or {"ttl": "8h"})");
  }
  return change;
}

}  // namespace a4cd
