// What a unit's command would do, worked out when it starts: a fake process needs no thread and no
// kernel, only the time. Understands true, false, sleep, echo, seq, pwd, cd, exit, `stty size`,
// `cat FILE`, and `sh -c` with these separated by ";", with $NAME, >&2 and `echo TEXT > FILE`, or
// with `while :; do :; done`, which keeps a processor busy: what tests need of a program.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "a4c/clock.h"

namespace a4c::memory {

struct FakeOutput {
  int64_t at_ms;  // after the start
  std::string text;
  bool errors = false;  // to standard error
};

struct FakeRun {
  std::vector<FakeOutput> output;
  int64_t ends_ms = Waiter::kForever;  // after the start
  int exit_code = 0;
  bool busy = false;  // uses a processor all along
};

// What a unit keeps, by file name. It is written at once, whatever the time.
using FakeFiles = std::map<std::string, std::string>;

// The variable that holds the size of the terminal, "24 80", of a command that has one.
inline constexpr const char* kTerminalSize = "A4C_TERMINAL_SIZE";

// Nothing if there is no such program. An empty command is an image's own: it runs until stopped.
std::optional<FakeRun> PlanRun(const std::vector<std::string>& command,
                               const std::map<std::string, std::string>& env,
                               const std::string& working_dir, FakeFiles& files);

}  // namespace a4c::memory
