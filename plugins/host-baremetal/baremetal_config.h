// The settings of host-baremetal, checked.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "a4c/config.h"
#include "images/registries.h"
#include "ssh/byte_channel.h"
#include "ssh/ssh_session.h"

namespace a4c::baremetal {

struct ServerOptions {
  std::string id;
  std::string address;
  int port = 22;
  std::string user;
  std::string host_key_fingerprint;
  std::string private_key_path;
  std::string docker_socket;
  std::string disk_path;                       // empty: dockerd's data root
  bool helper = false;                         // a4c-host is installed there
  std::string admin_user = {};                 // may install it
  std::string helper_data = {};                // where it keeps what it keeps; empty: as it is
  std::string agent = {};                      // a socket; instead of private_key_path
  std::string agent_key = {};                  // a fingerprint; empty: any of its keys
  std::shared_ptr<const SshTarget> jump = {};  // null: reached directly

  // A dockerd of this machine, "unix:///run/docker.sock".
  bool IsLocal() const { return address.starts_with("unix://"); }
  std::string LocalPath() const { return address.substr(7); }
};

struct UnitDefaults {
  int64_t memory_bytes = 0;
  int64_t cpu_millis = 0;
  int64_t pids = 0;
  int64_t tmp_bytes = 0;
  std::string network;
  bool init = true;
  int64_t log_file_bytes = 0;
  int64_t log_files = 0;
};

// Stands between what is said to a server and what carries it.
using ChannelWrapper = std::function<std::unique_ptr<ByteChannel>(
    const std::string& server, std::unique_ptr<ByteChannel> channel)>;

struct BaremetalOptions {
  std::vector<ServerOptions> servers;
  std::vector<RegistryOptions> registries;
  std::string cluster;
  std::string private_key_path;  // of servers that are enrolled without a key, as the next two
  std::string agent;
  std::string agent_key;
  std::string helper_program;
  UnitDefaults unit;
  int64_t connect_timeout_ms = 0;
  int64_t keepalive_interval_ms = 0;
  int64_t clock_difference_max_ms = 0;
  int64_t sessions_max = 0;
  int64_t streams_max = 0;
  int64_t terminals_max = 0;
  int64_t breaker_failures = 0;
  int64_t reconnect_wait_max_ms = 0;
  int64_t hosts_at_once = 0;
  int64_t session_idle_max_ms = 0;
  int64_t stop_timeout_ms = 0;
  int64_t reply_bytes_max = 0;
  int64_t build_context_bytes_max = 0;
  int64_t build_memory_bytes = 0;
  int64_t build_cpu_millis = 0;
  std::string build_network;
  int64_t image_send_bytes_max = 0;
  int64_t volume_copy_bytes_max = 0;
  ChannelWrapper wrap_channel = {};  // no setting: tests see and break what passes
};

// kInvalid names every server that is wrong, and why: a fingerprint out of form, an RSA key, a path
// that a shell would read as more than a path, an id that is there twice.
Result<BaremetalOptions> ReadBaremetalConfig(const Config& config);
// One server, in the same form.
Result<ServerOptions> ReadServerOptions(const ConfigValue& value);

}  // namespace a4c::baremetal
