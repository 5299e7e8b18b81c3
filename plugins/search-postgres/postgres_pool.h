// A bounded number of sessions to the primary, lent one call at a time. One that broke is thrown
// away, and so is one whose server was replaced as primary: by the timeline that it writes, which
// each promotion raises. [any thread]
#pragma once

#include <atomic>
#include <memory>
#include <string>
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

  // options and timeline_seen outlive the pool. The latter, at first 0, is the highest that any
  // pool to the same servers has seen.
  Pool(const Options& options, Role role, std::atomic<int64_t>& timeline_seen,
       const Runtime& runtime)
      : options_(options),
        role_(role),
        conninfos_(options.row_security && role == Role::kOwner ? options.background_conninfos
                                                                : options.conninfos),
        timeline_seen_(timeline_seen),
        runtime_(runtime),
        waiter_(runtime.threads.NewWaiter()) {}

  // An idle session or a new one, waiting while all are out. kTimeout, kCanceled; kInvalid: see
  // Session::Open; kUnavailable, kDenied, kNotFound: see ConnectErrorOf.
  Result<Lease> Take(const Call& call);
  // Another server has been promoted in the place of the session's: what it confirms is lost.
  bool IsReplaced(const Session& session) const { return session.timeline() < timeline_seen_; }

 private:
  Result<std::unique_ptr<Session>> Connect(const Call& call);
  Result<std::unique_ptr<Session>> ConnectTo(const Call& call, size_t server, size_t servers_left);
  void NoteTimeline(const Session& session);
  Result<void> WaitForTurn(const Call& call);
  std::unique_ptr<Session> TakeIdle();
  void GiveBack(std::unique_ptr<Session> session);
  void ReturnTurn();

  const Options& options_;
  const Role role_;
  const std::vector<std::string>& conninfos_;  // one a server
  std::atomic<int64_t>& timeline_seen_;
  std::atomic<size_t> served_last_{0};
  const Runtime runtime_;
  const std::unique_ptr<Waiter> waiter_;  // guards what follows
  int64_t out_ = 0;
  std::vector<std::unique_ptr<Session>> idle_;
};

}  // namespace a4c::search_postgres
