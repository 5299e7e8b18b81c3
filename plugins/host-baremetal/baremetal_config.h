// The settings of host-baremetal, checked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "a4c/config.h"

namespace a4c::baremetal {

struct ServerOptions {
  std::string id;
  std::string address;
  int port = 22;
  std::string user;
  std::string host_key_fingerprint;
  std::string private_key_path;
  std::string docker_socket;
  std::string disk_path;  // empty: dockerd's data root
};

struct UnitDefaults {
  int64_t memory_bytes = 0;
  int64_t cpu_millis = 0;
  int64_t pids = 0;
  std::string network;
  bool init = true;
  int64_t log_file_bytes = 0;
  int64_t log_files = 0;
};

struct BaremetalOptions {
  std::vector<ServerOptions> servers;
  std::string cluster;
  UnitDefaults unit;
  int64_t connect_timeout_ms = 0;
  int64_t keepalive_interval_ms = 0;
  int64_t sessions_max = 0;
  int64_t session_idle_max_ms = 0;
  int64_t stop_timeout_ms = 0;
  int64_t reply_bytes_max = 0;
  int64_t build_context_bytes_max = 0;
  int64_t build_memory_bytes = 0;
};

// kInvalid names every server that is wrong, and why: a fingerprint out of form, an RSA key, a path
// that a shell would read as more than a path, an id that is there twice.
Result<BaremetalOptions> ReadBaremetalConfig(const Config& config);

}  // namespace a4c::baremetal
