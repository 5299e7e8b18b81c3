// A session: a connection that has become a WebSocket, between a client and something in a
// workspace, for as long as either wants. Served by a thread of its own.
#pragma once

#include <functional>
#include <stop_token>

#include "a4c/result.h"

namespace a4c_websocket {
class Connection;
}

namespace a4cd {

// The client's side, as a session sees it.
struct SessionPeer {
  a4c_websocket::Connection& socket;
  int wake_fd;  // readable once the process drains: to be polled with whatever is waited for
  std::stop_token stop;  // the same
  // Why it may not go on; null: nothing keeps it from that. Never waits.
  std::function<a4c::Result<void>()> permitted = {};
};

class Session {
 public:
  virtual ~Session() = default;
  // Until it has ended, and the client was told why. [the session's thread, once]
  virtual void Run(const SessionPeer& peer) = 0;
};

}  // namespace a4cd
