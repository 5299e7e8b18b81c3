// StoreClock: the time of a store that has no server to ask for it. For store authors.
//
//   answer.store_time_ms = clock_.NowMs();
//
// It is the wall clock's, until that is set back. Then it goes on from what was told, at half the
// pace, until the wall clock has caught up: it does not go back, as a lease would be free twice; it
// does not stand still, as nothing would fall due; and it does not stay ahead, as others stamp
// times by the wall clock. At a slower pace leases only last longer, which is safe. [any thread]
#pragma once

#include <atomic>
#include <cstdint>

#include "a4c/clock.h"
#include "a4c/export.h"

namespace a4c {

class A4C_API StoreClock {
 public:
  // The clock outlives it.
  explicit StoreClock(const Clock& clock) : clock_(clock) {}
  // Milliseconds since the Unix epoch, never less than was told before.
  int64_t NowMs();
  // Takes this time for told: by the process that had the store before.
  void GoOnFrom(int64_t told_ms);

 private:
  int64_t Raise(int64_t base_ms);

  const Clock& clock_;
  std::atomic<int64_t> base_ms_ = INT64_MIN;  // the time less half of the monotonic one
};

}  // namespace a4c
