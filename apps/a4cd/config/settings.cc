#include "apps/a4cd/config/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <utility>

#include "a4c/nearest.h"
#include "apps/a4cd/telemetry/json_log.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Config;
using a4c::ConfigValue;
using a4c::Error;
using a4c::Result;

std::string Shown(double number) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number);
  return {text.data(), end.ptr};
}

// Collects faults over all sections, so that one start shows every mistake.
class Checker {
 public:
  explicit Checker(const ConfigValue& root) : root_(root) {}

  Result<Config> Root() { return a4c::CheckConfig(root_, RootKeys()); }

  const Config* Check(const char* name) {
    const auto section = std::ranges::find_if(
        Sections(), [&](const Section& one) { return std::string_view(one.name) == name; });
    ConfigValue value = Member(name);
    Result<Config> config = a4c::CheckConfig(value, section->keys);
    if (!config) {
      Fault(config.error().message());
      config = a4c::CheckConfig(ConfigValue::Map({}), section->keys);
    }
    configs_.push_back(std::make_unique<Config>(*std::move(config)));
    return configs_.back().get();
  }

  PluginChoice Plugin(const char* name) {
    const Config* config = Check(name);
    PluginChoice choice{config->String("plugin"), config->Tree("config"), Where(name, "plugin")};
    if (choice.config.shape == ConfigValue::Shape::kAbsent) {
      choice.config = ConfigValue::Map({});
      choice.config.path = std::string(name) + ".config";
    }
    return choice;
  }

  void Fault(const std::string& fault) {
    if (faults_.find(fault) != std::string::npos) return;
    faults_ += (faults_.empty() ? "" : "\n") + fault;
  }
  // With the place where the key was set.
  void Fault(const char* section, const char* key, const std::string& fault) {
    Fault(Where(section, key) + ": " + fault);
  }
  std::string Where(const char* section, const char* key) const {
    const ConfigValue of_section = Member(section);
    const auto found = of_section.map.find(key);
    return found == of_section.map.end() ? std::string(section) + "." + key : found->second.Where();
  }
  // Of a disk: 0.9, not 90. Also refuses what from_chars takes for a number, such as nan.
  bool CheckShare(const char* section, const char* key, double share) {
    if (share > 0 && share <= 1) return true;
    Fault(section, key, "is a share of a disk, above 0 and at most 1, not " + Shown(share));
    return false;
  }
  const std::string& faults() const { return faults_; }

 private:
  ConfigValue Member(const char* name) const {
    const auto found = root_.map.find(name);
    if (found != root_.map.end() && found->second.shape != ConfigValue::Shape::kAbsent) {
      return found->second;
    }
    ConfigValue empty = ConfigValue::Map({});
    empty.path = name;
    return empty;
  }

  const ConfigValue& root_;
  std::vector<std::unique_ptr<Config>> configs_;
  std::string faults_;
};

// HOST:PORT, [HOST]:PORT for IPv6; what it names is seen when the service listens.
bool IsListenAddress(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  unsigned port = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + colon + 1, end, port);
  return read.ec == std::errc() && read.ptr == end && port <= 65'535;
}

// 0: half of what bounds it.
int64_t OrHalf(int64_t given, int64_t of) {
  return given == 0 ? std::max<int64_t>(1, of / 2) : given;
}

