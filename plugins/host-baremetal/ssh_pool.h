// The SSH connections to one server: kept for reuse, and never more than a bound.
#pragma once

#include <memory>
#include <vector>

#include "a4c/clock.h"
#include "ssh_session.h"

namespace a4c::baremetal {

struct SshPoolOptions {
  int64_t sessions_max = 8;
  int64_t idle_max_ms = 300'000;
};

// [any thread]; outlives the sessions that it lent.
class SshPool {
 public:
  SshPool(const Runtime& runtime, SshTarget target, const SshPoolOptions& options);

  // A session for one thread; going out of scope gives it back.
  class Lent {
   public:
    Lent(SshPool& pool, std::unique_ptr<SshSession> session, bool fresh)
        : pool_(&pool), session_(std::move(session)), fresh_(fresh) {}
    Lent(Lent&& other) noexcept = default;
    Lent& operator=(Lent&&) = delete;
    ~Lent() {
      if (session_ != nullptr) pool_->GiveBack(std::move(session_));
    }
    SshSession& operator*() { return *session_; }
    SshSession* operator->() { return session_.get(); }
    bool fresh() const { return fresh_; }

   private:
    SshPool* pool_;
    std::unique_ptr<SshSession> session_;
    bool fresh_;
  };

  // Waits while all are lent. kTimeout: none came back in time.
  Result<Lent> Take(const Call& call);

 private:
  struct Idle {
    std::unique_ptr<SshSession> session;
    int64_t since_ms;
  };
  void GiveBack(std::unique_ptr<SshSession> session);
  void ForgetOne();

  const Clock& clock_;
  const SshTarget target_;
  const SshPoolOptions options_;
  const std::unique_ptr<Waiter> waiter_;
  std::vector<Idle> idle_;  // under waiter_, as is the next
  int64_t count_ = 0;       // lent and idle
};

}  // namespace a4c::baremetal
