#include "supervisor/local_supervision.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace a4c::local {
namespace {

constexpr int kSafeFd = 10;  // above those that the supervisor gets

Fd HighCopy(int fd) {
  return Fd(fcntl(fd, F_DUPFD_CLOEXEC, kSafeFd));
}

// Sends the whole plan without being killed if the reader is gone.
bool SendAll(int fd, const std::string& bytes) {
  size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t count = send(fd, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) at += static_cast<size_t>(count);
  }
  return true;
}

// The program's descriptors are 0 the plan, and then those of SupervisorDescriptors.
Result<pid_t> StartSupervisor(const std::string& program, const Fd& plan,
                              const SupervisorDescriptors& descriptors) {
  const Fd copies[] = {HighCopy(plan.get()), HighCopy(descriptors.answer),
                       HighCopy(descriptors.unit_directory), HighCopy(descriptors.lock_or_input),
                       HighCopy(descriptors.errors)};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, copies[0].get(), 0);
  posix_spawn_file_actions_adddup2(&actions, copies[1].get(), 1);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, copies[2].get(), 3);
  if (copies[3]) posix_spawn_file_actions_adddup2(&actions, copies[3].get(), 4);
  if (copies[4]) posix_spawn_file_actions_adddup2(&actions, copies[4].get(), 5);
  char* argv[] = {const_cast<char*>(program.c_str()), nullptr};
  char* env[] = {nullptr};
  pid_t pid = -1;
  const int rc = posix_spawn(&pid, program.c_str(), &actions, nullptr, argv, env);
  posix_spawn_file_actions_destroy(&actions);
  if (rc != 0) return FileError(rc, "starting " + program);
  return pid;
}

}  // namespace

Result<std::optional<Fd>> TakeSupervisorLock(int unit_directory) {
  Fd file(openat(unit_directory, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return FileError(errno, "lock");
  struct flock lock = WholeFile(F_WRLCK);
  if (fcntl(file.get(), F_OFD_SETLK, &lock) == 0) return std::optional<Fd>(std::move(file));
  if (errno == EAGAIN || errno == EACCES) return std::optional<Fd>();
  return FileError(errno, "lock");
}

Result<pid_t> SpawnSupervisor(const std::string& program, const LaunchPlan& plan,
                              const SupervisorDescriptors& descriptors) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return FileError(errno, "socketpair");
  }
  const Fd ours(pair[0]);
  Fd theirs(pair[1]);
  A4C_TRY(const pid_t pid, StartSupervisor(program, theirs, descriptors));
  theirs = Fd();
  if (!SendAll(ours.get(), EncodePlan(plan))) {
    return Error(Code::kInternal, "the supervisor did not read its plan");
  }
  return pid;
}

}  // namespace a4c::local
