// Keeps callers from a server that is out of reach: after some failures in a row nobody tries for a
// while that grows and is jittered, and then one at a time. A server that shows another host key is
// in quarantine until somebody enrols it again: nobody tries at all.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "a4c/call.h"
#include "a4c/clock.h"
#include "a4c/result.h"
#include "ssh/ssh_session.h"

namespace a4c::baremetal {

struct BreakerOptions {
  int64_t failures_max = 3;
  int64_t wait_min_ms = 500;
  int64_t wait_max_ms = 30'000;
};

// [any thread]
class Breaker {
 public:
  Breaker(const Runtime& runtime, const BreakerOptions& options)
      : runtime_(runtime), options_(options), waiter_(runtime.threads.NewWaiter()) {}

  // kUnavailable: not tried now, with the reason of the last failure. kDenied: in quarantine.
  // Whoever is allowed says afterwards how it went.
  Result<void> Allow();
  void Succeeded();
  // A caller that went, or had too little time, proves nothing; but another one waits its turn.
  void Failed(const Error& error);
  void Quarantine(const Error& error, ForeignKey key);
  // Why it is in quarantine; empty: it is not.
  ForeignKey Foreign() const;

 private:
  int64_t WaitMs() const;

  const Runtime runtime_;
  const BreakerOptions options_;
  const std::unique_ptr<Waiter> waiter_;
  // Under waiter_.
  int64_t failures_ = 0;
  int64_t open_until_ms_ = 0;
  bool probing_ = false;
  std::string last_error_;
  std::string last_hint_;
  std::string quarantine_;
  ForeignKey foreign_;
};

}  // namespace a4c::baremetal
