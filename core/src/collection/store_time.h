// The store's time as last heard, carried on by our monotonic clock: good enough to stamp rows
// with, never to judge a lease or a due time, which the store does itself.
//
// It does not fall, so that of two stamps the later is not the lesser. An answer tells the time at
// which the store made it: at most the time that it is now. So the latest answer that was quick
// counts; what contradicts it by little, say of a store that has moved to a machine whose clock is
// behind, is come to slowly, a hundredth of the time that passes. Where all answers of ten seconds
// are behind by more than slowness explains, the clock has been set back, and so is this one: an
// hour that the store was ahead for a moment would be stamped on everything for days.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

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
  void NoteFarBehind(int64_t heard_ms, int64_t now_ms);

  static constexpr int64_t kNotHeard = INT64_MIN;
  const Clock& clock_;
  std::atomic<int64_t> offset_ms_{kNotHeard};  // store time minus monotonic time
  std::atomic<int64_t> fell_at_ms_{0};         // monotonic: until then it has fallen as it may
  mutable std::atomic<int64_t> last_ms_{INT64_MIN};
  // Answers in a row that were far behind; the highest offset of them.
  std::atomic<int> far_count_{0};
  std::mutex far_mutex_;  // of the next two
  int64_t far_since_ms_ = 0;
  int64_t far_to_ms_ = 0;
};

}  // namespace a4c
