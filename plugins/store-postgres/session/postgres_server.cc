#include "session/postgres_server.h"

namespace a4c::postgres {
namespace {

// Without these what was acknowledged does not even survive a crash of this one server.
Result<void> CheckSurvivesCrash(const ServerFacts& facts) {
  if (!facts.flushes_commits) {
    return Error(Code::kInvalid,
                 "synchronous_commit is off: what was acknowledged is lost when the server crashes",
                 "set it to on for the server, the database and the role (local at least)");
  }
  if (!facts.syncs_files) {
    return Error(Code::kInvalid,
                 "fsync is off: what was acknowledged is lost when the machine crashes",
                 "set it to on in postgresql.conf, and reload");
  }
  return {};
}

}  // namespace

// The first eight digits of a WAL file's name are the timeline that is being written, also before
// the first checkpoint after a promotion (pg_control_checkpoint() tells it only then).
Statement ServerFactsOf(const Options& options) {
  return {
      "SELECT CASE WHEN pg_is_in_recovery() THEN 0 ELSE ('x' || "
      "left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint END, "
      "current_setting('synchronous_standby_names') <> '', "
      "current_setting('synchronous_commit') IN ('on', 'remote_apply', 'remote_write'), "
      "current_setting('synchronous_commit') <> 'off', current_setting('fsync') = 'on', "
      "(SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user), "
      "EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident($1::text)) "
      "AND relkind = 'r' AND pg_has_role(relowner, 'MEMBER'))",
      {options.schema}};
}

ServerFacts ServerFactsFrom(const Rows& rows) {
  return {.timeline = rows.Int(0, 0),
          .names_standbys = rows.Bool(0, 1),
          .waits_for_standbys = rows.Bool(0, 2),
          .flushes_commits = rows.Bool(0, 3),
          .syncs_files = rows.Bool(0, 4),
          .bypasses_row_security = rows.Bool(0, 5),
          .owns_tables = rows.Bool(0, 6)};
}

Result<void> CheckPrimary(const ServerFacts& facts, int64_t timeline_seen, const Options& options) {
  if (facts.timeline == 0) {
    return Error(Code::kUnavailable, "the server is a standby", "is the list of hosts complete?");
  }
  if (facts.timeline < timeline_seen) {
    return Error(Code::kUnavailable,
                 "the server is a former primary: it writes timeline " +
                     std::to_string(facts.timeline) + ", and timeline " +
                     std::to_string(timeline_seen) + " was seen",
                 "stop it, and bring it back as a standby (pg_rewind)");
  }
  A4C_CHECK(CheckSurvivesCrash(facts));
  if (options.durability == Durability::kSingleServer) return {};
  if (!facts.names_standbys) {
    return Error(Code::kInvalid,
                 "the primary has no synchronous standby: what it acknowledged is lost with it",
                 "set synchronous_standby_names, or accept it: durability: single_server");
  }
  if (!facts.waits_for_standbys) {
    return Error(Code::kInvalid, "synchronous_commit does not wait for a standby",
                 "set it to on, or accept it: durability: single_server");
  }
  return {};
}

// A server that is not in recovery is no replica (any more): it may even be a former primary.
// received_tli is at once what it is, and hidden from who lacks pg_read_all_stats; the control file
// is behind by up to a restartpoint after a promotion, and never ahead.
Statement ReplicaFactsOf() {
  return {
      "SELECT pg_is_in_recovery(), coalesce((pg_last_wal_replay_lsn() - '0/0')::bigint, -1), "
      "coalesce((SELECT received_tli FROM pg_stat_wal_receiver), "
      "(SELECT greatest(c.timeline_id, r.min_recovery_end_timeline) "
      "FROM pg_control_checkpoint() AS c, pg_control_recovery() AS r))::bigint"};
}

ReplicaFacts ReplicaFactsFrom(const Rows& rows) {
  return {.is_replica = rows.Bool(0, 0), .position = rows.Int(0, 1), .timeline = rows.Int(0, 2)};
}

Result<void> CheckReplica(const ReplicaFacts& facts, int64_t timeline_seen) {
  if (!facts.is_replica) {
    return Error(Code::kUnavailable, "the server is no replica any more");
  }
  if (facts.timeline < timeline_seen) {
    return Error(
        Code::kUnavailable,
        "the replica follows a former primary, or has only just left it: its timeline is " +
            std::to_string(facts.timeline) + ", and timeline " + std::to_string(timeline_seen) +
            " was seen",
        "have it follow the primary; grant the user pg_read_all_stats to learn at once");
  }
  return {};
}

Result<void> CheckIsBound(const ServerFacts& facts) {
  if (facts.bypasses_row_security) {
    return Error(Code::kInvalid, "row_security: the role is a superuser or has BYPASSRLS",
                 "give the plugin a role that is neither");
  }
  if (facts.owns_tables) {
    return Error(Code::kInvalid, "row_security: the role owns the tables, and could switch it off",
                 "give the plugin another role than that of background_dsn");
  }
  return {};
}

}  // namespace a4c::postgres
