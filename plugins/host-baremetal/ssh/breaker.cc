#include "ssh/breaker.h"

#include <algorithm>
#include <utility>

namespace a4c::baremetal {

Result<void> Breaker::Allow() {
  Waiter::Lock lock(*waiter_);
  if (!quarantine_.empty()) {
    return Error(Code::kDenied, "in quarantine, and nothing is sent to it: " + quarantine_,
                 "check on its console who it is; then pin what it shows: a4c host enrol SERVER "
                 "--fingerprint");
  }
  if (failures_ < options_.failures_max) return {};
  const int64_t left_ms = open_until_ms_ - runtime_.clock.MonotonicMs();
  if (left_ms <= 0 && !probing_) {
    probing_ = true;
    return {};
  }
  const std::string when = probing_ ? "somebody is trying it now"
                                    : "it is tried again in " + std::to_string(left_ms) + " ms";
  return Error(
      Code::kUnavailable,
      std::to_string(failures_) + " connections in a row failed, " + when +
          "; the last: " + last_error_,
      last_hint_.empty() ? "look at the server; once it answers, this ends by itself" : last_hint_);
}

void Breaker::Succeeded() {
  Waiter::Lock lock(*waiter_);
  failures_ = 0;
  probing_ = false;
}

void Breaker::Failed(const Error& error) {
  Waiter::Lock lock(*waiter_);
  const bool was_probe = std::exchange(probing_, false);
  const bool proves = error.code() != Code::kCanceled && error.code() != Code::kTimeout;
  if (!proves && !was_probe) return;
  if (proves) {
    ++failures_;
    last_error_ = error.message();
    last_hint_ = error.hint();
  }
  open_until_ms_ = runtime_.clock.MonotonicMs() + WaitMs();
}

void Breaker::Quarantine(const Error& error, ForeignKey key) {
  Waiter::Lock lock(*waiter_);
  probing_ = false;
  quarantine_ = error.message();
  foreign_ = std::move(key);
}

ForeignKey Breaker::Foreign() const {
  Waiter::Lock lock(*waiter_);
  return foreign_;
}

// Doubles with each failure past the bound; between half of that and all of it.
int64_t Breaker::WaitMs() const {
  const int64_t steps = std::clamp<int64_t>(failures_ - options_.failures_max, 0, 20);
  const int64_t most = std::min(options_.wait_max_ms, options_.wait_min_ms << steps);
  return most / 2 +
         static_cast<int64_t>(runtime_.random.Next() % static_cast<uint64_t>(most / 2 + 1));
}

}  // namespace a4c::baremetal
