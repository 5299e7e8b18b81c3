#include "a4c/store_clock.h"

#include <algorithm>

namespace a4c {

int64_t StoreClock::NowMs() {
  // In this order: a thread that is held up in between tells a time that is past, not to come.
  const int64_t now_ms = clock_.NowMs();
  const int64_t half_ms = clock_.MonotonicMs() / 2;
  return Raise(now_ms - half_ms) + half_ms;
}

void StoreClock::GoOnFrom(int64_t told_ms) {
  Raise(told_ms - clock_.MonotonicMs() / 2);
}

// While the wall clock goes as the monotonic one does, it raises the base at each look.
int64_t StoreClock::Raise(int64_t base_ms) {
  int64_t known_ms = base_ms_.load();
  while (known_ms < base_ms && !base_ms_.compare_exchange_weak(known_ms, base_ms)) {
  }
  return std::max(known_ms, base_ms);
}

}  // namespace a4c
