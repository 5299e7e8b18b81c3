#include "apps/at_once/at_once.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <vector>

namespace a4c_at_once {

void AtOnce(const a4c::Runtime& runtime, int threads, size_t count,
            const std::function<bool(size_t)>& act) {
  std::atomic<size_t> next = 0;
  const auto run = [&](const std::stop_token&) {
    for (size_t i = next++; i < count && act(i); i = next++) {
    }
  };
  std::vector<std::unique_ptr<a4c::Thread>> helpers;
  const size_t all = std::min(count, static_cast<size_t>(threads));
  for (size_t i = 1; i < all; ++i) helpers.push_back(runtime.threads.Start("at-once", run));
  run({});
  for (const auto& helper : helpers) helper->Join();
}

}  // namespace a4c_at_once