ApiSettings ReadApi(const Config& config, Checker& checker) {
  const std::string& listen = config.String("listen");
  if (!IsListenAddress(listen)) {
    checker.Fault(
        "api", "listen",
        "\"" + listen + "\" is no address and port, such as 127.0.0.1:7070 or [::1]:7070");
  }
  const auto proxies = TrustedProxies::Parse(config.StringList("trusted_proxies"));
  if (!proxies) checker.Fault("api", "trusted_proxies", proxies.error().message());
  const int64_t slow_max = OrHalf(config.Long("slow_requests_max"), config.Long("threads"));
  const int64_t slow_of_tenant = OrHalf(config.Long("slow_requests_per_tenant_max"), slow_max);
  return {.listen = listen,
          .trusted_proxies = proxies ? *proxies : TrustedProxies{},
          .threads = static_cast<int>(config.Long("threads")),
          .queue = static_cast<int>(config.Long("queue")),
          .slow_requests_max = slow_max,
          .slow_requests_per_tenant_max = slow_of_tenant,
          .keep_alive_ms = config.Long("keep_alive"),
          .request_timeout_ms = config.Long("request_timeout"),
          .body_bytes_max = config.Long("body_bytes_max"),
          .context_bytes_max = config.Long("context_bytes_max"),
          .batch_bytes_max = config.Long("batch_bytes_max"),
          .batch_lines_max = config.Long("batch_lines_max"),
          .body_rate_min = config.Long("body_rate_min"),
          .batch_group = static_cast<int>(config.Long("batch_group")),
          .json_depth_max = static_cast<int>(config.Long("json_depth_max")),
          .page_limit_max = static_cast<int>(config.Long("page_limit_max")),
          .rate_per_s = config.Long("rate_per_s"),
          .rate_burst = config.Long("rate_burst"),
          .auth_cache_ms = config.Long("auth_cache"),
          .streams_max = static_cast<int>(config.Long("streams_max")),
          .streams_per_tenant_max = static_cast<int>(config.Long("streams_per_tenant_max")),
          .stream_buffer_bytes_max = config.Long("stream_buffer_bytes_max"),
          .slow_answers_bytes_max = config.Long("slow_answers_bytes_max"),
          .events_period_ms = config.Long("events_period"),
          .events_scan_ms = config.Long("events_scan"),
          .bootstrap_key_file = config.String("bootstrap_key_file"),
          .audit = config.Bool("audit"),
          .sessions_max = static_cast<int>(config.Long("sessions_max")),
          .sessions_per_tenant_max = static_cast<int>(config.Long("sessions_per_tenant_max")),
          .session_idle_max_ms = config.Long("session_idle_max"),
          .session_duration_max_ms = config.Long("session_duration_max"),
          .session_ping_period_ms = config.Long("session_ping_period")};
}

a4c::DatabaseOptions ReadDatabase(const Config& config) {
  return {.group_commit = {.flushers = static_cast<int>(config.Long("flushers")),
                           .group_batches_max = static_cast<int>(config.Long("group_batches_max")),
                           .group_bytes_max = config.Long("group_bytes_max"),
                           .queue_batches_max = static_cast<int>(config.Long("queue_batches_max")),
                           .queue_bytes_max = config.Long("queue_bytes_max")},
          .first_due_ms = config.Long("first_due"),
          .poll_period_ms = config.Long("poll_period"),
          .refresh_period_ms = config.Long("refresh_period"),
          .idempotency_ttl_ms = config.Long("idempotency_ttl"),
          .max_wait_ms = config.Long("max_wait"),
          .tombstone_keep_ms = config.Long("tombstone_keep"),
          .sync_batch_max = static_cast<int>(config.Long("sync_batch_max")),
          .rejections_max = static_cast<int>(config.Long("rejections_max")),
          .tokens_max = static_cast<int>(config.Long("tokens_max")),
          .verify_period_ms = config.Long("verify_period"),
          .task_lease_ms = config.Long("task_lease"),
          .rebuild_stall_ms = config.Long("rebuild_stall_timeout"),
          .outbox_count_max = static_cast<int>(config.Long("outbox_count_max"))};
}

