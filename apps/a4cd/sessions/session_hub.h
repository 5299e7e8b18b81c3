// The threads of sessions: their sockets leave the pool that answers requests.
#pragma once

#include <Poco/Net/StreamSocket.h>

#include <memory>
#include <string>

#include "a4c/clock.h"
#include "apps/a4cd/sessions/session.h"

namespace a4cd {

class SessionHub {
 public:
  virtual ~SessionHub() = default;  // as End
  // `head` (the HTTP header that switches protocols) is sent first. [any thread]
  virtual void Start(const Poco::Net::StreamSocket& socket, std::string head,
                     std::unique_ptr<Session> session) = 0;
  // Every session tells its client that the process drains, and ends; no more are begun.
  virtual void End() = 0;
};

std::unique_ptr<SessionHub> NewSessionHub(const a4c::Runtime& runtime);

}  // namespace a4cd
