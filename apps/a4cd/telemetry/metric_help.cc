#include "apps/a4cd/telemetry/metric_help.h"

#include <algorithm>

namespace a4cd {
namespace {

struct Help {
  std::string_view name;
  std::string_view text;
};

// Of all that stand in docs/guides/operations.md: dev/check/metrics.
constexpr Help kHelp[] = {
    {"a4c_http_requests_total", "answered requests"},
    {"a4c_http_request_seconds", "how long requests took"},
    {"a4c_http_connections_refused_total", "connections beyond api.threads and api.queue"},
    {"a4c_http_slow_requests", "requests that hold a thread for long"},
    {"a4c_http_streams_open", "event streams and followed logs of jobs"},
    {"a4c_http_slow_answers_bytes", "of answers whose client takes them slowly"},
    {"a4c_http_streams_dropped_total", "streams and answers whose client read too slowly"},
    {"a4c_sessions_open", "sessions that are open"},
    {"a4c_sessions_total", "sessions that have ended"},
    {"a4c_jobs_finished_total", "jobs that have ended"},
    {"a4c_job_seconds", "from the making of a job to its end, waits included"},
    {"a4c_jobs_retired_total", "finished jobs that were old enough to go"},
    {"a4c_jobs_due", "jobs that are due and not at work, at most about 1,000 of a length"},
    {"a4c_jobs_due_age_seconds",
     "how long the one of them whose turn it is, and that waits longest for a worker, has"},
    {"a4c_workers", "jobs that this instance can be at work on at a time"},
    {"a4c_workers_busy", "those that it is at work on"},
    {"a4c_loop_healthy", "0: the last step of this background loop failed"},
    {"a4c_clock_ahead_seconds", "this machine's wall clock minus the store's"},
    {"a4c_plugin_call_seconds", "how long calls of back ends took"},
    {"a4c_plugin_call_errors_total", "calls of back ends that failed"},
    {"a4c_plugin_healthy", "0: a call is overdue"},
    {"a4c_outbox_rows", "changes that the index has not confirmed, and dead letters"},
    {"a4c_outbox_age_seconds", "age of the oldest change that the index has not confirmed"},
    {"a4c_sync_lag_documents", "changes that searches do not show yet"},
    {"a4c_sync_lag_seconds", "how far searches are behind"},
    {"a4c_sync_dead_letters", "records that the index refuses"},
    {"a4c_sync_confirmed_total", "changes that became searchable"},
    {"a4c_sync_stale_total", "changes that a newer one had overtaken"},
    {"a4c_sync_rejected_total", "refusals of documents"},
    {"a4c_sync_healed_total", "records that the store had lost and the index had not"},
    {"a4c_sync_unreadable_hints_total", "messages that are none of ours"},
    {"a4c_bus_hints_lost_total", "hints that did not leave"},
    {"a4c_poll_found_total", "changes that no hint told of"},
    {"a4c_index_ready", "0: searches are answered 503"},
    {"a4c_drift_records", "records that the last proof found to differ"},
    {"a4c_drift_repaired_total", "records that differed and were mended"},
    {"a4c_oldest_bucket_proof_seconds",
     "age of the oldest part of the proof that store and index agree"},
    {"a4c_host_reachable", "0: the server does not answer"},
    {"a4c_host_disk_total_bytes", "the disk that holds workspaces and images"},
    {"a4c_host_disk_free_bytes", "what is free of it"},
    {"a4c_host_disk_reserved_bytes", "what is promised of it"},
    {"a4c_host_figures_age_seconds", "how long ago the server told its figures"},
    {"a4c_host_denied", "1: the server takes orders of another store"},
    {"a4c_host_units_unclaimed", "units of ours that no record names"},
    {"a4c_disk_warnings_total", "times that a disk went beyond cleanup.act_at"},
    {"a4c_store_postgres_degraded", "1: no standby confirms commits"},
    {"a4c_store_postgres_failovers_total", "sessions that met a newer timeline"},
    {"a4c_store_postgres_sessions_thrown_away_total", "broken sessions"},
    {"a4c_search_postgres_sessions_thrown_away_total", "broken sessions"},
    {"a4c_store_postgres_group_batches", "batches of a commit"},
    {"a4c_store_postgres_groups_rolled_back_total", "commits that were rolled back"},
    {"a4c_store_postgres_groups_unknown_total", "commits whose outcome had to be found out"},
    {"a4c_store_postgres_creates_in_the_way_total", "creates that met a key which is being taken"},
    {"a4c_store_postgres_replica_scans_total", "lists that a replica was asked for"},
    {"a4c_store_postgres_replica_stale_seconds", "how old lists from a replica may have been"},
    {"a4c_bus_kafka_delivered_total", "messages that the brokers took"},
    {"a4c_bus_kafka_dropped_total", "messages that were given up later"},
    {"a4c_bus_kafka_refused_total", "messages that were not taken"},
    {"a4c_bus_kafka_queued_messages", "messages on their way to the brokers"},
    {"a4c_bus_kafka_received_total", "messages read"},
    {"a4c_bus_kafka_commit_failures_total", "positions that were not kept"},
    {"a4c_bus_kafka_rebalances_total", "times that partitions were shared out anew"},
    {"a4c_bus_kafka_left_behind_total", "consumers that did not end"},
    {"a4c_bus_kafka_producer_rebuilds_total", "producers replaced after a fatal error"},
    {"a4c_metric_series_dropped_total",
     "values of combinations of labels beyond those that are kept"},
};

}  // namespace

std::string_view HelpOf(std::string_view name) {
  const auto* found = std::ranges::find(kHelp, name, &Help::name);
  return found == std::end(kHelp) ? std::string_view() : found->text;
}

}  // namespace a4cd
