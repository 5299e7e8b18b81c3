// a4c-unit-supervisor: the parent of one unit's processes. It outlives the service that started it,
// keeps the log, stops the unit when asked to (SIGTERM), and writes down how it ended.
//
// Descriptors: 0 the plan, 1 where to answer (a unit) or the output (a command), 3 the unit's
// directory, 4 (a unit) the lock that says that a supervisor lives, or 4 and 5 (a command with
// streams) its input and its errors. Time and waiting are the kernel's here: this is a program of
// its own, and its tests run it as one.
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>

#include "supervisor/local_launch.h"
#include "supervisor/local_processes.h"
#include "supervisor/supervisor_lock.h"
#include "supervisor/supervisor_log.h"
#include "supervisor/supervisor_process.h"

namespace a4c::local {
namespace {

constexpr int kDirectory = 3;
constexpr int kLock = 4;
constexpr Streams kStreams{.input = 4, .output = STDOUT_FILENO, .errors = 5};
constexpr Streams kOutputAlone{.output = STDOUT_FILENO, .errors = STDOUT_FILENO};
constexpr size_t kPlanBytesMax = 4u << 20;
constexpr int64_t kDrainMs = 2'000;

int64_t NowMs(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

std::string ReadAll(int fd) {
  std::string text;
  char piece[8192];
  for (ssize_t count;
       text.size() < kPlanBytesMax && (count = read(fd, piece, sizeof(piece))) != 0;) {
    if (count > 0) text.append(piece, static_cast<size_t>(count));
    if (count < 0 && errno != EINTR) break;
  }
  return text;
}

// Whole or not at all, also if the machine stops.
bool WriteFile(const char* name, const std::string& text) {
  const std::string part = std::string(name) + ".part";
  const int fd =
      openat(kDirectory, part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  const bool written =
      write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  close(fd);
  return written && renameat(kDirectory, part.c_str(), kDirectory, name) == 0 &&
         fsync(kDirectory) == 0;
}

void Answer(const std::string& text) {
  (void)!write(STDOUT_FILENO, text.data(), text.size());
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(null, STDOUT_FILENO);
}

int SignalDescriptor() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

// Watches one program from its start to the end of all that it started.
class Watch {
 public:
  Watch(const LaunchPlan& plan, int signals, pid_t leader, int output, SegmentLog* log)
      : plan_(plan), signals_(signals), leader_(leader), output_(output), log_(log) {}

  // The leader's wait status.
  int Run() {
    while (!LeaderEnded()) {
      pollfd entries[2] = {{signals_, POLLIN, 0}, {output_, POLLIN, 0}};
      poll(entries, output_ < 0 ? 1 : 2, Timeout());
      if (entries[0].revents != 0) TakeSignals();
      if (output_ >= 0 && entries[1].revents != 0) TakeOutput();
      if (stop_at_ms_ >= 0 && NowMs(CLOCK_MONOTONIC) >= stop_at_ms_) kill(-leader_, SIGKILL);
    }
    // Its group is killed while the leader's pid still belongs to it.
    kill(-leader_, SIGKILL);
    int status = 0;
    waitpid(leader_, &status, 0);
    KillAndReapChildren();
    Drain();
    return status;
  }

 private:
  bool LeaderEnded() const {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(leader_), &info, WEXITED | WNOWAIT | WNOHANG) == 0 &&
           info.si_pid == leader_;
  }
  int Timeout() const {
    if (stop_at_ms_ < 0) return -1;
    return static_cast<int>(std::clamp<int64_t>(stop_at_ms_ - NowMs(CLOCK_MONOTONIC), 10, 1000));
  }
  void TakeSignals() {
    signalfd_siginfo info{};
    bool child = false;
    while (read(signals_, &info, sizeof(info)) == sizeof(info)) {
      if (info.ssi_signo == SIGTERM && stop_at_ms_ < 0) {
        stop_at_ms_ = NowMs(CLOCK_MONOTONIC) + plan_.stop_timeout_ms;
        kill(-leader_, SIGTERM);
      }
      child = child || info.ssi_signo == SIGCHLD;
    }
    if (child) ReapOrphans();
  }
  // Grandchildren that outlived their parents come to us; the leader is waited for at the end.
  void ReapOrphans() {
    for (const pid_t pid : AllProcesses()) {
      const auto look = LookAt(pid);
      if (look && look->parent == getpid() && look->state == 'Z' && pid != leader_) {
        waitpid(pid, nullptr, WNOHANG);
      }
    }
  }
  bool TakeOutput() {
    char piece[65536];
    const ssize_t count = read(output_, piece, sizeof(piece));
    if (count > 0) {
      log_->Write({piece, static_cast<size_t>(count)});
      return true;
    }
    if (count == 0 || (errno != EINTR && errno != EAGAIN)) {
      close(output_);
      output_ = -1;
    }
    return false;
  }
  void Drain() {
    const int64_t end_ms = NowMs(CLOCK_MONOTONIC) + kDrainMs;
    while (output_ >= 0 && NowMs(CLOCK_MONOTONIC) < end_ms) {
      pollfd entry{output_, POLLIN, 0};
      if (poll(&entry, 1, 100) > 0) TakeOutput();
    }
  }

  const LaunchPlan& plan_;
  const int signals_;
  const pid_t leader_;
  int output_;
  SegmentLog* const log_;
  int64_t stop_at_ms_ = -1;
};

int RunCommand(const LaunchPlan& plan) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);  // nobody would read the output
  const int signals = SignalDescriptor();
  const Streams& streams = plan.streams ? kStreams : kOutputAlone;
  const Started started = StartProgram(plan, kDirectory, streams);
  if (started.pid < 0) return 126;
  // Whoever writes must see that nobody reads any more, once the program does not.
  if (plan.streams) close(streams.input);
  (void)!write(started.go, "g", 1);
  const std::string failure = ReadStatus(started.status) + "\n";
  if (failure.size() > 1) (void)!write(streams.errors, failure.data(), failure.size());
  // From here on who stops the unit finds the program by its mark. One that did so before has not.
  if (!IsSupervised(kDirectory)) kill(-started.pid, SIGKILL);
  return ExitCodeOf(Watch(plan, signals, started.pid, -1, nullptr).Run());
}

int RunUnit(const LaunchPlan& plan) {
  const int signals = SignalDescriptor();
  int output[2];
  if (pipe2(output, O_CLOEXEC) != 0) return 1;
  const Started started =
      StartProgram(plan, kDirectory, {.output = output[1], .errors = output[1]});
  close(output[1]);
  if (started.pid < 0) {
    Answer("cannot fork");
    return 1;
  }
  const auto self = LookAt(getpid());
  const auto leader = LookAt(started.pid);
  const RunRecord run{BootId(),
                      getpid(),
                      self ? self->start : 0,
                      started.pid,
                      leader ? leader->start : 0,
                      NowMs(CLOCK_REALTIME)};
  // Before the program runs, so that there is no moment in which it runs and nobody knows.
  if (!WriteFile("run", EncodeRun(run))) {
    kill(started.pid, SIGKILL);
    Answer("cannot write into the unit's directory");
    return 1;
  }
  (void)!write(started.go, "g", 1);
  const std::string failure = ReadStatus(started.status);
  if (failure.empty()) Answer("ok");
  SegmentLog log(kDirectory, plan.log_bytes_max);
  const int code = ExitCodeOf(Watch(plan, signals, started.pid, output[0], &log).Run());
  WriteFile("exit", EncodeExit({code, !failure.empty(), failure}));
  if (!failure.empty()) Answer("ok");  // only now, so that its state can be read
  return 0;
}

int Main() {
  const auto plan = DecodePlan(ReadAll(STDIN_FILENO));
  if (!plan) return 2;
  const int last = plan->streams ? kStreams.errors : plan->command ? kDirectory : kLock;
  closefrom(last + 1);
  for (int fd = kDirectory; fd <= last; ++fd) fcntl(fd, F_SETFD, FD_CLOEXEC);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  umask(022);
  if (plan->command) return RunCommand(*plan);
  // Away from the service: its end, its terminal and its signals do not concern the unit.
  const pid_t pid = fork();
  if (pid != 0) return pid < 0 ? 1 : 0;
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // not inherited
  setsid();
  return RunUnit(*plan);
}

}  // namespace
}  // namespace a4c::local

int main() {
  _exit(a4c::local::Main());
}
