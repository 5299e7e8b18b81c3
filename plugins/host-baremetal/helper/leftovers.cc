#include "leftovers.h"

#include <poll.h>
#include <sys/types.h>

#include <algorithm>
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

// By the paths of their control groups, which say the same with cgroup v1, v2, cgroupfs and
// systemd.
std::vector<pid_t> ProcessesOf(const std::string& container, const std::string& proc) {
  std::vector<pid_t> pids;
  for (const std::string& name : NamesIn(proc)) {
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size() || pid <= 1) continue;
    const std::string directory = std::string(proc).append("/").append(name);
    const auto groups = ReadFile(directory + "/cgroup", kFileBytesMax);
    const bool is_in = groups && *groups && (*groups)->find(container) != std::string::npos;
    if (is_in && !IsZombie(directory)) pids.push_back(pid);
  }
  return pids;
}

}  // namespace

bool IsContainerId(std::string_view text) {
  return text.size() == kIdDigits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Result<void> EndProcessesOf(const std::string& container, const std::string& proc) {
  for (int tries = 0;; ++tries) {
    const std::vector<pid_t> pids = ProcessesOf(container, proc);
    if (pids.empty()) return {};
    if (tries >= kTries) {
      return Error(Code::kUnavailable, "process " + std::to_string(pids.front()) +
                                           " of container " + container + " does not end");
    }
    for (const pid_t pid : pids) kill(pid, SIGKILL);
    poll(nullptr, 0, kPollMs);
  }
}

}  // namespace a4c::helper
