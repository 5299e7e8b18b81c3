// ReplicaReader: reads from a replica that is near enough to the primary.
//
// How near is shown by log positions: the primary is asked for its own at most every quarter of the
// bound, and a replica that has replayed a position holds all that was committed before the moment
// at which the primary was asked. So it is only as long as it follows that primary: see
// CheckReplica. Clocks of servers do not matter, and neither does it that nothing was written
// lately. [any thread]
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "a4c/call.h"
#include "a4c/clock.h"
#include "session/postgres_options.h"
#include "session/postgres_pool.h"

namespace a4c::postgres {

class ReplicaReader {
 public:
  struct Reading {
    std::vector<Rows> rows;  // of the statements given
    int64_t stale_ms_max = 0;
  };

  virtual ~ReplicaReader() = default;
  // Nothing: no replica answers, or none is within replica_staleness_max.
  virtual std::optional<Reading> Read(const Call& call, std::span<const Statement> statements) = 0;
};

// All outlive it. timeline_seen is that of the connectors.
std::unique_ptr<ReplicaReader> NewReplicaReader(SessionPool& primary, SessionPool& replicas,
                                                const std::atomic<int64_t>& timeline_seen,
                                                const Options& options, const Runtime& runtime);

}  // namespace a4c::postgres
