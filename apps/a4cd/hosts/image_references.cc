#include "apps/a4cd/hosts/image_references.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "apps/a4cd/jobs/workspace.h"

namespace a4cd {

using a4c::Call;
using a4c::Result;

namespace {

// The ways in which a workspace can have named it: a server says "hello:latest" of what was asked
// for as "hello" or "docker.io/library/hello".
std::vector<std::string> SpellingsOf(const std::string& name) {
  constexpr std::string_view kLatest = ":latest";
  std::vector<std::string> spellings{name};
  if (name.ends_with(kLatest)) {
    spellings.push_back(name.substr(0, name.size() - kLatest.size()));
  }
  const size_t slash = name.find('/');
  const std::string first = name.substr(0, slash);
  const bool has_registry =
      slash != std::string::npos &&
      (first.find_first_of(".:") != std::string::npos || first == "localhost");
  if (has_registry) return spellings;
  for (const std::string& plain : std::vector(spellings)) {
    spellings.push_back("docker.io/" + plain);
    if (slash != std::string::npos) continue;
    spellings.push_back("library/" + plain);
    spellings.push_back("docker.io/library/" + plain);
  }
  return spellings;
}

// An index of workspaces, and what an image is called there.
struct Mention {
  const char* index;
  std::string name;
};

a4c::ScanRequest By(const Mention& mention) {
  return {.kind = "workspace", .index = mention.index, .prefix = {mention.name}, .limit = 1};
}

Result<bool> IsNamed(const Call& call, a4c::Database& database, const Mention& mention) {
  A4C_TRY(const a4c::ScanAnswer living, database.Scan(call, By(mention)));
  return !living.records.empty();
}

// How long ago the last workspace that named it was deleted; INT64_MAX: none that is still known.
Result<int64_t> IdleMs(const Call& call, a4c::Database& database, const Mention& mention) {
  a4c::ScanRequest last = By(mention);
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
  std::vector<Mention> mentions{{"by_image_digest", image.id}, {"by_image", image.id}};
  for (const std::string& name : image.names) {
    for (std::string& spelling : SpellingsOf(name)) {
      mentions.push_back({"by_image", std::move(spelling)});
    }
  }
  for (const Mention& mention : mentions) {
    A4C_TRY(candidate.is_named, IsNamed(call, database, mention));
    if (candidate.is_named) return candidate;  // it stays, however long it was idle
    A4C_TRY(const int64_t idle_ms, IdleMs(call, database, mention));
    candidate.idle_ms = std::min(candidate.idle_ms, idle_ms);
  }
  return candidate;
}

Result<bool> IsMadeOf(const Call& call, a4c::Database& database, const std::string& digest) {
  return IsNamed(call, database, {"by_image_digest", digest});
}

}  // namespace a4cd