CleanupOptions ReadCleanup(const Config& config, Checker& checker) {
  CleanupOptions options{.policy = {.act_at = config.Double("act_at"),
                                    .stop_at = config.Double("stop_at"),
                                    .image_age_ms = config.Long("image_age"),
                                    .cache_age_ms = config.Long("cache_age"),
                                    .pressed_age_ms = config.Long("pressed_age"),
                                    .purge_age_ms = config.Long("purge_age")},
                         .look_period_ms = config.Long("look_period"),
                         .period_ms = config.Long("period"),
                         .pressed_period_ms = config.Long("pressed_period")};
  const CleanupPolicy& policy = options.policy;
  const bool shares = checker.CheckShare("cleanup", "act_at", policy.act_at) &&
                      checker.CheckShare("cleanup", "stop_at", policy.stop_at);
  if (shares && policy.stop_at > policy.act_at) {
    checker.Fault(
        "cleanup", "stop_at",
        "is at most cleanup.act_at, " + Shown(policy.act_at) + ", not " + Shown(policy.stop_at));
  }
  return options;
}

WorkerOptions ReadWorker(const Config& work, const Config& placement, const Config& hosts,
                         Checker& checker) {
  WorkerOptions options;
  options.work = {.workers = static_cast<int>(work.Long("workers")),
                  .long_jobs_max = static_cast<int>(work.Long("long_jobs_max")),
                  .lease_ms = work.Long("lease"),
                  .idle_period_ms = work.Long("idle_period"),
                  .watch_period_ms = work.Long("watch_period"),
                  .retry_wait_ms = work.Long("retry_wait"),
                  .retry_wait_max_ms = work.Long("retry_wait_max"),
                  .capacity_wait_ms = work.Long("capacity_wait"),
                  .capacity_wait_max_ms = work.Long("capacity_wait_max"),
                  .context_wait_ms = work.Long("context_wait"),
                  .builder_wait_ms = work.Long("builder_wait"),
                  .run_timeout_ms = work.Long("run_timeout"),
                  .log_bytes_max = work.Long("log_bytes_max")};
  options.placement.limits.disk_watermark = placement.Double("disk_watermark");
  options.placement.limits.starts_in_flight_max = static_cast<int>(placement.Long("starts_max"));
  checker.CheckShare("placement", "disk_watermark", options.placement.limits.disk_watermark);
  options.placement.limits.age_ms_max = placement.Long("figures_age_max");
  options.placement.defaults = {placement.Long("default_disk"), placement.Long("default_memory"),
                                placement.Long("default_cpu_millis")};
  options.placement.build_disk_bytes = placement.Long("build_disk");
  options.disks = {.period_ms = hosts.Long("poll_period"),
                   .host_timeout_ms = hosts.Long("timeout"),
                   .patience_ms = hosts.Long("poll_patience"),
                   .hosts_at_once = static_cast<int>(hosts.Long("poll_threads")),
                   .apart_at_once = static_cast<int>(hosts.Long("poll_apart_threads")),
                   .apart_wait_ms = hosts.Long("poll_apart_wait"),
                   .apart_wait_max_ms = hosts.Long("poll_apart_wait_max")};
  options.reconciler = {.period_ms = hosts.Long("reconcile_period"),
                        .look_ms = ReconcilerOptions::kLookMs,
                        .host_timeout_ms = hosts.Long("timeout"),
                        .patience_ms = hosts.Long("poll_patience"),
                        .hosts_at_once = static_cast<int>(hosts.Long("reconcile_threads")),
                        .apart_at_once = static_cast<int>(hosts.Long("reconcile_apart_threads")),
                        .lost_after_ms = hosts.Long("lost_after"),
                        .restarts = {.wait_ms = hosts.Long("restart_wait"),
                                     .wait_max_ms = hosts.Long("restart_wait_max"),
                                     .reset_ms = hosts.Long("restart_reset")}};
  options.expiry.period_ms = work.Long("expiry_period");
  options.snapshots.period_ms = work.Long("expiry_period");
  options.idle = {.period_ms = work.Long("idle_look_period"),
                  .cpu_millis = work.Long("idle_cpu_millis"),
                  .host_timeout_ms = hosts.Long("timeout"),
                  .hosts_at_once = static_cast<int>(hosts.Long("reconcile_threads"))};
  options.enrolment_period_ms = hosts.Long("enrol_period");
  options.tokens = {.look_period_ms = hosts.Long("enrol_period"),
                    .rotate_period_ms = hosts.Long("token_period"),
                    .host_timeout_ms = hosts.Long("timeout")};
  options.drain = {.period_ms = hosts.Long("drain_period"),
                   .retry_wait_ms = hosts.Long("drain_retry_wait")};
  return options;
}

