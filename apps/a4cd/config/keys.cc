// Which keys the config has, with their defaults and bounds: docs/config.md says the same, and a
// test holds the two to each other.
#include "apps/a4cd/config/settings.h"

namespace a4cd {
namespace {

using a4c::ConfigKey;
using a4c::ConfigType;

constexpr ConfigKey kRootKeys[] = {
    {"data_directory", ConfigType::kString, "",
     "where embedded back ends keep their data (default: ${XDG_STATE_HOME:-~/.local/state}/a4cd)"},
    {"plugin_directories", ConfigType::kStringList, "",
     "where plugins are looked for (default: ../plugins and ../lib/a4c/plugins beside the binary)"},
    {"roles", ConfigType::kStringList, "",
     "what this process does: api, worker, sync, poller (default: all of them)"},
    {"store", ConfigType::kTree, "", "the source of truth"},
    {"bus", ConfigType::kTree, "", "hints between instances"},
    {"search", ConfigType::kTree, "", "the search index"},
    {"hosts", ConfigType::kTree, "", "servers and what runs on them"},
    {"api", ConfigType::kTree, "", "the HTTP API"},
    {"database", ConfigType::kTree, "", "group commit, sync and poller"},
    {"work", ConfigType::kTree, "", "workers, leases and retries"},
    {"placement", ConfigType::kTree, "", "which server gets a workspace"},
    {"cleanup", ConfigType::kTree, "", "what goes from the disks of servers, and when"},
    {"secrets", ConfigType::kTree, "", "what seals the secrets of workspaces"},
    {"retention", ConfigType::kTree, "", "how long finished jobs and their logs are kept"},
    {"loops", ConfigType::kTree, "", "loops that one instance runs for all"},
    {"log", ConfigType::kTree, "", "where events are logged"},
    {"drain", ConfigType::kTree, "", "how the process ends"},
};

constexpr ConfigKey kStoreKeys[] = {
    {"plugin", ConfigType::kString, "store-sqlite", "name of the store plugin, or a path"},
    {"config", ConfigType::kTree, "", "the plugin's own settings"}};
constexpr ConfigKey kBusKeys[] = {
    {"plugin", ConfigType::kString, "none", "name of the bus plugin, or none"},
    {"config", ConfigType::kTree, "", "the plugin's own settings"}};
constexpr ConfigKey kSearchKeys[] = {
    {"plugin", ConfigType::kString, "search-sqlite", "name of the search plugin, or none"},
    {"config", ConfigType::kTree, "", "the plugin's own settings"},
    {"rebuild_at_start", ConfigType::kString, "auto",
     "send every record to the index at start: true, false, or auto (if the index holds nothing)"},
    {"fill_timeout", ConfigType::kDurationMs, "10m",
     "of that; what it does not come to is found by the proof that store and index agree", false,
     1'000}};
constexpr ConfigKey kHostKeys[] = {
    {"plugin", ConfigType::kString, "host-local", "name of the host plugin, or none"},
    {"config", ConfigType::kTree, "", "the plugin's own settings"},
    {"poll_period", ConfigType::kDurationMs, "8s", "how often figures of servers are read", false,
     100},
    {"poll_threads", ConfigType::kLong, "16", "servers asked at once for their figures", false, 1,
     64},
    {"poll_patience", ConfigType::kDurationMs, "2s",
     "a server that takes longer to say them is asked, and reconciled, apart from the others",
     false, 1},
    {"poll_apart_threads", ConfigType::kLong, "8", "such servers asked at once", false, 1, 64},
    {"poll_apart_wait", ConfigType::kDurationMs, "2s",
     "before one that did not answer is asked again; then as long as it has been silent", false,
     100},
    {"poll_apart_wait_max", ConfigType::kDurationMs, "30s", "bound of that", false, 100},
    {"reconcile_period", ConfigType::kDurationMs, "15s",
     "how often records are compared with what runs", false, 100},
    {"reconcile_threads", ConfigType::kLong, "8", "servers compared at once", false, 1, 64},
    {"reconcile_apart_threads", ConfigType::kLong, "4",
     "the same of those that take longer than poll_patience", false, 1, 64},
    {"lost_after", ConfigType::kDurationMs, "5m",
     "how long a server may be silent before its workspaces are called lost", false, 100},
    {"restart_wait", ConfigType::kDurationMs, "10s",
     "before a workspace whose process ended is started again; then it doubles", false, 1},
    {"restart_wait_max", ConfigType::kDurationMs, "5m", "bound of that", false, 1},
    {"restart_reset", ConfigType::kDurationMs, "10m",
     "who has run for so long waits restart_wait again", false, 1},
    {"timeout", ConfigType::kDurationMs, "5s",
     "for the figures and the list of units of one server", false, 100},
    {"enrol_period", ConfigType::kDurationMs, "2s",
     "how soon an instance uses a server that was enrolled through another", false, 100},
    {"enrol_timeout", ConfigType::kDurationMs, "1m", "of the request that enrols a server", false,
     1'000},
    {"token_period", ConfigType::kDurationMs, "10m",
     "between rotations of the token that tells a server which store is its own", false, 1'000},
    {"drain_period", ConfigType::kDurationMs, "2s",
     "between looks at servers that are being drained", false, 100},
    {"drain_retry_wait", ConfigType::kDurationMs, "5m",
     "before a drain tries again to move a workspace that it could not move", false, 1'000}};

constexpr ConfigKey kSecretKeys[] = {
    {"key_file", ConfigType::kString, "",
     "keys that seal secrets, one a line, the newest first; none: no secrets"}};

constexpr ConfigKey kApiKeys[] = {
    {"listen", ConfigType::kString, "127.0.0.1:7070", "address and port; port 0: any free one"},
    {"trusted_proxies", ConfigType::kStringList, "",
     "addresses or networks of gateways, whose X-Forwarded-For is taken for where a request is "
     "from, and whose X-Request-Id for its id: a gateway has to set both, whatever came"},
    {"threads", ConfigType::kLong, "64", "requests answered at once", false, 1, 1024},
    {"queue", ConfigType::kLong, "256", "connections waiting for a thread; past it: 503", false, 1,
     65536},
    {"slow_requests_max", ConfigType::kLong, "0",
     "threads that are held by batches, build contexts and stats of workspaces, and by other "
     "bodies that are more than a second in coming; past it: 503; 0: half of threads",
     false, 0, 1024},
    {"slow_requests_per_tenant_max", ConfigType::kLong, "0",
     "of one tenant on this instance; past it: 429; 0: half of these", false, 0, 1024},
    {"keep_alive", ConfigType::kDurationMs, "5s",
     "how long an idle connection keeps its thread; a second while others wait for one"},
    {"request_timeout", ConfigType::kDurationMs, "10s",
     "deadline of a request, and of its head and body before", false, 100},
    {"body_bytes_max", ConfigType::kBytes, "1MiB",
     "largest body, and line of a batch; past it: 413", false, 1024},
    {"batch_bytes_max", ConfigType::kBytes, "16MiB",
     "largest NDJSON batch, and largest answer to one", false, 1024},
    {"batch_lines_max", ConfigType::kLong, "100000", "lines of a batch that are not empty", false,
     1},
    {"context_bytes_max", ConfigType::kBytes, "2GiB", "largest build context that is streamed",
     false, 1024},
    {"body_rate_min", ConfigType::kBytes, "4KiB",
     "a second, that a batch or a context comes with at least, and an answer is taken with, "
     "request_timeout late at most; 0: any",
     false, 0},
    {"batch_group", ConfigType::kLong, "100", "lines of a batch in one commit", false, 1, 500},
    {"json_depth_max", ConfigType::kLong, "32", "deepest nesting of a body", false, 2, 1000},
    {"page_limit_max", ConfigType::kLong, "500", "largest page of a list", false, 1, 1000},
    {"rate_per_s", ConfigType::kLong, "2000", "requests per second and key; 0: no limit", false, 0},
    {"rate_burst", ConfigType::kLong, "4000", "requests at once before the rate holds", false, 1},
    {"auth_cache", ConfigType::kDurationMs, "5s",
     "how long a revoked key may still be accepted; 0: every request reads the store"},
    {"streams_max", ConfigType::kLong, "1000", "open event and log streams; past it: 503", false,
     0},
    {"streams_per_tenant_max", ConfigType::kLong, "250",
     "of one tenant on this instance; past it: 429", false, 0},
    {"stream_buffer_bytes_max", ConfigType::kBytes, "1MiB",
     "unsent bytes of a stream, past which it is asked for no more, and of events for it at once; "
     "one whose reader takes nothing for request_timeout is closed",
     false, 4096},
    {"slow_answers_bytes_max", ConfigType::kBytes, "256MiB",
     "of answers that clients take slowly while others wait for a thread, together, and a quarter "
     "of one tenant; past it they are cut off",
     false, 0},
    {"events_period", ConfigType::kDurationMs, "500ms", "how often changes are looked for", false,
     20},
    {"events_scan", ConfigType::kDurationMs, "5s",
     "with a bus: how often changes that no hint named are looked for", false, 20},
    {"audit", ConfigType::kBool, "true",
     "a row of the audit log with every request that changes something"},
    {"sessions_max", ConfigType::kLong, "200",
     "open commands and forwarded connections of people, a thread each; past it: 429", false, 0,
     10'000},
    {"sessions_per_tenant_max", ConfigType::kLong, "50",
     "of one tenant on this instance; past it: 429", false, 0, 10'000},
    {"session_idle_max", ConfigType::kDurationMs, "1h",
     "a session in which nothing happens for so long is ended", false, 100},
    {"session_duration_max", ConfigType::kDurationMs, "24h", "how long a session may last", false,
     100},
    {"session_ping_period", ConfigType::kDurationMs, "15s",
     "a client that is silent for three of these has gone", false, 20},
    {"bootstrap_key_file", ConfigType::kString, "",
     "if there is no API key yet, one with all scopes is made at start and written here, mode "
     "0600"},
};

constexpr ConfigKey kDatabaseKeys[] = {
    {"flushers", ConfigType::kLong, "2", "commits in flight at once", false, 1, 64},
    {"group_batches_max", ConfigType::kLong, "512", "writes in one commit", false, 1, 10'000},
    {"group_bytes_max", ConfigType::kBytes, "16MiB", "bytes in one commit", false, 1},
    {"queue_batches_max", ConfigType::kLong, "8192", "writes waiting; past it: 503", false, 1},
    {"queue_bytes_max", ConfigType::kBytes, "256MiB", "bytes waiting; past it: 503", false, 1},
    {"first_due", ConfigType::kDurationMs, "3s", "how long a change is left to the bus"},
    {"poll_period", ConfigType::kDurationMs, "30s", "period of the poller (1s without a bus)"},
    {"refresh_period", ConfigType::kDurationMs, "1s",
     "period of index refreshes; for a backlog up to five of it"},
    {"idempotency_ttl", ConfigType::kDurationMs, "24h", "how long answers are kept for replays"},
    {"max_wait", ConfigType::kDurationMs, "2s", "how long a search waits for its tokens"},
    {"tombstone_keep", ConfigType::kDurationMs, "7d", "how long deleted records are kept"},
    {"sync_batch_max", ConfigType::kLong, "500", "records in one index request", false, 1, 10'000},
    {"rejections_max", ConfigType::kLong, "5", "of one document, then it is a dead letter", false,
     1},
    {"tokens_max", ConfigType::kLong, "16", "freshness tokens in one search", false, 1, 64},
    {"poll_loops", ConfigType::kLong, "2", "index requests of the poller at once", false, 1, 16},
    {"verify_period", ConfigType::kDurationMs, "10m",
     "between two proofs that store and index agree, and the longest that one may take (10m at "
     "least)",
     false, 1'000},
    {"task_lease", ConfigType::kDurationMs, "30s",
     "a verify, repair or rebuild whose instance died goes on elsewhere after so long", false,
     1'000},
    {"rebuild_stall_timeout", ConfigType::kDurationMs, "1m",
     "a rebuild fails whose new index took nothing for so long while the old one did: until then "
     "changes do not show in searches",
     false, 1'000},
    {"outbox_count_max", ConfigType::kLong, "10000", "rows of the outbox that are counted", false,
     1, 10'000},
    {"open_timeout", ConfigType::kDurationMs, "1m",
     "of the start, for what the store lacks to be made; what takes longer is for a4cd migrate",
     false, 1'000},
    {"migrate_timeout", ConfigType::kDurationMs, "1h", "of a4cd migrate", false, 1'000},
    {"ready_lag_max", ConfigType::kDurationMs, "1m",
     "lag of the index past which /readyz?role=sync fails", false, 0},
};

constexpr ConfigKey kWorkKeys[] = {
    {"workers", ConfigType::kLong, "4", "jobs at a time", false, 1, 256},
    {"long_jobs_max", ConfigType::kLong, "0",
     "of these that may take long: command.run, image.build, workspace.move, snapshot and restore, "
     "host.cleanup; 0: all but one",
     false, 0, 256},
    {"lease", ConfigType::kDurationMs, "30s", "a job whose worker died is taken over after so long",
     false, 1'000},
    {"idle_period", ConfigType::kDurationMs, "250ms", "between looks for work", false, 10},
    {"watch_period", ConfigType::kDurationMs, "1s",
     "how soon a running job notices that it was canceled", false, 50},
    {"retry_wait", ConfigType::kDurationMs, "1s", "before a second attempt; then it doubles", false,
     1},
    {"retry_wait_max", ConfigType::kDurationMs, "1m", "bound of that", false, 1},
    {"capacity_wait", ConfigType::kDurationMs, "5s",
     "before a job for which there was no room is placed again", false, 1},
    {"capacity_wait_max", ConfigType::kDurationMs, "5m",
     "the same if no server could take it even if it were empty: then the wait doubles up to "
     "this; a server that is added or labelled ends it",
     false, 1},
    {"context_wait", ConfigType::kDurationMs, "5m", "for the context of an image build to come",
     false, 1'000},
    {"builder_wait", ConfigType::kDurationMs, "1m",
     "how long a client that sends one is kept waiting for a server that is busy"},
    {"run_timeout", ConfigType::kDurationMs, "1h", "of one attempt at a job", false, 1'000},
    {"log_bytes_max", ConfigType::kBytes, "1MiB", "of a job's log: head and tail are kept", false,
     1024},
    {"expiry_period", ConfigType::kDurationMs, "10s", "how often ended ttls are looked for", false,
     100},
    {"idle_look_period", ConfigType::kDurationMs, "30s",
     "between looks at workspaces with idle_stop", false, 100, 600'000},
    {"idle_cpu_millis", ConfigType::kLong, "20",
     "a workspace that uses less of a processor is idle; 1000: a core", false, 0, 1'000'000}};

constexpr ConfigKey kPlacementKeys[] = {
    {"disk_watermark", ConfigType::kDouble, "0.9",
     "share of a disk, of its bytes and inodes, above which a server gets nothing new"},
    {"starts_max", ConfigType::kLong, "8",
     "workspaces that an instance starts on one server at a time; more go elsewhere, or wait",
     false, 1, 256},
    {"figures_age_max", ConfigType::kDurationMs, "2m", "older figures are not trusted"},
    {"default_disk", ConfigType::kBytes, "256MiB", "reserved for a workspace that names none"},
    {"default_memory", ConfigType::kBytes, "0",
     "the same of memory; 0: as much as hosts.config.memory_default, or 128MiB without one"},
    {"default_cpu_millis", ConfigType::kLong, "100", "the same of processor", false, 0},
    {"build_disk", ConfigType::kBytes, "1GiB",
     "reserved for an image build that names none, beside twice its context"}};

constexpr ConfigKey kCleanupKeys[] = {
    {"act_at", ConfigType::kDouble, "0.85",
     "share of a server's disk beyond which images go at once, and a warning is logged: when it "
     "becomes so, then each pressed_period"},
    {"stop_at", ConfigType::kDouble, "0.70", "share of it at which that ends"},
    {"image_age", ConfigType::kDurationMs, "7d", "unused images go after this on any server", false,
     0},
    {"cache_age", ConfigType::kDurationMs, "24h", "those without a name, such as of failed builds",
     false, 0},
    {"pressed_age", ConfigType::kDurationMs, "1h", "younger ones stay also on a full disk", false,
     0},
    {"purge_age", ConfigType::kDurationMs, "10m",
     "units that began later than this ago are not purged by host.purge", false, 0},
    {"period", ConfigType::kDurationMs, "24h", "of rounds over all servers; 0: none", false, 0},
    {"pressed_period", ConfigType::kDurationMs, "10m", "between runs on a server that stays full",
     false, 1'000},
    {"look_period", ConfigType::kDurationMs, "1m", "between looks at the disks", false, 100}};

constexpr ConfigKey kRetentionKeys[] = {
    {"jobs", ConfigType::kDurationMs, "30d",
     "age at which finished jobs and their logs go; 0: never", false, 0},
    {"jobs_succeeded", ConfigType::kDurationMs, "0", "of succeeded ones; 0: as jobs", false, 0},
    {"jobs_failed", ConfigType::kDurationMs, "0", "of failed ones; 0: as jobs", false, 0},
    {"jobs_canceled", ConfigType::kDurationMs, "0", "of canceled ones; 0: as jobs", false, 0},
    {"audit", ConfigType::kDurationMs, "365d", "age at which rows of the audit log go; 0: never",
     false, 0},
    {"period", ConfigType::kDurationMs, "1m", "between looks for them", false, 100},
    {"batch", ConfigType::kLong, "200", "jobs of one state in one look", false, 1, 10'000}};

constexpr ConfigKey kLoopKeys[] = {
    {"lease", ConfigType::kDurationMs, "1m",
     "a loop whose instance died is taken over after so long", false, 1'000},
    {"look_period", ConfigType::kDurationMs, "5s", "how often an instance looks for due loops",
     false, 10},
    {"retry_wait", ConfigType::kDurationMs, "5s", "after a step that failed", false, 10}};

constexpr ConfigKey kLogKeys[] = {
    {"level", ConfigType::kString, "info", "debug, info, warning or error"},
    {"file", ConfigType::kString, "-",
     "path, or - for standard error; SIGHUP opens the file again"}};

constexpr ConfigKey kDrainKeys[] = {
    {"not_ready", ConfigType::kDurationMs, "0", "how long /readyz says no before connections end"},
    {"timeout", ConfigType::kDurationMs, "25s", "bound of the whole drain", false, 0, 3'600'000}};

constexpr Section kSections[] = {{"store", kStoreKeys, true},
                                 {"bus", kBusKeys, true},
                                 {"search", kSearchKeys, true},
                                 {"hosts", kHostKeys, true},
                                 {"api", kApiKeys},
                                 {"secrets", kSecretKeys},
                                 {"database", kDatabaseKeys},
                                 {"work", kWorkKeys},
                                 {"placement", kPlacementKeys},
                                 {"cleanup", kCleanupKeys},
                                 {"retention", kRetentionKeys},
                                 {"loops", kLoopKeys},
                                 {"log", kLogKeys},
                                 {"drain", kDrainKeys}};

}  // namespace

std::span<const Section> Sections() {
  return kSections;
}

std::span<const ConfigKey> RootKeys() {
  return kRootKeys;
}

}  // namespace a4cd
