// HostStreams: commands with input, over three pipes or a terminal. What waits for all of them is
// one epoll, whose descriptor the caller polls.
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "units/local_command.h"

namespace a4c::local {
namespace {

constexpr size_t kPieceBytes = 64u << 10;
constexpr int64_t kGraceMs = 500;  // between hang-up with SIGTERM, and SIGKILL

using From = StreamPiece::From;

// Our ends; of a terminal the three are one.
struct Ends {
  Fd input;
  Fd output;
  Fd errors;  // none of a terminal
};
struct Descriptors {
  Ends ours;
  Ends theirs;
};

void DoNotWait(const Fd& fd) {
  fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

winsize WindowOf(const TerminalSize& size) {
  winsize window{};
  window.ws_row = static_cast<unsigned short>(size.rows);
  window.ws_col = static_cast<unsigned short>(size.columns);
  return window;
}

Result<Descriptors> OpenPipes() {
  Descriptors made;
  int pair[2];
  for (const bool errors : {false, true}) {
    if (pipe2(pair, O_CLOEXEC) != 0) return FileError(errno, "pipe");
    (errors ? made.ours.errors : made.ours.output) = Fd(pair[0]);
    (errors ? made.theirs.errors : made.theirs.output) = Fd(pair[1]);
  }
  if (pipe2(pair, O_CLOEXEC) != 0) return FileError(errno, "pipe");
  made.theirs.input = Fd(pair[0]);
  made.ours.input = Fd(pair[1]);
  DoNotWait(made.ours.errors);
  return made;
}

Fd Copy(const Fd& fd) {
  return Fd(fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
}

Result<Descriptors> OpenTerminal(const TerminalSize& size, const LaunchPlan& plan) {
  const winsize window = WindowOf(size);
  int ours = -1;
  int theirs = -1;
  if (openpty(&ours, &theirs, nullptr, nullptr, &window) != 0) return FileError(errno, "terminal");
  Descriptors made;
  made.ours.output = Fd(ours);
  made.theirs.output = Fd(theirs);
  fcntl(ours, F_SETFD, FD_CLOEXEC);
  fcntl(theirs, F_SETFD, FD_CLOEXEC);
  if (plan.change_user && fchown(theirs, plan.uid, plan.gid) != 0) {
    return FileError(errno, "terminal");
  }
  made.ours.input = Copy(made.ours.output);
  made.theirs.input = Copy(made.theirs.output);
  made.theirs.errors = Copy(made.theirs.output);
  if (!made.ours.input || !made.theirs.input || !made.theirs.errors) {
    return FileError(errno, "terminal");
  }
  return made;
}

// write(2) without the signal that it raises if nobody reads.
ssize_t WriteQuietly(int fd, std::string_view bytes) {
  sigset_t pipe_signal;
  sigset_t before;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  const ssize_t count = write(fd, bytes.data(), bytes.size());
  const int error = errno;
  if (count < 0 && error == EPIPE && sigismember(&before, SIGPIPE) == 0) {
    const timespec now{};
    sigtimedwait(&pipe_signal, nullptr, &now);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return count;
}

class LocalCommand final : public HostCommand {
 public:
  LocalCommand(std::shared_ptr<Place> place, const Runtime& runtime, Ends ends, bool terminal,
               pid_t pid)
      : place_(std::move(place)),
        clock_(runtime.clock),
        waiter_(runtime.threads.NewWaiter()),
        ends_(std::move(ends)),
        terminal_(terminal),
        pid_(pid),
        epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    DoNotWait(ends_.output);
    DoNotWait(ends_.input);
  }

  ~LocalCommand() override {
    ends_ = Ends();
    if (exit_) return;
    EndCommand(clock_, *waiter_, pid_);
  }

  // What is not wanted is not watched at all: that the other side has gone wakes even who waits for
  // nothing.
  Result<StreamWait> WaitFor(const Call&, bool reading, bool writing) override {
    Watch(ends_.output, reading, EPOLLIN, watched_.output);
    Watch(ends_.errors, reading, EPOLLIN, watched_.errors);
    Watch(ends_.input, writing, EPOLLOUT, watched_.input);
    return StreamWait{.fd = epoll_.get(), .events = POLLIN};
  }

  Result<StreamPiece> Read(const Call&) override {
    for (Fd* fd : {&ends_.output, &ends_.errors}) {
      if (!*fd) continue;
      const ssize_t count = read(fd->get(), piece_.data(), piece_.size());
      if (count > 0) {
        return StreamPiece{fd == &ends_.output ? From::kOutput : From::kErrors,
                           std::string(piece_.data(), static_cast<size_t>(count))};
      }
      if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      // The end; of a terminal it is EIO. Gone from the epoll with its last descriptor.
      if (terminal_) ends_.input = Fd();
      *fd = Fd();
    }
    return StreamPiece{ends_.output || ends_.errors ? From::kNothing : From::kEnd};
  }

  Result<size_t> Write(const Call&, std::string_view bytes) override {
    if (!ends_.input) return bytes.size();
    const ssize_t count = WriteQuietly(ends_.input.get(), bytes);
    if (count >= 0) return static_cast<size_t>(count);
    if (errno == EAGAIN || errno == EINTR) return size_t{0};
    // It reads no more: what it is sent is lost, as in a pipeline.
    ends_.input = Fd();
    return bytes.size();
  }

  Result<bool> EndInput(const Call&) override {
    if (terminal_) return Error(Code::kUnsupported, "a terminal has no end of input");
    ends_.input = Fd();
    return true;
  }

  Result<void> Resize(const Call&, const TerminalSize& size) override {
    if (!terminal_) return Error(Code::kUnsupported, "the command has no terminal");
    const winsize window = WindowOf(size);
    if (ends_.output && ioctl(ends_.output.get(), TIOCSWINSZ, &window) != 0) {
      return FileError(errno, "the size of the terminal");
    }
    return {};
  }

  Result<int> Exit(const Call& call) override {
    if (!exit_) {
      A4C_TRY(exit_, AwaitExit(call, *waiter_, pid_));
    }
    return *exit_;
  }

 private:
  void Watch(const Fd& fd, bool wanted, uint32_t events, bool& watched) {
    if (!fd || wanted == watched) return;
    epoll_event event{};
    event.events = events;
    epoll_ctl(epoll_.get(), wanted ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, fd.get(), &event);
    watched = wanted;
  }

  const std::shared_ptr<Place> place_;
  const Clock& clock_;
  const std::unique_ptr<Waiter> waiter_;
  Ends ends_;
  const bool terminal_;
  const pid_t pid_;
  const Fd epoll_;
  struct Watched {
    bool input = false;
    bool output = false;
    bool errors = false;
  } watched_;
  std::optional<int> exit_;
  std::array<char, kPieceBytes> piece_{};
};

class LocalStreams final : public HostStreams {
 public:
  LocalStreams(LocalServers& servers, const Runtime& runtime, int64_t streams_max)
      : servers_(servers), runtime_(runtime), streams_max_(streams_max) {}

  Result<std::unique_ptr<HostCommand>> OpenCommand(const Call& call,
                                                   const CommandRequest& request) override {
    auto place = std::make_shared<Place>(open_, streams_max_);
    if (!place->got()) {
      return Error(Code::kExhausted, std::to_string(streams_max_) + " streams are open already",
                   "raise streams_max, or close some");
    }
    A4C_TRY(PlannedCommand planned, PlanCommand(call, servers_, request.exec));
    planned.plan.streams = true;
    planned.plan.terminal = request.terminal.has_value();
    planned.plan.stop_timeout_ms = kGraceMs;
    A4C_TRY(Descriptors made,
            request.terminal ? OpenTerminal(*request.terminal, planned.plan) : OpenPipes());
    A4C_TRY(const pid_t pid,
            planned.server->Spawn(planned.plan, {.answer = made.theirs.output.get(),
                                                 .unit_directory = planned.unit.directory.get(),
                                                 .lock_or_input = made.theirs.input.get(),
                                                 .errors = made.theirs.errors.get()}));
    return std::unique_ptr<HostCommand>(std::make_unique<LocalCommand>(
        std::move(place), runtime_, std::move(made.ours), request.terminal.has_value(), pid));
  }

  Result<std::unique_ptr<HostStream>> OpenPort(const Call&, const std::string&, const std::string&,
                                               int) override {
    return Error(Code::kUnsupported, "units here have no network of their own",
                 "what they listen on is on this machine's loopback: connect to it there");
  }

 private:
  LocalServers& servers_;
  const Runtime runtime_;
  const int64_t streams_max_;
  std::atomic<int64_t> open_ = 0;
};

}  // namespace

std::unique_ptr<HostStreams> NewLocalStreams(LocalServers& servers, const Runtime& runtime,
                                             int64_t streams_max) {
  return std::make_unique<LocalStreams>(servers, runtime, streams_max);
}

}  // namespace a4c::local
