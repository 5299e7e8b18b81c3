// Leftovers: units whose workspace, or snapshot, was deleted. Only a tombstone record says so,
// never the absence of a record: that may be a store that was restored, or another installation's.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "a4c/collection.h"
#include "a4c/host_provider.h"
#include "apps/a4cd/hosts/host_tokens.h"

namespace a4cd {

struct Leftovers {
  std::vector<a4c::UnitStatus> removable;  // their record is a tombstone, and their epoch is known
  std::vector<a4c::UnitStatus> unclaimed;  // no record says whose they are
};

// Sorts units that no living workspace of their server names; those of living snapshots are left
// out.
a4c::Result<Leftovers> SortLeftovers(const a4c::Call& call, a4c::Database& database,
                                     const std::vector<a4c::UnitStatus>& units);

// Removes one, as the highest epoch that its subject's lease has had.
a4c::Result<void> RemoveLeftover(const a4c::Call& call, a4c::Database& database,
                                 a4c::HostProvider& hosts, HostTokens& tokens,
                                 const a4c::UnitStatus& unit);

}  // namespace a4cd
