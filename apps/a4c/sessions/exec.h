// A command in a workspace, its input and output those of a4c itself, or others.
#pragma once

#include <unistd.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "a4c/json.h"
#include "apps/a4c/session.h"
#include "apps/a4c/sessions/relay.h"
#include "apps/a4c/sessions/terminal.h"

namespace a4c_cli {

struct ExecOptions {
  std::string workspace = {};
  std::vector<std::string> command = {};
  a4c::Json env = a4c::Json::Object{};
  std::string working_dir = {};
  bool terminal = false;
  // The terminal's size, asked for on this thread; empty: that of a4c's own terminal, which is made
  // raw meanwhile.
  std::function<WindowSize()> window_size = {};
  RelayDescriptors descriptors = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
};

// How a command ended: with its exit code, or for a reason that the server told.
struct ExecEnd {
  int exit_code = 0;
  std::optional<Reply> problem = {};
};
// Over a connection of its own. [any thread]
a4c::Result<ExecEnd> RunInWorkspace(const Session& session, const ExecOptions& options);

// The exit code: the command's own, or ours if there was none.
int ExecInWorkspace(Session& session, const ExecOptions& options);

// A shell that is there: bash, else sh.
std::vector<std::string> ShellCommand();

// A problem that a session ends with, as the answer of a request.
Reply ProblemReply(const a4c::Json& problem);

}  // namespace a4c_cli
