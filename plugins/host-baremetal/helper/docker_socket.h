// One request to dockerd over its local socket.
#pragma once

#include <string>

#include "http.h"

namespace a4c::helper {

// Waits for the answer as long as dockerd lives: whoever holds a lock meanwhile holds it as long as
// the effect may still happen. A GET is without one, and has patience_s between two pieces of its
// answer: whoever asked has given up by then, and a dockerd that hangs gathers no processes of
// ours. kUnavailable: nothing was sent. kTimeout: a GET was not answered. kUnknownOutcome: it ended
// before its answer.
Result<Reply> AskDocker(const std::string& socket, const Request& request, int patience_s = 60);

}  // namespace a4c::helper
