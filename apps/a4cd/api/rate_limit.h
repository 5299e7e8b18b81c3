// A token bucket per API key.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "a4c/clock.h"

namespace a4cd {

class RateLimiter {
 public:
  // rate_per_s 0: no limit.
  RateLimiter(const a4c::Clock& clock, int64_t rate_per_s, int64_t burst)
      : clock_(clock), rate_per_s_(rate_per_s), burst_(burst) {}

  struct Decision {
    bool allowed = true;
    int64_t remaining = 0;
    int64_t reset_s = 0;  // until at least one request is allowed again
  };
  Decision Take(const std::string& key);

  bool enabled() const { return rate_per_s_ > 0; }
  int64_t rate_per_s() const { return rate_per_s_; }
  int64_t burst() const { return burst_; }

 private:
  struct Bucket {
    double tokens = 0;
    int64_t at_ms = 0;
  };
  const a4c::Clock& clock_;
  const int64_t rate_per_s_;
  const int64_t burst_;
  std::mutex mutex_;
  std::map<std::string, Bucket> buckets_;  // guarded by mutex_
};

}  // namespace a4cd
