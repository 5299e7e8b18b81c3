// The runtime of tests: real time and threads, no log.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "a4c/call.h"
#include "a4c/clock.h"
#include "a4c/sinks.h"

namespace a4c::baremetal {

inline const Runtime& TestRuntime() {
  static const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  return runtime;
}
inline Call Soon(int64_t timeout_ms = 60'000) {
  return Call::Within(TestRuntime().clock, timeout_ms);
}
inline void Pass(int64_t ms) {
  const auto waiter = TestRuntime().threads.NewWaiter();
  const int64_t end_ms = TestRuntime().clock.MonotonicMs() + ms;
  Waiter::Lock lock(*waiter);
  while (TestRuntime().clock.MonotonicMs() < end_ms) waiter->Wait(end_ms);
}

// Looks until it is so; false: it is not within that time.
inline bool Eventually(int64_t patience_ms, const std::function<bool()>& condition) {
  const int64_t end_ms = TestRuntime().clock.MonotonicMs() + patience_ms;
  while (!condition()) {
    if (TestRuntime().clock.MonotonicMs() >= end_ms) return false;
    Pass(20);
  }
  return true;
}

}  // namespace a4c::baremetal
