#include "supervisor/local_processes.h"

#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <fstream>
#include <sstream>

namespace a4c::local {
namespace {

std::string ReadProc(pid_t pid, const char* file) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/" + file, std::ios::binary);
  std::string text;
  char piece[4096];
  // read, and no iterator: a process that ends meanwhile makes reading fail, and an iterator
  // throws.
  while (in.read(piece, sizeof(piece)) || in.gcount() > 0) {
    text.append(piece, static_cast<size_t>(in.gcount()));
  }
  return text;
}

class PidFd {
 public:
  explicit PidFd(pid_t pid) : fd_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}
  ~PidFd() {
    if (fd_ >= 0) close(fd_);
  }
  PidFd(const PidFd&) = delete;
  PidFd& operator=(const PidFd&) = delete;
  bool Send(int signal) const {
    return fd_ >= 0 && syscall(SYS_pidfd_send_signal, fd_, signal, nullptr, 0) == 0;
  }

 private:
  const int fd_;
};

// Of the first variable of that name ("NAME="); empty if there is none.
std::string ValueOf(pid_t pid, const std::string& name) {
  const std::string environment = '\0' + ReadProc(pid, "environ");
  const size_t at = environment.find('\0' + name);
  if (at == std::string::npos) return {};
  const size_t begin = at + 1 + name.size();
  return environment.substr(begin, environment.find('\0', begin) - begin);
}

bool HasEntry(pid_t pid, const std::string& entry) {
  const std::string environment = '\0' + ReadProc(pid, "environ");
  return environment.find('\0' + entry + '\0') != std::string::npos;
}

}  // namespace

std::string BootId() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string id;
  in >> id;
  return id;
}

std::optional<ProcessLook> ReadStat(const std::string& text) {
  // "pid (name) state ppid ...": the name may hold spaces and parentheses, so from the last one on.
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream in(text.substr(name_end + 1));
  ProcessLook look;
  std::string skipped;
  in >> look.state >> look.parent;
  int field = 5;
  for (; field < 14; ++field) in >> skipped;
  for (int64_t ticks = 0; field < 18 && in >> ticks; ++field) look.ticks += ticks;
  for (; field < 20; ++field) in >> skipped;
  in >> look.threads >> skipped >> look.start;
  if (!in) return std::nullopt;
  // Absent of what has ended.
  in >> skipped >> look.pages;
  return look;
}

std::optional<ProcessLook> LookAt(pid_t pid) {
  return ReadStat(ReadProc(pid, "stat"));
}

std::vector<pid_t> AllProcesses() {
  std::vector<pid_t> pids;
  DIR* proc = opendir("/proc");
  if (proc == nullptr) return pids;
  while (const dirent* entry = readdir(proc)) {
    const std::string_view name = entry->d_name;
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc() && end == name.data() + name.size()) pids.push_back(pid);
  }
  closedir(proc);
  return pids;
}

int64_t ThreadsOf(uid_t uid) {
  int64_t threads = 0;
  for (const pid_t pid : AllProcesses()) {
    std::istringstream status(ReadProc(pid, "status"));
    uid_t owner = ~uid_t{0};
    for (std::string word; status >> word;) {
      if (word == "Uid:") status >> owner;
      int64_t count = 0;
      if (word == "Threads:" && owner == uid && status >> count) threads += count;
    }
  }
  return threads;
}

bool SignalExactly(pid_t pid, int64_t start, int signal) {
  if (pid <= 1) return false;
  // The descriptor is taken first: if the process behind it is the right one, it stays the right
  // one.
  const PidFd process(pid);
  const auto look = LookAt(pid);
  return look && look->start == start && process.Send(signal);
}

std::map<std::string, ProcessUse> UseByValue(const std::string& name) {
  static const int64_t ticks_a_second = sysconf(_SC_CLK_TCK);
  static const int64_t page_bytes = sysconf(_SC_PAGESIZE);
  std::map<std::string, ProcessUse> by_value;
  for (const pid_t pid : AllProcesses()) {
    const std::string value = ValueOf(pid, name);
    const auto look = value.empty() ? std::nullopt : LookAt(pid);
    if (!look) continue;
    ProcessUse& use = by_value[value];
    use.cpu_ms += look->ticks * 1000 / ticks_a_second;
    use.memory_bytes += look->pages * page_bytes;
    use.threads += look->threads;
  }
  return by_value;
}

int KillMarked(const std::string& entry) {
  int killed = 0;
  for (const pid_t pid : AllProcesses()) {
    if (pid <= 1 || pid == getpid()) continue;
    const PidFd process(pid);
    if (HasEntry(pid, entry) && process.Send(SIGKILL)) ++killed;
  }
  return killed;
}

}  // namespace a4c::local
