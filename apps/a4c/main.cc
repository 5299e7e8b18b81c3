#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "a4c/clock.h"
#include "a4c/sinks.h"
#include "apps/a4c/commands/commands.h"

namespace {

// As `head` has, when it has seen enough: that is no failure.
bool ReaderHasGone() {
  pollfd output{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  return poll(&output, 1, 0) > 0 && (output.revents & POLLERR) != 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGINT, [](int) { _exit(a4c_cli::kInterrupted); });
  std::signal(SIGPIPE, SIG_IGN);
  const a4c::Runtime runtime = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
  const int exit_code = a4c_cli::RunCli(std::vector<std::string>(argv + 1, argv + argc), runtime);
  if ((std::fflush(stdout) == 0 && std::ferror(stdout) == 0) || ReaderHasGone()) return exit_code;
  std::fputs("a4c: error: standard output could not be written whole\n", stderr);
  return exit_code == a4c_cli::kOk ? a4c_cli::kFailed : exit_code;
}
