#include "tests/support/fake_clock.h"

#include <chrono>
#include <utility>

#include "a4c/sinks.h"

namespace a4c::testing {

class FakeClock::FakeWaiter final : public Waiter {
 public:
  FakeWaiter(FakeClock& clock, std::shared_ptr<Monitor> monitor)
      : clock_(clock), monitor_(std::move(monitor)) {}

  void Acquire() override { monitor_->mutex.lock(); }
  void Release() override { monitor_->mutex.unlock(); }
  void NotifyAll() override {
    ++monitor_->notified;
    monitor_->condition.notify_all();
  }

  // Time that passes wakes nobody before its deadline: who forgot to notify is found out.
  void Wait(int64_t deadline_ms) override {
    if (clock_.passing_ == Passing::kAtWaits && deadline_ms != kForever) return JumpTo(deadline_ms);
    if (clock_.MonotonicMs() >= deadline_ms) return;
    CountWaiting(1);
    std::unique_lock lock(monitor_->mutex, std::adopt_lock);
    const uint64_t notified = monitor_->notified;
    while (monitor_->notified == notified && clock_.MonotonicMs() < deadline_ms) {
      // Whoever notifies need not hold the lock, and may come between the look and the wait.
      monitor_->condition.wait_for(lock, std::chrono::milliseconds(10));
    }
    lock.release();
    CountWaiting(-1);
  }

 private:
  void JumpTo(int64_t deadline_ms) {
    const int64_t left = deadline_ms - clock_.MonotonicMs();
    Release();
    if (left > 0) clock_.Advance(left);
    Acquire();
  }

  void CountWaiting(int change) {
    std::scoped_lock lock(clock_.mutex_);
    clock_.waiting_ += change;
    clock_.waiting_changed_.notify_all();
  }

  FakeClock& clock_;
  const std::shared_ptr<Monitor> monitor_;
};

void FakeClock::Advance(int64_t ms) {
  now_ms_ += ms;
  std::vector<std::shared_ptr<Monitor>> monitors;
  {
    std::scoped_lock lock(mutex_);
    std::erase_if(monitors_, [](const auto& monitor) { return monitor.expired(); });
    for (const auto& monitor : monitors_) monitors.push_back(monitor.lock());
  }
  for (const auto& monitor : monitors) {
    if (!monitor) continue;
    // With the lock held, a thread has either not yet looked at the time or is already waiting.
    std::scoped_lock lock(monitor->mutex);
    monitor->condition.notify_all();
  }
}

bool FakeClock::AwaitWaiting(int threads) const {
  std::unique_lock lock(mutex_);
  return waiting_changed_.wait_for(lock, std::chrono::seconds(30),
                                   [&] { return waiting_ >= threads; });
}

std::unique_ptr<Waiter> FakeClock::NewWaiter() {
  auto monitor = std::make_shared<Monitor>();
  {
    std::scoped_lock lock(mutex_);
    monitors_.push_back(monitor);
  }
  return std::make_unique<FakeWaiter>(*this, std::move(monitor));
}

std::unique_ptr<Thread> FakeThreads::Start(const std::string& name,
                                           std::function<void(std::stop_token)> body) {
  return SystemRuntime(NullLogSink(), NullMetricSink()).threads.Start(name, std::move(body));
}

Call FakeRuntime::Within(int64_t timeout_ms, std::stop_token stop) const {
  return Call::Within(clock_, timeout_ms, std::move(stop));
}

}  // namespace a4c::testing
