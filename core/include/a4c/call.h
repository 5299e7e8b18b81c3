// Call: what accompanies every call of a plugin: how long it may take, whether the caller has gone,
// which trace it belongs to, and in which scopes it may read and write.
//
// A plugin gives up with Code::kTimeout or kCanceled while nothing has been done, and with
// kUnknownOutcome once an effect may have happened. It never outlives its call: arguments are
// borrowed, and the host does not abandon a call that is overdue, it marks the plugin unhealthy.
#pragma once

#include <cstdint>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>

#include "a4c/clock.h"

namespace a4c {

using ScopeSet = std::set<std::string, std::less<>>;

struct Call {
  const Clock& clock;
  int64_t deadline_ms = Waiter::kForever;  // on clock.MonotonicMs()
  std::stop_token stop = {};
  std::string_view traceparent = {};  // W3C trace context, or empty
  // The scopes that the caller may touch, borrowed for the call; null: all, as background work may.
  // Set once, where it became known who asks, so that a key which is named by mistake further down
  // is refused by the store.
  const ScopeSet* scopes = nullptr;

  // A call that may take timeout_ms from now.
  static Call Within(const Clock& clock, int64_t timeout_ms, std::stop_token stop = {}) {
    return Call{clock, clock.MonotonicMs() + timeout_ms, std::move(stop), {}};
  }
  // Milliseconds left, never negative.
  int64_t RemainingMs() const {
    if (deadline_ms == Waiter::kForever) return Waiter::kForever;
    const int64_t left = deadline_ms - clock.MonotonicMs();
    return left > 0 ? left : 0;
  }
  bool MayTouch(std::string_view scope) const {
    return scopes == nullptr || scopes->contains(scope);
  }
  // For what somebody needs to know for an answer, and does not hand out.
  Call InAllScopes() const {
    Call call = *this;
    call.scopes = nullptr;
    return call;
  }
  bool Expired() const { return RemainingMs() == 0; }
  bool Stopping() const { return stop.stop_requested(); }
};

}  // namespace a4c
