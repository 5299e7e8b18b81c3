// StandbyWatch: whether standbys confirm commits. When none has for commit_timeout, writes are
// refused at once instead of each waiting in vain, and a second after the last try one of the
// callers tries a commit that changes nothing: when that is confirmed, all goes on. [any thread]
#pragma once

#include <cstdint>
#include <memory>

#include "a4c/call.h"
#include "a4c/clock.h"
#include "a4c/result.h"
#include "session/postgres_options.h"
#include "session/postgres_pool.h"

namespace a4c::postgres {

class StandbyWatch {
 public:
  // options outlive it.
  StandbyWatch(const Options& options, const Runtime& runtime)
      : options_(options), runtime_(runtime), waiter_(runtime.threads.NewWaiter()) {}

  // kUnavailable while no standby confirms.
  Result<void> Admit(const Call& call, SessionPool& pool);

  // A commit sent at `sent_ms` was confirmed, or was not while there was time for it.
  void Confirmed(int64_t sent_ms);
  void Unanswered(int64_t sent_ms);

 private:
  // One caller's, at the end of which the next one is due.
  class ProbeTurn;

  static Result<void> Probe(const Call& call, SessionPool& pool);

  const Options& options_;
  const Runtime runtime_;
  const std::unique_ptr<Waiter> waiter_;  // guards all below
  int64_t unanswered_since_ms_ = kNever;  // the first commit since which none was confirmed
  int64_t next_probe_ms_ = 0;
  bool degraded_ = false;

  static constexpr int64_t kNever = INT64_MAX;
};

}  // namespace a4c::postgres