RetentionOptions ReadRetention(const Config& config, int64_t tombstone_keep_ms) {
  const auto age = [&](const char* key) {
    return config.Long(key) == 0 ? config.Long("jobs") : config.Long(key);
  };
  return {.period_ms = config.Long("period"),
          .succeeded_ms = age("jobs_succeeded"),
          .failed_ms = age("jobs_failed"),
          .canceled_ms = age("jobs_canceled"),
          .audit_ms = config.Long("audit"),
          .tombstone_keep_ms = tombstone_keep_ms,
          .jobs_max = static_cast<int>(config.Long("batch"))};
}

void ReadRoles(const Config& root, Settings& settings, Checker& checker) {
  static constexpr std::array<std::string_view, 4> kRoles = {"api", "worker", "sync", "poller"};
  for (const std::string& role : root.StringList("roles")) {
    if (std::ranges::find(kRoles, role) == kRoles.end()) {
      checker.Fault("roles: \"" + role + "\" is none of api, worker, sync, poller");
    }
    settings.roles.insert(role);
  }
  if (settings.roles.empty()) settings.roles = {kRoles.begin(), kRoles.end()};
}

IndexStartOptions ReadIndexStart(const Config& search, Checker& checker) {
  const std::string& text = search.String("rebuild_at_start");
  if (text != "auto" && text != "true" && text != "false") {
    checker.Fault("search", "rebuild_at_start", "is true, false or auto, not \"" + text + "\"");
  }
  const RebuildAtStart if_told = text == "true" ? RebuildAtStart::kAlways : RebuildAtStart::kNever;
  return {.fill = text == "auto" ? RebuildAtStart::kIfEmpty : if_told,
          .fill_timeout_ms = search.Long("fill_timeout")};
}

// Settings that an embedded back end needs and that follow from the data directory.
void FillDefault(PluginChoice& choice, const char* plugin, const char* key, std::string text) {
  if (choice.plugin != plugin || choice.config.map.contains(key)) return;
  ConfigValue value = ConfigValue::Scalar(std::move(text));
  value.path = choice.config.path + "." + key;
  choice.config.map.emplace(key, std::move(value));
}

// Three servers on this machine, each a directory; of one file system, so each is told its size.
void FillLocalServers(Settings& settings) {
  ConfigValue& config = settings.hosts.config;
  if (settings.hosts.plugin != "host-local" || config.map.contains("servers")) return;
  ConfigValue servers;
  servers.shape = ConfigValue::Shape::kList;
  servers.path = config.path + ".servers";
  for (const char* id : {"local-1", "local-2", "local-3"}) {
    servers.list.push_back(
        ConfigValue::Map({{"id", ConfigValue::Scalar(id)},
                          {"path", ConfigValue::Scalar(settings.data_directory + "/hosts/" + id)},
                          {"disk", ConfigValue::Scalar("10GiB")}}));
  }
  config.map.emplace("servers", std::move(servers));
}

void ReadDirectories(const Config& top, const std::string& binary_directory,
                     const std::string& default_data_directory, Settings& settings) {
  settings.data_directory = top.String("data_directory");
  if (settings.data_directory.empty()) settings.data_directory = default_data_directory;
  settings.plugin_directories = top.StringList("plugin_directories");
  if (settings.plugin_directories.empty()) {
    settings.plugin_directories = {binary_directory + "/../plugins",
                                   binary_directory + "/../" A4C_LIBDIR "/a4c/plugins"};
  }
}

