#include "tests/support/quick_clock.h"

#include "a4c/sinks.h"

namespace a4c::testing {

namespace {
constexpr int64_t kNanosPerMilli = 1'000'000;
}  // namespace

class QuickTime::QuickWaiter final : public Waiter {
 public:
  explicit QuickWaiter(const QuickTime& time)
      : time_(time), waiter_(time.machine_.threads.NewWaiter()) {}
  void Acquire() override { waiter_->Acquire(); }
  void Release() override { waiter_->Release(); }
  void Wait(int64_t deadline_ms) override {
    waiter_->Wait(deadline_ms == kForever ? kForever : time_.MachineMs(deadline_ms));
  }
  void NotifyAll() override { waiter_->NotifyAll(); }

 private:
  const QuickTime& time_;
  const std::unique_ptr<Waiter> waiter_;
};

QuickTime::QuickTime(int64_t times)
    : machine_(SystemRuntime(NullLogSink(), NullMetricSink())),
      times_(times),
      began_ns_(machine_.clock.MonotonicNs()),
      began_now_ms_(machine_.clock.NowMs()) {}

a4c::Runtime QuickTime::Runtime(LogSink& log, MetricSink& metrics) {
  return {*this, machine_.random, *this, log, metrics};
}

int64_t QuickTime::NowMs() const {
  return began_now_ms_ + (MonotonicNs() - began_ns_) / kNanosPerMilli;
}

int64_t QuickTime::MonotonicNs() const {
  return began_ns_ + (machine_.clock.MonotonicNs() - began_ns_) * times_;
}

std::unique_ptr<Thread> QuickTime::Start(const std::string& name,
                                         std::function<void(std::stop_token)> body) {
  return machine_.threads.Start(name, std::move(body));
}

std::unique_ptr<Waiter> QuickTime::NewWaiter() {
  return std::make_unique<QuickWaiter>(*this);
}

// Up, so that who wakes finds that it is time.
int64_t QuickTime::MachineMs(int64_t monotonic_ms) const {
  const int64_t began_ms = began_ns_ / kNanosPerMilli;
  const int64_t passed_ms = monotonic_ms - began_ms;
  if (passed_ms > INT64_MAX / 2) return Waiter::kForever;
  return began_ms + 1 + (passed_ms > 0 ? (passed_ms + times_ - 1) / times_ : 0);
}

}  // namespace a4c::testing
