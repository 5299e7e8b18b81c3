// Files between this machine and a workspace, as a stream of tar: `tar` here and `tar` there, each
// with the rights of who runs it.
#pragma once

#include <string>

#include "apps/a4c/session.h"

namespace a4c_cli {

// One of the two is WORKSPACE:PATH; the exit code.
int Copy(Session& session, const std::string& from, const std::string& to);

}  // namespace a4c_cli
