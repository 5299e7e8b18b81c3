// One request to dockerd over its local socket.
#pragma once

#include <string>

#include "http.h"

namespace a4c::helper {

// Waits for the answer as long as dockerd lives: whoever holds a lock meanwhile holds it as long as
// the effect may still happen. kUnavailable: nothing was sent. kUnknownOutcome: it ended before its
// answer.
Result<Reply> AskDocker(const std::string& socket, const Request& request);

}  // namespace a4c::helper
