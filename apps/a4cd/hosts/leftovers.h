// Leftovers: units whose workspace, or snapshot, was deleted. Only a tombstone record says so,
// never the absence of a record: that may be a store that was restored, or another installation's.
// Of a unit that no record names an operator may say so instead (host.purge): then there is one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "a4c/collection.h"
#include "a4c/host_provider.h"
#include "apps/a4cd/hosts/host_tokens.h"

namespace a4cd {

struct Leftovers {
  std::vector<a4c::UnitStatus> removable;  // their record is a tombstone, and their epoch is known
  std::vector<a4c::UnitStatus> unclaimed;  // no record says that they are to be here
};

// What the store says of a unit.
struct Standing {
  enum class Record : uint8_t {
    kNone,    // its labels name neither a workspace nor a snapshot
    kAbsent,  // they name one that the store does not know
    kLiving,
    kLost,  // living, but not here: its server was lost once, and is back with this unit
    kDeleted,
  };
  Record record = Record::kNone;
  int64_t epoch = 0;  // the highest that a holder of its subject's lease has had; 0: none is known

  bool GoesByItself(const a4c::UnitStatus& unit) const {
    return record == Record::kDeleted && epoch >= unit.epoch;
  }
};
a4c::Result<Standing> StandingOf(const a4c::Call& call, a4c::Database& database,
                                 const a4c::UnitStatus& unit);

// An epoch above every holder that the subject's lease has had: the ops that make it so. Whoever
// holds the lease writes nothing from then on. The new one.
a4c::Result<int64_t> RaiseEpoch(const a4c::Call& call, a4c::Database& database,
                                const std::string& tenant, const std::string& subject,
                                std::vector<a4c::Op>& ops);

// Sorts units that no living workspace of their server names; those of living snapshots are left
// out.
a4c::Result<Leftovers> SortLeftovers(const a4c::Call& call, a4c::Database& database,
                                     const std::vector<a4c::UnitStatus>& units);

// Removes one, as the highest epoch that its subject's lease has had.
a4c::Result<void> RemoveLeftover(const a4c::Call& call, a4c::Database& database,
                                 a4c::HostProvider& hosts, HostTokens& tokens,
                                 const a4c::UnitStatus& unit);

// An operator's word that a unit has to go.
struct Verdict {
  int64_t host_epoch = 0;  // the highest that the server knows of the unit
  int64_t now_ms = 0;
  std::string by;  // id of the API key
  std::string message;
};

// Makes a leftover of a unit: a tombstone where there is no record, and an epoch above all that
// have acted on it. For the batch of a holder, in which it fails should a record have come
// meanwhile. kConflict: its record is living. kInvalid: its labels name none.
a4c::Result<std::vector<a4c::Op>> VerdictOps(const a4c::Call& call, a4c::Database& database,
                                             const a4c::UnitStatus& unit, const Verdict& verdict);

}  // namespace a4cd
