#include "apps/a4cd/hosts/leftovers.h"

#include <algorithm>
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

// Whose a unit is, and under whose lease it is removed.
struct Owner {
  RecordRef ref;
  std::string subject;
  int64_t epochs_from = 0;

  bool is_snapshot() const { return epochs_from != 0; }
};

// None for a unit that is neither a workspace's nor a snapshot's.
std::optional<Owner> OwnerOf(const UnitStatus& unit) {
  const std::string tenant = LabelOf(unit.labels, kTenantLabel);
  const std::string workspace = LabelOf(unit.labels, kWorkspaceLabel);
  const std::string snapshot = LabelOf(unit.labels, kSnapshotLabel);
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

// The highest epoch that a holder of the lease has had; nothing: none is known.
std::optional<int64_t> EpochIn(const std::optional<a4c::Record>& lease) {
  if (!lease) return std::nullopt;
  const auto found = lease->quiet.find("epoch");
  if (found == lease->quiet.end()) return std::nullopt;
  const auto* epoch = std::get_if<int64_t>(&found->second);
  return epoch == nullptr ? std::nullopt : std::optional(*epoch);
}

// What the store has of it, both read at once.
struct Records {
  std::optional<a4c::Record> owner;
  std::optional<a4c::Record> lease;

  std::optional<int64_t> LeaseEpoch() const { return EpochIn(lease); }
};

RecordRef LeaseOf(const Owner& owner) {
  return a4c::LeaseRef("job", owner.ref.key.scope, owner.subject);
}

Result<Records> Read(const Call& call, a4c::Database& database, const Owner& owner) {
  const std::vector<RecordRef> refs{owner.ref, LeaseOf(owner)};
  A4C_TRY(a4c::GetAnswer answer, database.Get(call, refs));
  return Records{std::move(answer.records.at(0)), std::move(answer.records.at(1))};
}

// Its record lives on elsewhere, and says that what has lower epochs was lost with a server.
Result<bool> IsOfLostLife(const a4c::Record& record, const UnitStatus& unit) {
  A4C_TRY(const Workspace workspace, WorkspaceOf(record));
  return unit.epoch < workspace.lost_epoch && unit.host != workspace.host &&
         std::ranges::find(workspace.also_on, unit.host) == workspace.also_on.end();
}

Result<Standing> StandingIn(const Records& records, const Owner& owner, const UnitStatus& unit) {
  Standing standing{.record = Standing::Record::kAbsent};
  if (records.owner) {
    standing.record =
        records.owner->tombstone ? Standing::Record::kDeleted : Standing::Record::kLiving;
  }
  if (standing.record == Standing::Record::kLiving && !owner.is_snapshot()) {
    A4C_TRY(const bool is_lost, IsOfLostLife(*records.owner, unit));
    if (is_lost) standing.record = Standing::Record::kLost;
  }
  const std::optional<int64_t> epoch = records.LeaseEpoch();
  if (epoch) standing.epoch = owner.epochs_from + *epoch;
  return standing;
}

// A record that never lived here: what it needs to be purged in its time, as any tombstone is.
a4c::Put Tombstone(const Owner& owner, const UnitStatus& unit, const Verdict& verdict) {
  const std::string& id = owner.ref.key.id;
  if (owner.is_snapshot()) {
    return SnapshotPut(owner.ref.key.scope, {.id = id,
                                             .state = "deleted",
                                             .host = unit.host,
                                             .message = verdict.message,
                                             .created_at = verdict.now_ms,
                                             .updated_at = verdict.now_ms,
                                             .deleted_at = verdict.now_ms,
                                             .created_by = verdict.by});
  }
  Workspace workspace;
  workspace.name = unit.name;
  workspace.desired = workspace.actual = "deleted";
  workspace.host = unit.host;
  workspace.message = verdict.message;
  workspace.created_at = workspace.updated_at = workspace.deleted_at = verdict.now_ms;
  workspace.created_by = verdict.by;
  return {.ref = owner.ref,
          .body = WorkspaceBody(workspace),
          .tombstone = true,
          .expect = a4c::Expect::Absent()};
}

// Above this one, and above every holder in this store, who is then fenced off. The new one.
int64_t AddRaisedEpoch(const RecordRef& ref, const std::optional<a4c::Record>& lease, int64_t above,
                       std::vector<a4c::Op>& ops) {
  const std::optional<int64_t> before = EpochIn(lease);
  const int64_t epoch = std::max({before.value_or(0), above, int64_t{0}}) + 1;
  a4c::Put put{.ref = ref, .quiet = {{"epoch", epoch}}};
  if (!lease) {
    put.body = "{}";
    put.expect = a4c::Expect::Absent();
  }
  if (before) ops.emplace_back(a4c::Check{.ref = ref, .quiet = {{"epoch", *before}}});
  ops.emplace_back(std::move(put));
  return epoch;
}

}  // namespace

