// The log of a workspace as it grows, over breaks: with the position that came with what was shown
// last, nothing is shown twice and nothing left out.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "apps/a4c/session.h"

namespace a4c_cli {

// Until it is interrupted, which ends the process, or cannot go on: the exit code. begin: what the
// query says as long as there is no position.
int FollowWorkspaceLog(Session& session, const std::string& workspace,
                       std::vector<std::pair<std::string, std::string>> begin);

}  // namespace a4c_cli