void ReadBackends(Settings& settings, Checker& checker) {
  settings.store = checker.Plugin("store");
  settings.bus = checker.Plugin("bus");
  settings.search = checker.Plugin("search");
  settings.hosts = checker.Plugin("hosts");
  settings.index_start = ReadIndexStart(*checker.Check("search"), checker);
  FillDefault(settings.store, "store-sqlite", "path", settings.data_directory + "/a4cd.db");
  FillDefault(settings.search, "search-sqlite", "path", settings.data_directory + "/search.db");
  FillLocalServers(settings);
}

void ReadDatabaseSection(const Config& config, Settings& settings) {
  settings.database = ReadDatabase(config);
  settings.poll_loops = static_cast<int>(config.Long("poll_loops"));
  settings.open_timeout_ms = config.Long("open_timeout");
  settings.migrate_timeout_ms = config.Long("migrate_timeout");
  settings.ready_lag_max_ms = config.Long("ready_lag_max");
}

void ReadApiAndWorker(Settings& settings, Checker& checker) {
  settings.api = ReadApi(*checker.Check("api"), checker);
  settings.api.enrol_timeout_ms = checker.Check("hosts")->Long("enrol_timeout");
  settings.secrets_key_file = checker.Check("secrets")->String("key_file");
  settings.secrets_key_file_where = checker.Where("secrets", "key_file");
  settings.worker = ReadWorker(*checker.Check("work"), *checker.Check("placement"),
                               *checker.Check("hosts"), checker);
  settings.worker.cleanup = ReadCleanup(*checker.Check("cleanup"), checker);
  settings.retention =
      ReadRetention(*checker.Check("retention"), settings.database.tombstone_keep_ms);
}

void CheckLogLevel(const std::string& level, Checker& checker) {
  const std::vector<std::string_view> known = LogLevelNames();
  if (std::ranges::find(known, level) != known.end()) return;
  const std::string nearest = a4c::Nearest(level, known);
  checker.Fault("log", "level",
                "is debug, info, warning or error, not \"" + level + "\"" +
                    (nearest.empty() ? "" : "; did you mean \"" + nearest + "\"?"));
}

void ReadProcess(Settings& settings, Checker& checker) {
  const Config* loops = checker.Check("loops");
  settings.singletons = {.lease_ms = loops->Long("lease"),
                         .look_period_ms = loops->Long("look_period"),
                         .retry_wait_ms = loops->Long("retry_wait")};
  const Config* log = checker.Check("log");
  settings.log_level = log->String("level");
  CheckLogLevel(settings.log_level, checker);
  settings.log_file = log->String("file");
  const Config* drain = checker.Check("drain");
  settings.drain_not_ready_ms = drain->Long("not_ready");
  settings.drain_timeout_ms = drain->Long("timeout");
}

// Without a bus nobody but the poller brings changes to the index, so it looks often.
void PollInPlaceOfBus(const ConfigValue& root, a4c::DatabaseOptions& options) {
  const auto database = root.map.find("database");
  const bool set = database != root.map.end() && database->second.map.contains("poll_period");
  if (!set) options.poll_period_ms = 1'000;
  options.first_due_ms = 0;
}

}  // namespace

Result<Settings> CheckSettings(const ConfigValue& root, const std::string& binary_directory,
                               const std::string& default_data_directory) {
  Checker checker(root);
  Result<Config> checked = checker.Root();
  if (!checked) checker.Fault(checked.error().message());
  const Config top =
      checked ? *std::move(checked) : *a4c::CheckConfig(ConfigValue::Map({}), RootKeys());
  Settings settings;
  ReadDirectories(top, binary_directory, default_data_directory, settings);
  ReadRoles(top, settings, checker);
  ReadBackends(settings, checker);
  ReadDatabaseSection(*checker.Check("database"), settings);
  ReadApiAndWorker(settings, checker);
  ReadProcess(settings, checker);
  if (settings.bus.plugin == "none") PollInPlaceOfBus(root, settings.database);
  if (!checker.faults().empty()) return Error(Code::kInvalid, checker.faults());
  return settings;
}

}  // namespace a4cd
