// FakeRuntime: a Runtime whose time a test moves by hand, whose numbers come from a seed, and whose
// logs and metrics can be asked for. Threads are real.
//
//   FakeRuntime fake;
//   auto loop = StartLoop(fake.runtime());      // waits 30 s in a Waiter
//   fake.clock().AwaitWaiting(1);               // it has begun to wait
//   fake.clock().Advance(30'000);               // and now it goes on
//   EXPECT_EQ(fake.log().CountOf("poll failed"), 0);
//
// Time starts at 2026-01-01 on the wall clock and at 1,000,000 ms on the monotonic one.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "a4c/call.h"
#include "a4c/clock.h"
#include "tests/support/recording_sinks.h"
#include "tests/support/seeded_random.h"

namespace a4c::testing {

// What happens when a thread waits with a deadline.
enum class Passing : uint8_t {
  kByHand,   // it waits until somebody notifies it or advances time past its deadline
  kAtWaits,  // time jumps to the deadline at once: for code with one thread, a retry loop for
             // example
};

// Outlives the waiters it made. [any thread], but no lock of a Waiter may be held in Advance.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(Passing passing = Passing::kByHand) : passing_(passing) {}

  int64_t NowMs() const override { return MonotonicMs() + wall_offset_ms_; }
  int64_t MonotonicNs() const override { return now_ms_ * 1'000'000; }

  // Moves both clocks on, and wakes who waits for a time that has come.
  void Advance(int64_t ms);
  // Moves the wall clock alone, also back: an operator, or NTP.
  void JumpWallClock(int64_t ms) { wall_offset_ms_ += ms; }
  // Returns once `threads` threads are in Waiter::Wait, which does not say that they will stay
  // there. Gives up and returns false after 30 s of real time.
  [[nodiscard]] bool AwaitWaiting(int threads) const;

  std::unique_ptr<Waiter> NewWaiter();

 private:
  struct Monitor {
    std::mutex mutex;
    std::condition_variable condition;
    std::atomic<uint64_t> notified = 0;  // how often
  };
  class FakeWaiter;

  const Passing passing_;
  std::atomic<int64_t> now_ms_{1'000'000};
  std::atomic<int64_t> wall_offset_ms_{1'767'225'600'000 - 1'000'000};
  mutable std::mutex mutex_;
  mutable std::condition_variable waiting_changed_;
  int waiting_ = 0;
  std::vector<std::weak_ptr<Monitor>> monitors_;
};

class FakeThreads final : public Threads {
 public:
  explicit FakeThreads(FakeClock& clock) : clock_(clock) {}
  std::unique_ptr<Thread> Start(const std::string& name,
                                std::function<void(std::stop_token)> body) override;
  std::unique_ptr<Waiter> NewWaiter() override { return clock_.NewWaiter(); }

 private:
  FakeClock& clock_;
};

// Outlives everything that was given its runtime().
class FakeRuntime {
 public:
  explicit FakeRuntime(uint64_t seed = 1, Passing passing = Passing::kByHand)
      : clock_(passing), random_(seed) {}

  const Runtime& runtime() const { return runtime_; }
  FakeClock& clock() { return clock_; }
  SeededRandom& random() { return random_; }
  RecordingLog& log() { return log_; }
  RecordingMetrics& metrics() { return metrics_; }
  // A call of the given length, on this runtime's time.
  Call Within(int64_t timeout_ms, std::stop_token stop = {}) const;

 private:
  FakeClock clock_;
  SeededRandom random_;
  FakeThreads threads_{clock_};
  RecordingLog log_;
  RecordingMetrics metrics_;
  Runtime runtime_{clock_, random_, threads_, log_, metrics_};
};

}  // namespace a4c::testing
