// What a session's server says about itself, and what it has to be before a4c writes to it or reads
// from it.
#pragma once

#include <cstdint>
#include <string>

#include "a4c/result.h"
#include "session/postgres_options.h"
#include "session/postgres_session.h"

namespace a4c::postgres {

// In SQL: whether commits wait for a standby that keeps them, by the settings as they are now. They
// change under a session when the server reloads its configuration, and nothing tells it.
inline constexpr const char* kWaitsSql =
    "current_setting('synchronous_standby_names') <> '' AND "
    "current_setting('synchronous_commit') IN ('on', 'remote_apply', 'remote_write')";
inline constexpr const char* kNoStandbyAskedFor =
    "the server does not wait for a standby any more: its settings have changed";

// One row, for ServerFacts. Any role may ask for it.
Statement ServerFactsOf(const Options& options);
ServerFacts ServerFactsFrom(const Rows& rows);

// kUnavailable: no primary, or one that another has replaced (its timeline is below the highest
// seen): it would lose what it acknowledges. kInvalid: it would lose that in a crash, or it has no
// synchronous standby, and the config does not accept that.
Result<void> CheckPrimary(const ServerFacts& facts, int64_t timeline_seen, const Options& options);

// Of a server that may be a replica: the log that it has replayed.
struct ReplicaFacts {
  bool is_replica = false;
  int64_t position = 0;
  int64_t timeline = 0;  // that it follows, or one before that
};
// One row. Any role may ask for it, as PostgreSQL comes.
Statement ReplicaFactsOf();
ReplicaFacts ReplicaFactsFrom(const Rows& rows);

// kUnavailable: no replica, or one that follows a former primary. Its positions are those of a log
// that is not the primary's any more, and tell nothing.
Result<void> CheckReplica(const ReplicaFacts& facts, int64_t timeline_seen);

// kInvalid: a role that row-level security does not bind.
Result<void> CheckIsBound(const ServerFacts& facts);

}  // namespace a4c::postgres
