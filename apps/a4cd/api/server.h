// The edge to HTTP: Poco::Net's server around the Api.
//
// A connection holds a thread of the pool while it lives, so idle ones are ended soon, and at once
// when others wait. Past the queue's bound a connection is answered 503 and closed.
#pragma once

#include <memory>
#include <string>

#include "a4c/clock.h"
#include "a4c/result.h"
#include "apps/a4cd/api/api.h"
#include "apps/a4cd/api/stream_hub.h"
#include "apps/a4cd/config/settings.h"
#include "apps/a4cd/sessions/session_hub.h"

namespace a4cd {

class ApiServer {
 public:
  virtual ~ApiServer() = default;
  virtual int port() const = 0;
  // Each connection ends with its next answer, so that clients come back to an instance that stays:
  // behind a Kubernetes Service a connection that is kept would stay with this one to the end.
  virtual void SendAway() = 0;
  // No new connections, either.
  virtual void StopAccepting() = 0;
  // Until no request is being answered, or the deadline (monotonic ms); how many still are.
  virtual int WaitIdle(int64_t deadline_ms) = 0;
};

// kUnavailable: the address cannot be listened on.
a4c::Result<std::unique_ptr<ApiServer>> StartApiServer(const a4c::Runtime& runtime,
                                                       const ApiSettings& settings, Api& api,
                                                       StreamHub& streams, SessionHub& sessions);

}  // namespace a4cd
