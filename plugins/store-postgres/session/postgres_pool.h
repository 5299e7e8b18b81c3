// SessionPool: a bounded number of sessions to one server group. A session that broke, or whose
// server was replaced as primary, is thrown away and never reconnected: Poco 1.11 would carry over
// its state. [any thread]
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "a4c/call.h"
#include "a4c/clock.h"
#include "a4c/result.h"
#include "session/postgres_connector.h"
#include "session/postgres_options.h"
#include "session/postgres_session.h"

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
    // Throws the session away, though it works.
    void Discard() { pool_->Discard(std::move(session_)); }
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
  // False: its server is no primary any more, and what it acknowledged may be lost.
  virtual bool IsGood(const Session& session) const = 0;
  // Asks all servers who is primary by now.
  virtual void LookAround(const Call& call) = 0;

 protected:
  virtual void GiveBack(std::unique_ptr<Session> session) = 0;
  virtual void Discard(std::unique_ptr<Session> session) = 0;
};

// connector and options outlive the pool.
std::unique_ptr<SessionPool> NewSessionPool(Connector& connector, const Options& options,
                                            const Runtime& runtime);

// Runs statements that only read, a second time if the session turned out to be cut.
Result<std::vector<Rows>> ReadFrom(const Call& call, SessionPool& pool,
                                   std::span<const Statement> statements);

}  // namespace a4c::postgres
