// The runtime of tests: real time and threads, no log.
#pragma once

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

}  // namespace a4c::baremetal
