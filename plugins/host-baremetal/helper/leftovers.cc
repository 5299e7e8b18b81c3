#include "leftovers.h"

#include <poll.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <vector>

#include "files.h"

namespace a4c::helper {
namespace {

constexpr size_t kFileBytesMax = 16 << 10;
constexpr size_t kIdDigits = 64;
constexpr int kTries = 100;
constexpr int kPollMs = 50;

// Its parent has yet to hear of its end.
bool IsZombie(const std::string& directory) {
  const auto stat = ReadFile(directory + "/stat", kFileBytesMax);
  if (!stat || !*stat) return false;
  const size_t name_end = (*stat)->rfind(')');  // a name may hold anything
  return name_end != std::string::npos && (*stat)->substr(name_end, 3) == ") Z";
}

// By the paths of its control groups, which say the same with cgroup v1, v2, cgroupfs and systemd.
bool IsOf(const std::string& container, const std::string& directory) {
  const auto groups = ReadFile(directory + "/cgroup", kFileBytesMax);
  return groups && *groups && (*groups)->find(container) != std::string::npos &&
         !IsZombie(directory);
}

// containerd's keeper of a container, by its words: "... -id ID -address SOCKET". It starts others
// that name the container too, to clean up after it; those are let be.
bool IsShimOf(const std::string& container, const std::string& directory) {
  constexpr char kEnd = '\0';
  const auto words = ReadFile(directory + "/cmdline", kFileBytesMax);
  if (!words || !*words) return false;
  const std::string program = (*words)->substr(0, (*words)->find(kEnd));
  std::string names = std::string("-id") + kEnd;
  names.append(container).append(1, kEnd).append("-address").append(1, kEnd);
  return program.substr(program.rfind('/') + 1).starts_with("containerd-shim") &&
         (*words)->find(names) != std::string::npos;
}

using Belongs = bool (*)(const std::string& container, const std::string& directory);

std::string DirectoryOf(const std::string& proc, const std::string& name) {
  return std::string(proc).append("/").append(name);
}

std::vector<pid_t> ProcessesOf(const std::string& container, const std::string& proc,
                               Belongs belongs) {
  std::vector<pid_t> pids;
  for (const std::string& name : NamesIn(proc)) {
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size() || pid <= 1) continue;
    if (belongs(container, DirectoryOf(proc, name))) pids.push_back(pid);
  }
  return pids;
}

// Looked at once more while it is held: by now its number may be another process's. By syscall:
// <sys/pidfd.h> of glibc 2.36 does not link from C++.
void Kill(pid_t pid, const std::string& container, const std::string& proc, Belongs belongs) {
  const Fd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (process && belongs(container, DirectoryOf(proc, std::to_string(pid)))) {
    (void)syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
  } else if (!process && errno == ENOSYS) {  // before Linux 5.3
    kill(pid, SIGKILL);
  }
}

}  // namespace

bool IsContainerId(std::string_view text) {
  return text.size() == kIdDigits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Result<void> EndProcessesOf(const std::string& container, const std::string& proc) {
  for (int tries = 0;; ++tries) {
    const std::vector<pid_t> pids = ProcessesOf(container, proc, IsOf);
    if (pids.empty()) return {};
    if (tries >= kTries) {
      return Error(Code::kUnavailable, "process " + std::to_string(pids.front()) +
                                           " of container " + container + " does not end");
    }
    for (const pid_t pid : pids) Kill(pid, container, proc, IsOf);
    poll(nullptr, 0, kPollMs);
  }
}

void EndShimOf(const std::string& container, const std::string& proc) {
  for (const pid_t pid : ProcessesOf(container, proc, IsShimOf)) {
    Kill(pid, container, proc, IsShimOf);
  }
}

}  // namespace a4c::helper
