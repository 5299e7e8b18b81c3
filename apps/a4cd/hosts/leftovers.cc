#include "apps/a4cd/hosts/leftovers.h"

#include <optional>
#include <span>
#include <utility>

#include "a4c/leases.h"
#include "apps/a4cd/executors/workspace_unit.h"
#include "apps/a4cd/jobs/job_service.h"

namespace a4cd {

using a4c::Call;
using a4c::Code;
using a4c::Error;
using a4c::RecordRef;
using a4c::Result;
using a4c::UnitStatus;

namespace {

std::string Label(const UnitStatus& unit, const char* name) {
  const auto found = unit.labels.find(name);
  return found == unit.labels.end() ? "" : found->second;
}

// Whose a unit is, and under whose lease it is removed.
struct Owner {
  RecordRef ref;
  std::string subject;
  int64_t epochs_from = 0;
};

// None for a unit that is neither a workspace's nor a snapshot's.
std::optional<Owner> OwnerOf(const UnitStatus& unit) {
  const std::string tenant = Label(unit, kTenantLabel);
  const std::string workspace = Label(unit, kWorkspaceLabel);
  const std::string snapshot = Label(unit, kSnapshotLabel);
  Owner owner{WorkspaceRef(tenant, workspace), WorkspaceSubject(workspace)};
  const bool is_snapshot = unit.name == SnapshotUnitName(snapshot);
  if (is_snapshot) {
    owner = {SnapshotRef(tenant, snapshot), SnapshotSubject(snapshot), kSnapshotEndEpoch};
  }
  if ((!is_snapshot && unit.name != UnitName(workspace)) || !a4c::CheckKey(owner.ref.key)) {
    return std::nullopt;
  }
  return owner;
}

// The highest epoch that a holder of the lease has had; 0: none is known.
Result<int64_t> HighestEpoch(const Call& call, a4c::Database& database, const Owner& owner) {
  const RecordRef ref = a4c::LeaseRef("job", owner.ref.key.scope, owner.subject);
  A4C_TRY(const a4c::GetAnswer answer, database.Get(call, std::span(&ref, 1)));
  if (!answer.records.at(0)) return int64_t{0};
  const auto found = answer.records[0]->quiet.find("epoch");
  if (found == answer.records[0]->quiet.end()) return int64_t{0};
  const auto* epoch = std::get_if<int64_t>(&found->second);
  return epoch == nullptr ? 0 : owner.epochs_from + *epoch;
}

}  // namespace

Result<Leftovers> SortLeftovers(const Call& call, a4c::Database& database,
                                const std::vector<UnitStatus>& units) {
  Leftovers leftovers;
  for (const UnitStatus& unit : units) {
    const std::optional<Owner> owner = OwnerOf(unit);
    bool is_removable = false;
    if (owner) {
      A4C_TRY(const a4c::GetAnswer answer, database.Get(call, std::span(&owner->ref, 1)));
      A4C_TRY(const int64_t epoch, HighestEpoch(call, database, *owner));
      const std::optional<a4c::Record>& record = answer.records.at(0);
      const bool is_snapshot = owner->epochs_from != 0;
      if (is_snapshot && record && !record->tombstone) continue;
      is_removable = record && record->tombstone && epoch >= unit.epoch;
    }
    (is_removable ? leftovers.removable : leftovers.unclaimed).push_back(unit);
  }
  return leftovers;
}

Result<void> RemoveLeftover(const Call& call, a4c::Database& database, a4c::HostProvider& hosts,
                            HostTokens& tokens, const UnitStatus& unit) {
  const std::optional<Owner> owner = OwnerOf(unit);
  if (!owner) return Error(Code::kInvalid, "unit " + unit.name + " is no workspace's");
  A4C_TRY(const int64_t epoch, HighestEpoch(call, database, *owner));
  if (epoch < unit.epoch) {
    return Error(Code::kConflict, "unit " + unit.name + " has a higher epoch than the store knows");
  }
  return tokens.Introduced(call, unit.host,
                           [&] { return hosts.Remove(call, unit.host, unit.name, epoch); });
}

}  // namespace a4cd
