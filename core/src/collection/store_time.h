// The store's time as last heard, carried on by our monotonic clock: good enough to stamp rows
// with, never to judge a lease or a due time, which the store does itself.
#pragma once

#include <atomic>
#include <cstdint>

#include "a4c/clock.h"

namespace a4c {

class StoreTime {
 public:
  explicit StoreTime(const Clock& clock) : clock_(clock) {}
  void Heard(int64_t store_time_ms);
  int64_t NowMs() const;

 private:
  const Clock& clock_;
  std::atomic<int64_t> offset_ms_{0};  // store time minus monotonic time; 0: not heard yet
};

}  // namespace a4c
