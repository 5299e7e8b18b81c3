#include "collection/store_time.h"

namespace a4c {

void StoreTime::Heard(int64_t store_time_ms) {
  offset_ms_ = store_time_ms - clock_.MonotonicMs();
}

int64_t StoreTime::NowMs() const {
  const int64_t offset = offset_ms_;
  return offset == 0 ? clock_.NowMs() : offset + clock_.MonotonicMs();
}

}  // namespace a4c
