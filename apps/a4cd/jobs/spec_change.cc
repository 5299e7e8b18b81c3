#include "apps/a4cd/jobs/spec_change.h"

#include <algorithm>

namespace a4cd {
namespace {

// A member that is said, and is wrong, has a fault of its own.
bool SaysNothing(FieldReader& fields) {
  for (const char* name : {"image", "memory", "cpu_millis", "disk", "pids"}) {
    const a4c::Json& value = fields.Any(name);
    if (value.IsText() ? !value.Text().empty() : value.Int() != 0) return false;
  }
  return true;
}

}  // namespace

void SpecChange::To(Workspace& workspace) const {
  if (!image.empty()) {
    workspace.image = image;
    workspace.image_digest = image_digest;
  }
  if (memory_bytes != 0) workspace.memory_bytes = memory_bytes;
  if (cpu_millis != 0) workspace.cpu_millis = cpu_millis;
  // A disk only grows, also if another update made it larger since this one was asked for.
  workspace.disk_bytes = std::max(workspace.disk_bytes, disk_bytes);
  if (pids != 0) workspace.pids = pids;
}

SpecChange ReadSpecChange(FieldReader& fields) {
  SpecChange change;
  change.image = fields.Text("image", {.bytes_max = 512});
  change.memory_bytes = fields.Bytes("memory");
  change.cpu_millis = fields.Long("cpu_millis", {.max = 1'000'000});
  change.disk_bytes = fields.Bytes("disk");
  change.pids = fields.Long("pids", {.max = 1'000'000});
  if (SaysNothing(fields)) {
    fields.Add("image", "is missing, as are memory, cpu_millis, disk and pids: one has to be said",
               R"(for example {"memory": "2GiB"})");
  }
  return change;
}

}  // namespace a4cd
