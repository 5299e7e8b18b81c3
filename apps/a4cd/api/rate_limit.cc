#include "apps/a4cd/api/rate_limit.h"

#include <algorithm>

namespace a4cd {
namespace {
constexpr size_t kBucketsMax = 10'000;
}

RateLimiter::Decision RateLimiter::Take(const std::string& key) {
  if (!enabled()) return {};
  const int64_t now_ms = clock_.MonotonicMs();
  const double burst = static_cast<double>(burst_);
  const double rate_per_ms = static_cast<double>(rate_per_s_) / 1000;
  std::lock_guard lock(mutex_);
  if (buckets_.size() >= kBucketsMax) {
    std::erase_if(buckets_, [&](const auto& entry) {
      return static_cast<double>(now_ms - entry.second.at_ms) * rate_per_ms >= burst;
    });
  }
  const auto [found, added] = buckets_.try_emplace(key, Bucket{burst, now_ms});
  Bucket& bucket = found->second;
  bucket.tokens =
      std::min(burst, bucket.tokens + static_cast<double>(now_ms - bucket.at_ms) * rate_per_ms);
  bucket.at_ms = now_ms;
  if (bucket.tokens < 1) {
    const double wait_ms = (1 - bucket.tokens) / rate_per_ms;
    return {false, 0, std::max<int64_t>(1, static_cast<int64_t>(wait_ms / 1000 + 0.999))};
  }
  bucket.tokens -= 1;
  return {true, static_cast<int64_t>(bucket.tokens), 0};
}

}  // namespace a4cd
