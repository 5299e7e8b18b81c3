// Starts the program of a unit under limits and as another user.
#pragma once

#include <sys/types.h>

#include <string>

#include "supervisor/local_launch.h"

namespace a4c::local {

struct Started {
  pid_t pid = -1;
  int go = -1;      // a byte written here lets it run; closing it ends it
  int status = -1;  // gives an error text, or nothing and its end once the program runs
};

// What becomes its standard streams.
struct Streams {
  int input = -1;  // -1: /dev/null
  int output;
  int errors;
};

// Forks. The child is a session of its own, dies with us, and waits for `go`.
Started StartProgram(const LaunchPlan& plan, int unit_directory, const Streams& streams);

// All that the status pipe says: empty once the program runs.
std::string ReadStatus(int status);

// Kills all our descendants, which are our children as soon as their parents die, and waits for
// them.
void KillAndReapChildren();

// 0..255, or 128 + n for signal n, of what waitpid gave.
int ExitCodeOf(int wait_status);

}  // namespace a4c::local
