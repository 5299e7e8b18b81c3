// A machine whose time passes some times as fast: for what takes minutes and happens on real
// servers. Everything that waits by the Runtime waits so much shorter; what the kernel waits for,
// such as poll(2), takes as long as ever.
//
//   QuickTime quick(6);
//   App::Start(settings, quick.Runtime(log, metrics), metrics);   // quick outlives it
#pragma once

#include "a4c/clock.h"

namespace a4c::testing {

// [any thread]
class QuickTime final : public Clock, public Threads {
 public:
  explicit QuickTime(int64_t times);

  a4c::Runtime Runtime(LogSink& log, MetricSink& metrics);

  int64_t NowMs() const override;
  int64_t MonotonicNs() const override;
  std::unique_ptr<Thread> Start(const std::string& name,
                                std::function<void(std::stop_token)> body) override;
  std::unique_ptr<Waiter> NewWaiter() override;

 private:
  class QuickWaiter;

  // When the machine's own clock shows what is this on ours.
  int64_t MachineMs(int64_t monotonic_ms) const;

  const a4c::Runtime machine_;
  const int64_t times_;
  const int64_t began_ns_;      // on the machine's monotonic clock
  const int64_t began_now_ms_;  // on its other one
};

}  // namespace a4c::testing
