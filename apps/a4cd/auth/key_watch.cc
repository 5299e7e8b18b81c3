#include "apps/a4cd/auth/key_watch.h"

#include <set>

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Code;
using a4c::Error;
using a4c::Result;

class WatchLoop final : public a4c::Loop {
 public:
  WatchLoop(KeyWatch& watch, int64_t period_ms) : watch_(watch), period_ms_(period_ms) {}

  const std::string& name() const override { return name_; }

  Result<int64_t> Step(const Call& call) override {
    A4C_CHECK(watch_.Look(call));
    return period_ms_;
  }

 private:
  const std::string name_ = "keys";
  KeyWatch& watch_;
  const int64_t period_ms_;
};

}  // namespace

Result<void> KeyHold::Check() const {
  if (!ended_) return {};
  return Error(Code::kDenied, "the API key by which this was opened was revoked, or has expired",
               "open it again with another key");
}

std::shared_ptr<const KeyHold> KeyWatch::Hold(const std::string& key_id) {
  auto hold = std::make_shared<KeyHold>(key_id);
  std::lock_guard lock(mutex_);
  holds_.push_back(hold);
  return hold;
}

std::vector<std::shared_ptr<KeyHold>> KeyWatch::Held() {
  std::lock_guard lock(mutex_);
  std::erase_if(holds_, [](const std::weak_ptr<KeyHold>& hold) { return hold.expired(); });
  std::vector<std::shared_ptr<KeyHold>> held;
  for (const std::weak_ptr<KeyHold>& hold : holds_) {
    if (auto kept = hold.lock()) held.push_back(std::move(kept));
  }
  return held;
}

Result<void> KeyWatch::Look(const Call& call) {
  const std::vector<std::shared_ptr<KeyHold>> held = Held();
  std::set<std::string> ids;
  for (const auto& hold : held) ids.insert(hold->key_id());
  A4C_TRY(const std::set<std::string> good, keys_.Good(call, ids));
  for (const auto& hold : held) {
    if (!good.contains(hold->key_id())) hold->End();
  }
  return {};
}

std::unique_ptr<a4c::Loop> KeyWatch::NewLoop() {
  return std::make_unique<WatchLoop>(*this, period_ms_);
}

}  // namespace a4cd
