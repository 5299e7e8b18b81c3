// What workspaces say of an image: the living ones that name it, and the last one that did.
#pragma once

#include <string>
#include <vector>

#include "a4c/collection.h"
#include "a4c/host_cleanup.h"
#include "apps/a4cd/hosts/cleanup_policy.h"

namespace a4cd {

// Of all tenants, on any server or none yet.
a4c::Result<CleanupCandidate> ReadCandidate(const a4c::Call& call, a4c::Database& database,
                                            const a4c::HostItem& image);

// True if a living workspace is made of that build: of its image_digest.
a4c::Result<bool> IsMadeOf(const a4c::Call& call, a4c::Database& database,
                           const std::string& digest);

}  // namespace a4cd
