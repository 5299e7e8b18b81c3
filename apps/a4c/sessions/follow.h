// The log of a workspace as it grows, over breaks: with the position that came with what was shown
// last, nothing is shown twice and nothing left out.
#pragma once

#include <string>

#include "apps/a4c/session.h"

namespace a4c_cli {

// Until it is interrupted, which ends the process, or cannot go on: the exit code.
int FollowWorkspaceLog(Session& session, const std::string& workspace);

}  // namespace a4c_cli
