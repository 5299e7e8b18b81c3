// Requests with an Idempotency-Key that this instance is working on, so that a second one with the
// same key waits for the first rather than racing with it. Across instances the store decides.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "a4c/clock.h"

namespace a4cd {

class InFlight {
 public:
  explicit InFlight(const a4c::Runtime& runtime)
      : runtime_(runtime), waiter_(runtime.threads.NewWaiter()) {}

  // False: another request still had the key at the deadline.
  bool Enter(const std::string& key, int64_t deadline_ms) {
    a4c::Waiter::Lock lock(*waiter_);
    while (keys_.contains(key)) {
      if (runtime_.clock.MonotonicMs() >= deadline_ms) return false;
      waiter_->Wait(deadline_ms);
    }
    keys_.insert(key);
    return true;
  }

  void Leave(const std::string& key) {
    a4c::Waiter::Lock lock(*waiter_);
    keys_.erase(key);
    waiter_->NotifyAll();
  }

 private:
  const a4c::Runtime runtime_;
  std::unique_ptr<a4c::Waiter> waiter_;
  std::set<std::string> keys_;  // guarded by waiter_
};

}  // namespace a4cd
