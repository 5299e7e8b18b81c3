// The two ways in which a group of batches becomes one commit.
//
// Lane 1 is for batches that create: one INSERT per table, and whatever is in the way of one of
// them fails the whole statement, so nothing of the group is written and lane 2 decides. Lane 2
// locks the rows that the batches name, in the order of (kind, scope, id), decides batch by batch
// in order of arrival, each seeing what those before it made, and writes what it all comes to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "session/postgres_session.h"
#include "write/postgres_group.h"

namespace a4c::postgres {

enum class Fate : uint8_t {
  kDecided,     // committed, or decided without a change: `results` holds each batch's
  kRolledBack,  // nothing of the group was written, for the reason in `failure`
  kUnknown,     // for the reason in `why`: it may have been committed
};

struct Attempt {
  Fate fate = Fate::kDecided;
  std::optional<Failure> failure = {};
  std::string why = {};
  bool unanswered = false;                // kUnknown because the time for the commit was up
  std::vector<BatchResult> results = {};  // in the order of the items
  int64_t store_time_ms = 0;
};

inline constexpr const char* kRowsKeptBack =
    "a trigger or rule that is not a4c's kept rows from being written";

// By the row of WriteOpeningOf: false where the session has to replicate and its server does not.
inline bool Replicates(const Session& session, const Rows& opening) {
  return !session.replicates() || opening.Bool(0, 1);
}

// All items have a `create`. The call is whose scopes the group may touch.
Attempt CreateAll(const Call& call, Session& session, const Catalog& catalog, const Items& items,
                  int64_t deadline_ms);
Attempt DecideAll(const Call& call, Session& session, const Catalog& catalog, const Items& items,
                  int64_t deadline_ms);

}  // namespace a4c::postgres
