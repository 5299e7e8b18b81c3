// Starts a program without running a line of ours in a child of this process: its threads may hold
// locks, of the allocator or of a sanitizer, which nobody gives back after a fork.
#pragma once

#include <sys/types.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace a4cd {

inline const std::array<std::string, 3> kNowhere = {"/dev/null", "/dev/null", "/dev/null"};

struct Program {
  std::string path;  // or a name, looked for in PATH
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment = {};  // over that of the process
  std::string folder = ".";
  std::array<std::string, 3> files = kNowhere;  // input, output, errors
  bool on_terminal = false;  // the files are a terminal, which becomes the program's own
};

// Its pid; -1: it was not started.
pid_t Spawn(const Program& program);

}  // namespace a4cd
