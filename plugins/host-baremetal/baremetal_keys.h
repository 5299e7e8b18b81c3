// The settings of host-baremetal, and those of each of its servers.
#pragma once

#include "a4c/config.h"

namespace a4c::baremetal {

inline constexpr ConfigKey kBaremetalKeys[] = {
    {"servers", ConfigType::kTree, "", "a list of servers; their settings are below"},
    {"servers_file", ConfigType::kString, "", "a JSON file {\"servers\": [...]} with more of them"},
    {"cluster", ConfigType::kString, nullptr,
     "marks what is ours on the servers; another installation has another one"},
    {"private_key_path", ConfigType::kString, "", "of servers that are enrolled without one"},
    {"helper_program", ConfigType::kString, "",
     "the a4c-host that enrolment installs; none: the one beside the plugin"},
    {"memory_default", ConfigType::kBytes, "512MiB", "memory of a unit that asks for none", false,
     6 << 20},
    {"cpu_millis_default", ConfigType::kLong, "1000", "processor of a unit that asks for none",
     false, 10},
    {"pids_default", ConfigType::kLong, "256", "processes of a unit that asks for none", false, 1},
    {"tmp_max", ConfigType::kBytes, "64MiB", "each of /tmp and /run of a unit, in its memory",
     false, 1 << 20},
    {"network", ConfigType::kString, "none", "the Docker network that units are in"},
    {"init", ConfigType::kBool, "true", "run docker-init as process 1 of a unit"},
    {"log_file_max", ConfigType::kBytes, "10MiB", "a unit's log is rotated at this size", false,
     4096},
    {"log_files", ConfigType::kLong, "2", "rotated logs that are kept", false, 1, 100},
    {"connect_timeout", ConfigType::kDurationMs, "5s", "until a server counts as out of reach",
     false, 100},
    {"keepalive_interval", ConfigType::kDurationMs, "15s",
     "a silent connection is tried this often, and given up after twice as long", false, 1000},
    {"sessions_per_server", ConfigType::kLong, "8",
     "SSH connections to one server at most, for what is short", false, 1, 100},
    {"streams_per_server", ConfigType::kLong, "16",
     "the same for builds, commands and logs, which last", false, 1, 1000},
    {"breaker_failures", ConfigType::kLong, "3",
     "after so many failed connections in a row a server is left alone for a while", false, 1, 100},
    {"reconnect_wait_max", ConfigType::kDurationMs, "30s",
     "the longest while; it begins at 0.5s, doubles, and is jittered", false, 1000},
    {"hosts_at_once", ConfigType::kLong, "32", "servers that are asked at the same time", false, 1,
     256},
    {"session_idle_max", ConfigType::kDurationMs, "5m",
     "an unused connection is closed after this"},
    {"stop_timeout", ConfigType::kDurationMs, "10s", "between SIGTERM and SIGKILL", false, 0,
     600'000},
    {"reply_max", ConfigType::kBytes, "64MiB", "an answer of dockerd may be this long", false,
     65536},
    {"build_context_max", ConfigType::kBytes, "2GiB", "a build context may be this long", false, 1},
    {"build_memory", ConfigType::kBytes, "2GiB", "memory of each step of a build", false, 6 << 20},
};

inline constexpr ConfigKey kServerKeys[] = {
    {"id", ConfigType::kString, nullptr, "its name in a4c"},
    {"address", ConfigType::kString, nullptr,
     "name or IP address, or unix:///run/docker.sock for a dockerd of this machine"},
    {"port", ConfigType::kLong, "22", "of sshd", false, 1, 65535},
    {"user", ConfigType::kString, "", "the login; in the group docker"},
    {"host_key_fingerprint", ConfigType::kString, "",
     "SHA256:..., of the server's ed25519 or ECDSA key"},
    {"private_key_path", ConfigType::kString, "", "an ed25519 key, readable by us alone"},
    {"helper", ConfigType::kBool, "false",
     "a4c-host is installed there: effects go through it, in the order of their epochs"},
    {"admin_user", ConfigType::kString, "",
     "a login that may install a4c-host at enrolment: root, or one with sudo"},
    {"helper_data", ConfigType::kString, "/var/lib/a4c-host",
     "where a4c-host keeps fences and volumes"},
    {"docker_socket", ConfigType::kString, "/var/run/docker.sock", "where dockerd listens"},
    {"disk_path", ConfigType::kString, "", "whose file system is measured; none: dockerd's data"},
};

}  // namespace a4c::baremetal
