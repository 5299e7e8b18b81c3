#include "collection/refreshes.h"

#include <algorithm>
#include <utility>

#include "a4c/batch_rules.h"

namespace a4c {

Refreshes::Refreshes(SearchIndex& index, const Runtime& runtime, std::string kind,
                     int64_t period_ms)
    : index_(index),
      runtime_(runtime),
      kind_(std::move(kind)),
      period_ms_(period_ms),
      waiter_(runtime.threads.NewWaiter()),
      began_at_ms_(runtime.clock.MonotonicMs() - kPeriodsMax * period_ms) {}

int64_t Refreshes::Begun() {
  const Waiter::Lock lock(*waiter_);
  return begun_;
}

int64_t Refreshes::DueAtMs(int64_t late_ms) {
  const Waiter::Lock lock(*waiter_);
  return DueAt(late_ms);
}

// [waiter_ held]
int64_t Refreshes::DueAt(int64_t late_ms) const {
  return began_at_ms_ + std::clamp(late_ms / kLateShare, period_ms_, kPeriodsMax * period_ms_);
}

Result<int64_t> Refreshes::ShowDue(const Call& call, int64_t late_ms) {
  int64_t number = 0;
  {
    const Waiter::Lock lock(*waiter_);
    if (running_ || runtime_.clock.MonotonicMs() < DueAt(late_ms)) return shown_;
    number = Begin();
  }
  return Lead(call, number);
}

Result<int64_t> Refreshes::Show(const Call& call, int64_t mark) {
  int64_t number = 0;
  {
    const Waiter::Lock lock(*waiter_);
    while (running_ && shown_ <= mark) A4C_CHECK(AwaitEnd(call, mark));
    if (shown_ > mark) return shown_;
    number = Begin();
  }
  return Lead(call, number);
}

// [waiter_ held] Of the one that is under way.
Result<void> Refreshes::AwaitEnd(const Call& call, int64_t mark) {
  const int64_t number = begun_;
  while (running_ && begun_ == number) {
    A4C_CHECK(CheckCall(call));
    waiter_->Wait(call.deadline_ms);
  }
  if (number > mark && ended_ == number) return outcome_;
  return {};
}

// [waiter_ held]
int64_t Refreshes::Begin() {
  running_ = true;
  began_at_ms_ = runtime_.clock.MonotonicMs();
  return ++begun_;
}

Result<int64_t> Refreshes::Lead(const Call& call, int64_t number) {
  const Result<void> refreshed = index_.Refresh(call, kind_);
  {
    const Waiter::Lock lock(*waiter_);
    running_ = false;
    ended_ = number;
    outcome_ = refreshed;
    if (refreshed) shown_ = number;
  }
  waiter_->NotifyAll();
  if (!refreshed) return refreshed.error();
  return number;
}

}  // namespace a4c
