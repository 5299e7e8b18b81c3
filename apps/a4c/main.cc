#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "a4c/clock.h"
#include "a4c/sinks.h"
#include "apps/a4c/commands/commands.h"

int main(int argc, char** argv) {
  std::signal(SIGINT, [](int) { _exit(a4c_cli::kInterrupted); });
  std::signal(SIGPIPE, SIG_IGN);
  const a4c::Runtime runtime = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
  return a4c_cli::RunCli(std::vector<std::string>(argv + 1, argv + argc), runtime);
}
