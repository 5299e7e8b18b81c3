#include "postgres_pool.h"

#include <algorithm>
#include <utility>

#include "a4c/sinks.h"

namespace a4c::search_postgres {
namespace {

constexpr int64_t kStopPollMs = 50;

}  // namespace

Result<Pool::Lease> Pool::Take(const Call& call) {
  A4C_CHECK(WaitForTurn(call));
  while (std::unique_ptr<Session> session = TakeIdle()) {
    if (session->Usable()) return Lease(*this, std::move(session));
    runtime_.metrics.Count("a4c_search_postgres_sessions_thrown_away_total", {});
  }
  auto session = Session::Open(call, options_, role_);
  if (session) return Lease(*this, *std::move(session));
  ReturnTurn();
  return session.error();
}

Result<void> Pool::WaitForTurn(const Call& call) {
  const Waiter::Lock lock(*waiter_);
  while (out_ >= options_.sessions_max || call.Stopping() || call.Expired()) {
    if (call.Stopping()) return Error(Code::kCanceled, "search-postgres: asked to stop");
    if (call.Expired()) {
      return Error(Code::kTimeout, "search-postgres: no session came free", "raise sessions_max");
    }
    waiter_->Wait(std::min(call.deadline_ms, runtime_.clock.MonotonicMs() + kStopPollMs));
  }
  ++out_;
  return {};
}

std::unique_ptr<Session> Pool::TakeIdle() {
  const Waiter::Lock lock(*waiter_);
  if (idle_.empty()) return nullptr;
  std::unique_ptr<Session> session = std::move(idle_.back());
  idle_.pop_back();
  return session;
}

void Pool::GiveBack(std::unique_ptr<Session> session) {
  if (session->Usable()) {
    const Waiter::Lock lock(*waiter_);
    idle_.push_back(std::move(session));
  } else {
    runtime_.metrics.Count("a4c_search_postgres_sessions_thrown_away_total", {});
    session.reset();
  }
  ReturnTurn();
}

void Pool::ReturnTurn() {
  const Waiter::Lock lock(*waiter_);
  --out_;
  waiter_->NotifyAll();
}

}  // namespace a4c::search_postgres
