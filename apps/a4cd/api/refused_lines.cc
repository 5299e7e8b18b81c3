#include "apps/a4cd/api/refused_lines.h"

namespace a4cd {

namespace {

constexpr int64_t kMinuteMs = 60'000;

}  // namespace

bool RefusedLines::IsOver() const {
  const int64_t began_ms = began_ms_;
  return began_ms == INT64_MIN || clock_.MonotonicMs() - began_ms >= kMinuteMs;
}

bool RefusedLines::Take(const std::string& remote) {
  const std::lock_guard lock(mutex_);
  if (IsOver()) {
    began_ms_ = clock_.MonotonicMs();
    lines_ = 0;
    of_address_.clear();
  }
  const auto known = of_address_.find(remote);
  const int before = known == of_address_.end() ? 0 : known->second;
  if (lines_ >= kPerMinute || before >= kOfOneAddressPerMinute) {
    ++left_out_;
    return false;
  }
  ++lines_;
  of_address_[remote] = before + 1;
  return true;
}

// Asked at each request, which takes no lock if there is nothing to tell.
int64_t RefusedLines::TakeLeftOut() {
  if (left_out_ == 0 || !IsOver()) return 0;
  return left_out_.exchange(0);
}

}  // namespace a4cd
