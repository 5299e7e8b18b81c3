#include "tests/integration/support/spawn.h"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <algorithm>

namespace a4cd {
namespace {

std::vector<std::string> Environment(const Program& program) {
  std::vector<std::string> entries;
  const auto set = [&](const std::string& entry) {
    const std::string name = entry.substr(0, entry.find('=') + 1);
    std::erase_if(entries, [&](const std::string& one) { return one.starts_with(name); });
    entries.push_back(entry);
  };
  for (char** at = environ; *at != nullptr; ++at) set(*at);
  for (const auto& [name, value] : program.environment) set(std::string(name).append("=") + value);
  return entries;
}

// Valid as long as the words are.
std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

void Redirect(posix_spawn_file_actions_t* actions, const Program& program) {
  posix_spawn_file_actions_addchdir_np(actions, program.folder.c_str());
  for (int fd = 0; fd < 3; ++fd) {
    int flags = fd == 0 ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC;
    if (program.on_terminal) flags = O_RDWR;
    const std::string& path = program.files[static_cast<size_t>(fd)];
    posix_spawn_file_actions_addopen(actions, fd, path.c_str(), flags, 0600);
  }
}

}  // namespace

pid_t Spawn(const Program& program) {
  std::vector<std::string> words = program.arguments;
  words.insert(words.begin(), program.path);
  std::vector<std::string> entries = Environment(program);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  Redirect(&actions, program);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // The terminal that the first process of a session opens is its own.
  if (program.on_terminal) posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  pid_t pid = -1;
  const int rc = posix_spawnp(&pid, program.path.c_str(), &actions, &attributes,
                              Pointers(words).data(), Pointers(entries).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return rc == 0 ? pid : -1;
}

}  // namespace a4cd
