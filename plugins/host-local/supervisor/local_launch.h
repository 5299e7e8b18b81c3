// What the provider tells the supervisor, and what that writes down. Shared by both; no I/O but the
// reading of a whole file descriptor by the supervisor itself.
//
// The plan goes to the supervisor's standard input as fields that end with NUL, the first of them a
// version. What happened to a run is written as lines of text.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace a4c::local {

struct LaunchPlan {
  bool command = false;   // HostExec, HostStreams: output to standard output, ends with its caller
  bool streams = false;   // of a command: descriptor 4 is its input, 5 takes its errors
  bool terminal = false;  // then these and its output are one terminal, which is to control it
  uint32_t uid = 0;
  uint32_t gid = 0;
  bool change_user = false;
  std::string working_dir;   // below the unit's files, without leading slash; empty: there
  int64_t memory_bytes = 0;  // 0: no limit, as in the next
  int64_t pids = 0;
  int64_t file_bytes = 0;
  int64_t cpu_seconds = 0;
  int64_t log_bytes_max = 0;
  int64_t stop_timeout_ms = 0;
  std::vector<std::string> argv;
  std::vector<std::string> env;  // "NAME=value", the whole environment
};

std::string EncodePlan(const LaunchPlan& plan);
std::optional<LaunchPlan> DecodePlan(std::string_view bytes);

// The file "run" of a unit: written before the program runs.
struct RunRecord {
  std::string boot_id;  // pids mean nothing after a boot
  int64_t supervisor_pid = 0;
  int64_t supervisor_start = 0;  // field 22 of /proc/<pid>/stat: guards against a pid used anew
  int64_t leader_pid = 0;
  int64_t leader_start = 0;
  int64_t started_at_ms = 0;
};
std::string EncodeRun(const RunRecord& run);
std::optional<RunRecord> DecodeRun(std::string_view text);

// The file "exit": written when all of the unit's processes are gone.
struct ExitRecord {
  int code = 0;
  bool cannot_run = false;
  std::string reason;  // one line
};
std::string EncodeExit(const ExitRecord& exit);
std::optional<ExitRecord> DecodeExit(std::string_view text);

}  // namespace a4c::local
