#include "tests/support/faulty_call.h"

#include <algorithm>

#include "tests/support/seeded_random.h"

namespace a4c::testing {

FaultDraw FaultSource::Next(const Call& call, std::string_view name) {
  const FaultDraw draw = policy_.Next(name);
  if (draw.fault != Fault::kDelay) return draw;
  const std::stop_callback wake(call.stop, [this] {
    Waiter::Lock lock(*waiter_);
    waiter_->NotifyAll();
  });
  const int64_t until_ms = std::min(call.deadline_ms, call.clock.MonotonicMs() + draw.delay_ms);
  Waiter::Lock lock(*waiter_);
  while (call.clock.MonotonicMs() < until_ms && !call.Stopping()) waiter_->Wait(until_ms);
  return draw;
}

std::unique_ptr<Error> FaultSource::Refusal(const FaultDraw& draw, const Call& call,
                                            std::string_view name) {
  const std::string what = "injected fault in " + std::string(name);
  if (draw.fault == Fault::kError) return std::make_unique<Error>(Code::kUnavailable, what);
  if (draw.fault != Fault::kDelay) return nullptr;
  if (call.Stopping()) return std::make_unique<Error>(Code::kCanceled, what);
  if (call.Expired()) return std::make_unique<Error>(Code::kTimeout, what);
  return nullptr;
}

Error FaultSource::Unknown(std::string_view name) {
  return Error(Code::kUnknownOutcome, "injected fault in " + std::string(name));
}

std::vector<size_t> Shuffled(size_t count, uint64_t bits) {
  SeededRandom random(bits);
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  for (size_t i = count; i > 1; --i) std::swap(order[i - 1], order[Below(random, i)]);
  return order;
}

}  // namespace a4c::testing
