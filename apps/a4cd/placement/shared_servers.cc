#include "apps/a4cd/placement/shared_servers.h"

#include <utility>

namespace a4cd {

using a4c::Result;
using a4c::Waiter;

SharedServers::SharedServers(const a4c::Runtime& runtime, Read read)
    : runtime_(runtime), read_(std::move(read)), waiter_(runtime.threads.NewWaiter()) {}

Result<std::shared_ptr<SharedServers::Reading>> SharedServers::Take(const a4c::Call& call) {
  int64_t all = 0;
  {
    const Waiter::Lock lock(*waiter_);
    const int64_t mine = ++asked_;
    while (is_reading_ && answered_ < mine && !call.Expired()) waiter_->Wait(call.deadline_ms);
    if (answered_ >= mine) return *answer_;
    if (is_reading_) return a4c::Error(a4c::Code::kTimeout, "the servers are still being read");
    is_reading_ = true;
    all = asked_;
  }
  Result<std::shared_ptr<Reading>> answer = ReadNow(call);
  const Waiter::Lock lock(*waiter_);
  is_reading_ = false;
  // Whose own time was up says nothing to the others: one of them reads again.
  const bool is_own = !answer && (call.Expired() || call.Stopping());
  if (!is_own) {
    answered_ = all;
    answer_ = answer;
  }
  waiter_->NotifyAll();
  return answer;
}

Result<std::shared_ptr<SharedServers::Reading>> SharedServers::ReadNow(const a4c::Call& call) {
  A4C_TRY(std::vector<Server> servers, read_(call));
  return std::make_shared<Reading>(Reading{runtime_.threads.NewWaiter(), std::move(servers)});
}

}  // namespace a4cd
