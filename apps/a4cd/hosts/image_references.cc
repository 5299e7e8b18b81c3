#include "apps/a4cd/hosts/image_references.h"

#include <algorithm>
#include <utility>

#include "apps/a4cd/jobs/workspace.h"

namespace a4cd {

using a4c::Call;
using a4c::Result;

namespace {

a4c::ScanRequest ByImage(const std::string& name) {
  return {.kind = "workspace", .index = "by_image", .prefix = {name}, .limit = 1};
}

Result<bool> IsNamed(const Call& call, a4c::Database& database, const std::string& name) {
  A4C_TRY(const a4c::ScanAnswer living, database.Scan(call, ByImage(name)));
  return !living.records.empty();
}

// How long ago the last workspace that named it was deleted; INT64_MAX: none that is still known.
Result<int64_t> IdleMs(const Call& call, a4c::Database& database, const std::string& name) {
  a4c::ScanRequest last = ByImage(name);
  last.tombstones = true;
  last.descending = true;
  A4C_TRY(const a4c::ScanAnswer deleted, database.Scan(call, last));
  if (deleted.records.empty()) return INT64_MAX;
  A4C_TRY(const Workspace workspace, WorkspaceOf(deleted.records[0]));
  if (workspace.deleted_at == 0) return INT64_MAX;
  return std::max<int64_t>(0, deleted.store_time_ms - workspace.deleted_at);
}

}  // namespace

Result<CleanupCandidate> ReadCandidate(const Call& call, a4c::Database& database,
                                       const a4c::HostItem& image) {
  CleanupCandidate candidate{.item = image, .idle_ms = image.age_ms};
  std::vector<std::string> names = image.names;
  names.push_back(image.id);
  for (const std::string& name : names) {
    A4C_TRY(const bool is_named, IsNamed(call, database, name));
    candidate.is_named = candidate.is_named || is_named;
    A4C_TRY(const int64_t idle_ms, IdleMs(call, database, name));
    candidate.idle_ms = std::min(candidate.idle_ms, idle_ms);
  }
  return candidate;
}

}  // namespace a4cd
