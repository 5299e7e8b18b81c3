// A bounded number of sessions, lent one call at a time. One that broke is thrown away. [any
// thread]
#pragma once

#include <memory>
#include <vector>

#include "a4c/call.h"
#include "a4c/clock.h"
#include "a4c/result.h"
#include "postgres_options.h"
#include "postgres_session.h"

namespace a4c::search_postgres {

class Pool {
 public:
  // A session on loan; goes back, or away, with the handle.
  class Lease {
   public:
    Lease(Pool& pool, std::unique_ptr<Session> session)
        : pool_(&pool), session_(std::move(session)) {}
    ~Lease() {
      if (session_ != nullptr) pool_->GiveBack(std::move(session_));
    }
    Lease(Lease&&) = default;
    Lease& operator=(Lease&&) = delete;
    Session& operator*() { return *session_; }

   private:
    Pool* pool_;
    std::unique_ptr<Session> session_;
  };

  // options outlive the pool.
  Pool(const Options& options, Role role, const Runtime& runtime)
      : options_(options), role_(role), runtime_(runtime), waiter_(runtime.threads.NewWaiter()) {}

  // An idle session or a new one, waiting while all are out. kTimeout, kCanceled; kInvalid: see
  // Session::Open; kUnavailable, kDenied, kNotFound: see ConnectErrorOf.
  Result<Lease> Take(const Call& call);

 private:
  Result<void> WaitForTurn(const Call& call);
  std::unique_ptr<Session> TakeIdle();
  void GiveBack(std::unique_ptr<Session> session);
  void ReturnTurn();

  const Options& options_;
  const Role role_;
  const Runtime runtime_;
  const std::unique_ptr<Waiter> waiter_;  // guards what follows
  int64_t out_ = 0;
  std::vector<std::unique_ptr<Session>> idle_;
};

}  // namespace a4c::search_postgres
