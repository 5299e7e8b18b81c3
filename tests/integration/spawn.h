// Starts a program without running a line of ours in a child of this process: its threads may hold
// locks, of the allocator or of a sanitizer, which nobody gives back after a fork.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace a4cd {

// With this environment over that of the process, and these files as its input, output and errors.
// Its pid; -1: it was not started.
inline pid_t Spawn(const std::string& program, std::vector<std::string> arguments,
                   const std::vector<std::pair<std::string, std::string>>& environment,
                   const std::array<std::string, 3>& files) {
  arguments.insert(arguments.begin(), "a4c");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::vector<std::string> entries;
  for (const auto& [name, value] : environment) {
    std::erase_if(entries, [&](const std::string& one) { return one.starts_with(name + "="); });
    entries.push_back(name + "=" + value);
  }
  const size_t ours = entries.size();
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string entry = *at;
    const std::string name = entry.substr(0, entry.find('=') + 1);
    bool is_over = false;
    for (size_t i = 0; i < ours; ++i) is_over = is_over || entries[i].starts_with(name);
    if (!is_over) entries.push_back(entry);
  }
  std::vector<char*> env;
  for (std::string& entry : entries) env.push_back(entry.data());
  env.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int fd = 0; fd < 3; ++fd) {
    const int flags = fd == 0 ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&actions, fd, files[static_cast<size_t>(fd)].c_str(), flags,
                                     0600);
  }
  pid_t pid = -1;
  const int rc = posix_spawn(&pid, program.c_str(), &actions, nullptr, argv.data(), env.data());
  posix_spawn_file_actions_destroy(&actions);
  return rc == 0 ? pid : -1;
}

}  // namespace a4cd
