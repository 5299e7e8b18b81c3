#include "collection/store_time.h"

#include <algorithm>

namespace a4c {
namespace {

constexpr int64_t kFallEachMs = 1'000;
constexpr int64_t kFallsBy = 100;  // of so many milliseconds one
constexpr int64_t kFarMs = 5'000;
constexpr int64_t kFarLastsMs = 10'000;
constexpr int kFarAnswersMin = 3;

}  // namespace

void StoreTime::Heard(int64_t store_time_ms) {
  const int64_t now_ms = clock_.MonotonicMs();
  const int64_t heard_ms = store_time_ms - now_ms;
  int64_t offset_ms = offset_ms_;
  while (offset_ms < heard_ms) {
    if (!offset_ms_.compare_exchange_weak(offset_ms, heard_ms)) continue;
    fell_at_ms_ = now_ms;
    far_count_ = 0;
    return;
  }
  if (heard_ms < offset_ms - kFarMs) return NoteFarBehind(heard_ms, now_ms);
  if (far_count_ != 0) far_count_ = 0;
  if (heard_ms < offset_ms) Fall(heard_ms, now_ms);
}

void StoreTime::NoteFarBehind(int64_t heard_ms, int64_t now_ms) {
  const std::lock_guard lock(far_mutex_);
  if (far_count_++ == 0) {
    far_since_ms_ = now_ms;
    far_to_ms_ = heard_ms;
  }
  far_to_ms_ = std::max(far_to_ms_, heard_ms);
  if (far_count_ < kFarAnswersMin || now_ms - far_since_ms_ < kFarLastsMs) return;
  far_count_ = 0;
  offset_ms_ = far_to_ms_;
  last_ms_ = INT64_MIN;
  fell_at_ms_ = now_ms;
}

void StoreTime::Fall(int64_t to_ms, int64_t now_ms) {
  int64_t fell_at_ms = fell_at_ms_;
  const int64_t passed_ms = now_ms - fell_at_ms;
  if (passed_ms < kFallEachMs || !fell_at_ms_.compare_exchange_strong(fell_at_ms, now_ms)) return;
  int64_t offset_ms = offset_ms_;
  const int64_t lower_ms = std::max(to_ms, offset_ms - passed_ms / kFallsBy);
  if (lower_ms < offset_ms) offset_ms_.compare_exchange_strong(offset_ms, lower_ms);
}

int64_t StoreTime::NowMs() const {
  const int64_t offset_ms = offset_ms_;
  if (offset_ms == kNotHeard) return clock_.NowMs();
  const int64_t now_ms = offset_ms + clock_.MonotonicMs();
  int64_t last_ms = last_ms_;
  while (last_ms < now_ms && !last_ms_.compare_exchange_weak(last_ms, now_ms)) {
  }
  return std::max(last_ms, now_ms);
}

}  // namespace a4c
