// Keys by which something is open that outlives its request: event streams, followed logs,
// sessions. A request is checked once, when it comes; these are looked at again and again.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "a4c/collection.h"
#include "apps/a4cd/auth/key_service.h"

namespace a4cd {

// [any thread]
class KeyHold {
 public:
  explicit KeyHold(std::string key_id) : key_id_(std::move(key_id)) {}

  const std::string& key_id() const { return key_id_; }
  // kDenied once the key was revoked or has expired.
  a4c::Result<void> Check() const;
  void End() { ended_ = true; }

 private:
  const std::string key_id_;
  std::atomic<bool> ended_{false};
};

// [any thread]
class KeyWatch {
 public:
  // period_ms: how long a key that is no longer good may go unnoticed.
  KeyWatch(KeyService& keys, int64_t period_ms) : keys_(keys), period_ms_(period_ms) {}

  // Looked after for as long as it is kept.
  std::shared_ptr<const KeyHold> Hold(const std::string& key_id);
  // Ends what is held by keys that are no longer good; a store that does not answer ends nothing.
  a4c::Result<void> Look(const a4c::Call& call);
  // Looks, period by period. Gone before the watch.
  std::unique_ptr<a4c::Loop> NewLoop();

 private:
  std::vector<std::shared_ptr<KeyHold>> Held();

  KeyService& keys_;
  const int64_t period_ms_;
  std::mutex mutex_;
  std::vector<std::weak_ptr<KeyHold>> holds_;  // guarded by mutex_
};

}  // namespace a4cd
