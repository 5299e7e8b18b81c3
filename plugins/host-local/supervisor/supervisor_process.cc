#include "supervisor/supervisor_process.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "supervisor/local_processes.h"

namespace a4c::local {
namespace {

constexpr int kRoundsMax = 2'000;
constexpr timespec kRoundPause = {0, 5'000'000};

// In the child: says what went wrong and ends.
class Child {
 public:
  Child(const LaunchPlan& plan, int unit_directory, const Streams& streams, int go, int status)
      : plan_(plan), directory_(unit_directory), streams_(streams), go_(go), status_(status) {}

  [[noreturn]] void Run(pid_t supervisor) {
    setsid();
    char byte = 0;
    if (read(go_, &byte, 1) != 1) _exit(1);
    if (plan_.terminal && ioctl(streams_.input, TIOCSCTTY, 0) != 0) Fail("the terminal");
    EnterFiles();
    SetLimits();
    if (plan_.change_user) ChangeUser();
    EnterWorkingDir();
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    // Last, because changing the user clears it. If the supervisor died before, so do we.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != supervisor) _exit(1);
    Redirect();
    Exec();
  }

 private:
  [[noreturn]] void Fail(const char* what) {
    const std::string text = std::string(what) + ": " + std::strerror(errno);
    // Nobody is left to hear it if this fails.
    (void)!write(status_, text.data(), text.size());
    _exit(127);
  }

  void EnterFiles() {
    const int files = openat(directory_, "files", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (files < 0 || fchdir(files) != 0) Fail("the unit's files");
  }

  void Limit(decltype(RLIMIT_CORE) resource, int64_t amount) {
    if (amount <= 0) return;
    const rlimit limit{static_cast<rlim_t>(amount), static_cast<rlim_t>(amount)};
    if (setrlimit(resource, &limit) != 0) Fail("a limit");
  }

  void SetLimits() {
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    Limit(RLIMIT_FSIZE, plan_.file_bytes);
    Limit(RLIMIT_CPU, plan_.cpu_seconds);
    // The kernel counts all threads of the user, so those of others are added.
    if (plan_.pids > 0) Limit(RLIMIT_NPROC, ThreadsOf(plan_.uid) + plan_.pids);
  }

  void ChangeUser() {
    if (setgroups(0, nullptr) != 0 || setresgid(plan_.gid, plan_.gid, plan_.gid) != 0 ||
        setresuid(plan_.uid, plan_.uid, plan_.uid) != 0) {
      Fail("changing the user");
    }
    if (geteuid() == 0 || setuid(0) == 0) {
      errno = EPERM;
      Fail("root rights are still there");
    }
  }

  void EnterWorkingDir() {
    if (!plan_.working_dir.empty() && chdir(plan_.working_dir.c_str()) != 0) Fail("working_dir");
  }

  void Redirect() {
    // Away from where the standard streams will be.
    const int output = fcntl(streams_.output, F_DUPFD, 6);
    const int errors = fcntl(streams_.errors, F_DUPFD, 6);
    const int input = streams_.input < 0 ? open("/dev/null", O_RDONLY) : streams_.input;
    if (input < 0 || dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(errors, 2) < 0) {
      Fail("redirecting output");
    }
    // The status pipe closes itself on exec; everything else goes here.
    if (dup2(status_, 3) < 0 || fcntl(3, F_SETFD, FD_CLOEXEC) != 0) Fail("redirecting output");
    status_ = 3;
    closefrom(4);
  }

  [[noreturn]] void Exec() {
    sigset_t none;
    sigemptyset(&none);
    for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    std::vector<char*> argv;
    for (const std::string& word : plan_.argv) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    std::vector<char*> env;
    for (const std::string& entry : plan_.env) {
      env.push_back(const_cast<char*>(entry.c_str()));
      // execvpe looks for the program in our own PATH.
      if (entry.starts_with("PATH=")) setenv("PATH", entry.c_str() + 5, 1);
    }
    env.push_back(nullptr);
    // Last: from here on nothing is allocated.
    Limit(RLIMIT_AS, plan_.memory_bytes);
    execvpe(argv.front(), argv.data(), env.data());
    Fail(plan_.argv.front().c_str());
  }

  const LaunchPlan& plan_;
  const int directory_;
  const Streams streams_;
  const int go_;
  int status_;
};

}  // namespace

Started StartProgram(const LaunchPlan& plan, int unit_directory, const Streams& streams) {
  int go[2];
  int status[2];
  if (pipe2(go, O_CLOEXEC) != 0 || pipe2(status, O_CLOEXEC) != 0) return {};
  const pid_t supervisor = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    close(go[1]);
    close(status[0]);
    Child(plan, unit_directory, streams, go[0], status[1]).Run(supervisor);
  }
  close(go[0]);
  close(status[1]);
  return {pid, go[1], status[0]};
}

std::string ReadStatus(int status) {
  std::string text;
  char piece[256];
  for (ssize_t count; (count = read(status, piece, sizeof(piece))) != 0;) {
    if (count > 0) text.append(piece, static_cast<size_t>(count));
    if (count < 0 && errno != EINTR) break;
  }
  return text;
}

void KillAndReapChildren() {
  for (int round = 0; round < kRoundsMax; ++round) {
    // Our children cannot be anyone else as long as we have not waited for them.
    for (const pid_t pid : AllProcesses()) {
      const auto look = LookAt(pid);
      if (look && look->parent == getpid() && look->state != 'Z') kill(pid, SIGKILL);
    }
    pid_t reaped = 0;
    while ((reaped = waitpid(-1, nullptr, WNOHANG)) > 0) {
    }
    if (reaped < 0 && errno == ECHILD) return;
    nanosleep(&kRoundPause, nullptr);
  }
}

int ExitCodeOf(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

}  // namespace a4c::local
