#include "ssh_pool.h"

#include <algorithm>
#include <utility>

namespace a4c::baremetal {
namespace {

constexpr int64_t kStopCheckMs = 100;

}  // namespace

SshPool::SshPool(const Runtime& runtime, SshTarget target, const SshPoolOptions& options)
    : clock_(runtime.clock),
      target_(std::move(target)),
      options_(options),
      waiter_(runtime.threads.NewWaiter()) {}

Result<SshPool::Lent> SshPool::Take(const Call& call) {
  std::vector<Idle> stale;  // closed after the lock is given up
  {
    Waiter::Lock lock(*waiter_);
    while (idle_.empty() && count_ >= options_.sessions_max) {
      if (call.Stopping()) return Error(Code::kCanceled, "the caller has gone");
      if (call.Expired()) {
        return Error(Code::kTimeout, "all " + std::to_string(count_) + " connections to " +
                                         target_.address + " are in use");
      }
      waiter_->Wait(std::min(call.deadline_ms, clock_.MonotonicMs() + kStopCheckMs));
    }
    while (!idle_.empty()) {
      Idle last = std::move(idle_.back());
      idle_.pop_back();
      if (clock_.MonotonicMs() - last.since_ms <= options_.idle_max_ms) {
        return Lent(*this, std::move(last.session), false);
      }
      stale.push_back(std::move(last));
      --count_;
    }
    ++count_;
  }
  auto session = ConnectSsh(call, target_);
  if (!session) {
    ForgetOne();
    return session.error();
  }
  return Lent(*this, *std::move(session), true);
}

void SshPool::GiveBack(std::unique_ptr<SshSession> session) {
  if (!session->Usable()) {
    session.reset();
    ForgetOne();
    return;
  }
  Waiter::Lock lock(*waiter_);
  idle_.push_back({std::move(session), clock_.MonotonicMs()});
  waiter_->NotifyAll();
}

void SshPool::ForgetOne() {
  Waiter::Lock lock(*waiter_);
  --count_;
  waiter_->NotifyAll();
}

}  // namespace a4c::baremetal
