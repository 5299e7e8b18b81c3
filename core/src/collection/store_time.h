// The store's time as last heard, carried on by our monotonic clock: good enough to stamp rows
// with, never to judge a lease or a due time, which the store does itself.
//
// It never falls, so that of two stamps the later is not the lesser. An answer tells the time at
// which the store made it: at most the time that it is now. So the latest answer that was quick
// counts; what contradicts it, say of a store that has moved to a machine whose clock is behind, is
// come to slowly, a hundredth of the time that passes.
#pragma once

#include <atomic>
#include <cstdint>

#include "a4c/clock.h"

namespace a4c {

// [any thread]
class StoreTime {
 public:
  explicit StoreTime(const Clock& clock) : clock_(clock) {}
  void Heard(int64_t store_time_ms);
  // Before any was heard, the wall clock's.
  int64_t NowMs() const;

 private:
  void Fall(int64_t to_ms, int64_t now_ms);

  static constexpr int64_t kNotHeard = INT64_MIN;
  const Clock& clock_;
  std::atomic<int64_t> offset_ms_{kNotHeard};  // store time minus monotonic time
  std::atomic<int64_t> fell_at_ms_{0};         // monotonic: until then it has fallen as it may
  mutable std::atomic<int64_t> last_ms_{INT64_MIN};
};

}  // namespace a4c
