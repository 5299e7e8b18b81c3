// A command in a workspace, its input and output those of a4c itself, or others.
#pragma once

#include <unistd.h>

#include <string>
#include <vector>

#include "a4c/json.h"
#include "apps/a4c/relay.h"
#include "apps/a4c/session.h"

namespace a4c_cli {

struct ExecOptions {
  std::string workspace = {};
  std::vector<std::string> command = {};
  a4c::Json env = a4c::Json::Object{};
  std::string working_dir = {};
  bool terminal = false;
  RelayDescriptors descriptors = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
};

// The exit code: the command's own, or ours if there was none.
int ExecInWorkspace(Session& session, const ExecOptions& options);

// A problem that a session ends with, as the answer of a request.
Reply ProblemReply(const a4c::Json& problem);

}  // namespace a4c_cli
