// SessionPool: a bounded number of sessions to one server group. A session that broke is thrown
// away and never reconnected: Poco 1.11 would carry over its state. [any thread]
#pragma once

#include <memory>
#include <string>

#include "a4c/call.h"
#include "a4c/clock.h"
#include "a4c/result.h"
#include "postgres_options.h"
#include "postgres_session.h"

namespace a4c::postgres {

class SessionPool {
 public:
  // A session on loan; goes back, or away, with the handle.
  class Lease {
   public:
    Lease(SessionPool& pool, std::unique_ptr<Session> session)
        : pool_(&pool), session_(std::move(session)) {}
    ~Lease() {
      if (session_ != nullptr) pool_->GiveBack(std::move(session_));
    }
    Lease(Lease&&) = default;
    Lease& operator=(Lease&&) = delete;
    Session* operator->() { return session_.get(); }
    Session& operator*() { return *session_; }

   private:
    SessionPool* pool_;
    std::unique_ptr<Session> session_;
  };

  virtual ~SessionPool() = default;
  // An idle session or a new one, waiting while all are out. kTimeout, kCanceled; kUnavailable,
  // kDenied, kNotFound: see ConnectErrorOf.
  virtual Result<Lease> Take(const Call& call) = 0;

 protected:
  virtual void GiveBack(std::unique_ptr<Session> session) = 0;
};

// options outlive the pool.
std::unique_ptr<SessionPool> NewSessionPool(std::string conninfo, const Options& options,
                                            const Runtime& runtime);

}  // namespace a4c::postgres
