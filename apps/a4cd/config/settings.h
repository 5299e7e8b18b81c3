// Settings: what a4cd was told to do, checked. The keys with their defaults stand in keys.cc,
// and `a4cd --print-config-keys` prints them; docs/config.md is held to them by a test.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "a4c/collection.h"
#include "a4c/config.h"
#include "a4c/result.h"
#include "apps/a4cd/config/trusted_proxies.h"
#include "apps/a4cd/upkeep/retention_loop.h"
#include "apps/a4cd/upkeep/singletons.h"
#include "apps/a4cd/worker.h"

namespace a4cd {

// A top-level map of the config file.
struct Section {
  const char* name;
  std::span<const a4c::ConfigKey> keys;
  bool has_plugin = false;  // has `plugin` and `config`, and `config` is checked by the plugin
};
std::span<const Section> Sections();
std::span<const a4c::ConfigKey> RootKeys();

struct PluginChoice {
  std::string plugin;  // "none" where that is allowed
  a4c::ConfigValue config;
  std::string where = {};  // the plugin was named: "a4cd.yaml:3: store.plugin"
};

struct ApiSettings {
  std::string listen = "127.0.0.1:7070";
  TrustedProxies trusted_proxies = {};
  int threads = 64;
  int queue = 256;
  int64_t slow_requests_max = 32;
  int64_t slow_requests_per_tenant_max = 16;
  int64_t keep_alive_ms = 5'000;
  int64_t request_timeout_ms = 10'000;
  int64_t body_bytes_max = 1 << 20;
  int64_t context_bytes_max = 2LL << 30;
  int64_t batch_bytes_max = 16 << 20;  // of its answer too
  int64_t batch_lines_max = 100'000;
  int64_t body_rate_min = 4096;  // bytes a second
  int batch_group = 100;
  int json_depth_max = 32;
  int page_limit_max = 500;
  int64_t rate_per_s = 0;
  int64_t rate_burst = 0;
  int64_t auth_cache_ms = 5'000;
  int streams_max = 1'000;
  int streams_per_tenant_max = 250;
  int64_t stream_buffer_bytes_max = 1 << 20;
  int64_t slow_answers_bytes_max = 256 << 20;
  int64_t events_period_ms = 500;
  int64_t events_scan_ms = 5'000;
  std::string bootstrap_key_file = {};
  int64_t enrol_timeout_ms = 60'000;
  bool audit = true;
  int sessions_max = 200;
  int sessions_per_tenant_max = 50;
  int64_t session_idle_max_ms = 3'600'000;
  int64_t session_duration_max_ms = 86'400'000;
  int64_t session_ping_period_ms = 15'000;
};

enum class RebuildAtStart : uint8_t { kNever, kIfEmpty, kAlways };
struct IndexStartOptions {
  RebuildAtStart fill = RebuildAtStart::kIfEmpty;
  int64_t fill_timeout_ms = 10 * 60'000;  // then it is left to the digests
};

struct Settings {
  std::string data_directory;
  std::vector<std::string> plugin_directories;
  std::set<std::string> roles;
  PluginChoice store;
  PluginChoice bus;
  PluginChoice search;
  PluginChoice hosts;
  IndexStartOptions index_start;
  ApiSettings api;
  std::string secrets_key_file;  // empty: no secrets
  std::string secrets_key_file_where;
  a4c::DatabaseOptions database;
  int poll_loops = 2;
  int64_t open_timeout_ms = 60'000;        // of the start, for the store's tables
  int64_t migrate_timeout_ms = 3'600'000;  // of a4cd migrate
  int64_t ready_lag_max_ms = 60'000;       // past it /readyz?role=sync fails
  WorkerOptions worker;
  RetentionOptions retention;
  SingletonOptions singletons;
  std::string log_level;
  std::string log_file;  // "-": standard error
  int64_t drain_not_ready_ms = 0;
  int64_t drain_timeout_ms = 25'000;

  bool HasRole(const std::string& role) const { return roles.contains(role); }
};

// kInvalid names every fault. `binary_directory` is where default plugin directories are looked
// for.
a4c::Result<Settings> CheckSettings(const a4c::ConfigValue& root,
                                    const std::string& binary_directory,
                                    const std::string& default_data_directory);

}  // namespace a4cd