Result<Standing> StandingOf(const Call& call, a4c::Database& database, const UnitStatus& unit) {
  const std::optional<Owner> owner = OwnerOf(unit);
  if (!owner) return Standing{};
  A4C_TRY(const Records records, Read(call, database, *owner));
  return StandingIn(records, *owner, unit);
}

Result<int64_t> RaiseEpoch(const Call& call, a4c::Database& database, const std::string& tenant,
                           const std::string& subject, std::vector<a4c::Op>& ops) {
  const RecordRef ref = a4c::LeaseRef("job", tenant, subject);
  A4C_TRY(const a4c::GetAnswer answer, database.Get(call, std::span(&ref, 1)));
  return AddRaisedEpoch(ref, answer.records.at(0), 0, ops);
}

Result<Leftovers> SortLeftovers(const Call& call, a4c::Database& database,
                                const std::vector<UnitStatus>& units) {
  Leftovers leftovers;
  for (const UnitStatus& unit : units) {
    A4C_TRY(const Standing standing, StandingOf(call, database, unit));
    const bool is_snapshot = unit.name == SnapshotUnitName(LabelOf(unit.labels, kSnapshotLabel));
    if (is_snapshot && standing.record == Standing::Record::kLiving) continue;
    const bool is_removable = standing.GoesByItself(unit);
    (is_removable ? leftovers.removable : leftovers.unclaimed).push_back(unit);
  }
  return leftovers;
}

Result<void> RemoveLeftover(const Call& call, a4c::Database& database, a4c::HostProvider& hosts,
                            HostTokens& tokens, const UnitStatus& unit) {
  const std::optional<Owner> owner = OwnerOf(unit);
  if (!owner) return Error(Code::kInvalid, "unit " + unit.name + " is no workspace's");
  A4C_TRY(const Records records, Read(call, database, *owner));
  A4C_TRY(const Standing standing, StandingIn(records, *owner, unit));
  const int64_t epoch = standing.epoch;
  if (epoch < unit.epoch) {
    return Error(Code::kConflict, "unit " + unit.name + " has a higher epoch than the store knows");
  }
  return tokens.Introduced(call, unit.host,
                           [&] { return hosts.Remove(call, unit.host, unit.name, epoch); });
}

Result<std::vector<a4c::Op>> VerdictOps(const Call& call, a4c::Database& database,
                                        const UnitStatus& unit, const Verdict& verdict) {
  const std::optional<Owner> owner = OwnerOf(unit);
  if (!owner) return Error(Code::kInvalid, "unit " + unit.name + " is no workspace's");
  A4C_TRY(const Records records, Read(call, database, *owner));
  A4C_TRY(const Standing standing, StandingIn(records, *owner, unit));
  if (standing.record == Standing::Record::kLiving) {
    return Error(Code::kConflict, "a record names unit " + unit.name);
  }
  std::vector<a4c::Op> ops;
  if (records.owner) {
    ops.emplace_back(a4c::Check{.ref = owner->ref, .rev = records.owner->rev});
  } else {
    ops.emplace_back(Tombstone(*owner, unit, verdict));
  }
  AddRaisedEpoch(LeaseOf(*owner), records.lease, verdict.host_epoch - owner->epochs_from, ops);
  return ops;
}

}  // namespace a4cd
