#include "route_pool.h"

#include <algorithm>
#include <utility>

namespace a4c::baremetal {
namespace {

constexpr int64_t kLookAgainMs = 100;

}  // namespace

RoutePool::RoutePool(const Runtime& runtime, const RoutePoolOptions& options, Connect connect)
    : clock_(runtime.clock),
      options_(options),
      connect_(std::move(connect)),
      waiter_(runtime.threads.NewWaiter()) {}

// Under waiter_.
std::unique_ptr<Route> RoutePool::TakeIdle(Peer peer, std::vector<Route>& stale) {
  const int64_t now_ms = clock_.MonotonicMs();
  while (!idle_.empty() && now_ms - idle_.front().used_ms > options_.idle_max_ms) {
    stale.push_back(std::move(idle_.front()));
    idle_.erase(idle_.begin());
    --count_;
  }
  if (idle_.empty()) return nullptr;
  auto found = std::find_if(idle_.rbegin(), idle_.rend(),
                            [&](const Route& route) { return route.peer == peer; });
  auto at = found == idle_.rend() ? std::prev(idle_.end()) : std::prev(found.base());
  auto route = std::make_unique<Route>(std::move(*at));
  idle_.erase(at);
  return route;
}

Result<RoutePool::Lent> RoutePool::Take(const Call& call, Peer peer, bool wait) {
  std::vector<Route> stale;  // closed after the lock is given up
  {
    Waiter::Lock lock(*waiter_);
    while (true) {
      if (auto route = TakeIdle(peer, stale)) return Lent(*this, std::move(*route), false);
      if (count_ < options_.routes_max) break;
      if (!options_.wait || !wait) {
        return Error(Code::kExhausted, "all " + std::to_string(count_) + " connections are in use");
      }
      if (call.Stopping()) return Error(Code::kCanceled, "the caller has gone");
      if (call.Expired()) {
        return Error(Code::kTimeout, "all " + std::to_string(count_) + " connections are in use");
      }
      waiter_->Wait(std::min(call.deadline_ms, clock_.MonotonicMs() + kLookAgainMs));
    }
    ++count_;
  }
  auto session = connect_(call);
  if (!session) {
    ForgetOne();
    return session.error();
  }
  return Lent(*this, Route{.session = *std::move(session), .connection = nullptr}, true);
}

void RoutePool::GiveBack(Route route) {
  if (route.connection != nullptr && !route.connection->Reusable()) {
    route.connection.reset();
    route.peer = Peer::kNone;
  }
  const bool usable =
      route.session != nullptr ? route.session->Usable() : route.connection != nullptr;
  if (!usable) {
    route.connection.reset();  // before the session that carries it
    route.session.reset();
    ForgetOne();
    return;
  }
  Waiter::Lock lock(*waiter_);
  route.used_ms = clock_.MonotonicMs();
  idle_.push_back(std::move(route));
  waiter_->NotifyAll();
}

void RoutePool::ForgetOne() {
  Waiter::Lock lock(*waiter_);
  --count_;
  waiter_->NotifyAll();
}

}  // namespace a4c::baremetal
