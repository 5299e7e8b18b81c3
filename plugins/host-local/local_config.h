// The settings of host-local, checked.
//
// Started as root, it runs units as another user and refuses to run them as root. Started as anyone
// else it can only run them as that user, who owns the files of a4c too: fit for one's own work.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "a4c/config.h"

namespace a4c::local {

inline constexpr ConfigKey kLocalKeys[] = {
    {"servers", ConfigType::kTree, "", "a list of {id, path, disk}; what they are is below"},
    {"run_as_user", ConfigType::kString, "",
     "name or number of the user that units run as; required when started as root"},
    {"supervisor_path", ConfigType::kString, "",
     "the program a4c-unit-supervisor; none: beside the plugin"},
    {"memory_default", ConfigType::kBytes, "0",
     "address space of a unit that asks for none; 0: no limit", false, 0},
    {"pids_default", ConfigType::kLong, "0", "processes of a unit that asks for none; 0: no limit",
     false, 0},
    {"file_size_max", ConfigType::kBytes, "1GiB",
     "size of each file that a unit writes; 0: no limit", false, 0},
    {"cpu_time_max", ConfigType::kDurationMs, "0", "processor time of a process; 0: no limit",
     false, 0},
    {"log_max", ConfigType::kBytes, "2MiB", "a unit's log keeps between half and all of this",
     false, 8192},
    {"stop_timeout", ConfigType::kDurationMs, "10s", "between SIGTERM and SIGKILL", false, 0,
     600'000},
    {"disk_refresh", ConfigType::kDurationMs, "5s", "disk figures are at most this old", false, 0},
    {"epochs_kept", ConfigType::kDurationMs, "30d",
     "the epoch of a removed unit is forgotten after this", false, 3'600'000},
    {"commands_max", ConfigType::kLong, "32", "commands (HostExec) at a time", false, 1, 1000},
    {"streams_max", ConfigType::kLong, "128", "commands with input (HostStreams) at a time", false,
     1, 1000},
};

inline constexpr ConfigKey kLocalServerKeys[] = {
    {"id", ConfigType::kString, nullptr, "its name in a4c"},
    {"path", ConfigType::kString, nullptr, "its directory; made if its parent is there"},
    {"disk", ConfigType::kBytes, "0",
     "its size: used is what lies below path; 0: the file system that holds path", false, 0},
    {"memory", ConfigType::kBytes, "0", "what it shows as its memory; 0: an equal share", false, 0},
    {"cpu_millis", ConfigType::kLong, "0", "what it shows as its processor; 0: an equal share",
     false, 0},
};

struct LocalServerOptions {
  std::string id;
  std::string path;
  int64_t disk_bytes = 0;
  int64_t memory_bytes = 0;
  int64_t cpu_millis = 0;
};

struct LocalOptions {
  std::vector<LocalServerOptions> servers;
  uid_t uid = 0;  // that units run as
  gid_t gid = 0;
  std::string supervisor_path;
  int64_t memory_bytes = 0;
  int64_t pids = 0;
  int64_t file_bytes_max = 0;
  int64_t cpu_time_max_ms = 0;
  int64_t log_bytes_max = 0;
  int64_t stop_timeout_ms = 0;
  int64_t disk_refresh_ms = 0;
  int64_t epochs_kept_ms = 0;
  int64_t commands_max = 0;
  int64_t streams_max = 0;
};

// One server of the config, or one that is enrolled. kInvalid: no id, a path that is not ours
// alone.
Result<LocalServerOptions> ReadLocalServer(const ConfigValue& value);

// kInvalid: two of one id, a path within another's, two without `disk` on one file system.
Result<void> CheckDistinct(const std::vector<LocalServerOptions>& servers);

// What a server shows of the machine unless it is told: the share of one of so many, so that
// placing on all of them does not promise the machine several times.
void ShareOutTheMachine(LocalServerOptions& server, size_t servers);

// kInvalid: see above for root; servers that share a path; servers without `disk` that share a file
// system, because their figures would be the same; a supervisor that is not there.
Result<LocalOptions> ReadLocalConfig(const Config& config);

}  // namespace a4c::local
