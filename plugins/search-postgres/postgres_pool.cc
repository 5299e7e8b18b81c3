#include "postgres_pool.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "a4c/sinks.h"

namespace a4c::search_postgres {
namespace {

constexpr int64_t kStopPollMs = 50;

}  // namespace

Result<Pool::Lease> Pool::Take(const Call& call) {
  A4C_CHECK(WaitForTurn(call));
  while (std::unique_ptr<Session> session = TakeIdle()) {
    if (session->Usable() && !IsReplaced(*session)) return Lease(*this, std::move(session));
    runtime_.metrics.Count("a4c_search_postgres_sessions_thrown_away_total", {});
  }
  auto session = Connect(call);
  if (session) return Lease(*this, *std::move(session));
  ReturnTurn();
  return session.error();
}

// The first that is not behind what was seen; who has seen nothing yet cannot tell, and asks all.
Result<std::unique_ptr<Session>> Pool::Connect(const Call& call) {
  const bool any_seen = timeline_seen_ != 0;
  const size_t first = served_last_;
  std::unique_ptr<Session> newest;
  std::optional<Error> failure;
  for (size_t i = 0; i < conninfos_.size() && !(any_seen && newest); ++i) {
    const size_t server = (first + i) % conninfos_.size();
    auto session = ConnectTo(call, server, conninfos_.size() - i);
    if (session && (!newest || newest->timeline() < (*session)->timeline())) {
      newest = *std::move(session);
      served_last_ = server;
    } else if (!session && !failure) {
      failure = session.error();
    } else if (!session) {
      // Of several, the one that a retry cannot help tells more than one that is down.
      const Error& told = failure->retryable() ? session.error() : *failure;
      failure =
          Error(told.code(), failure->message() + "; " + session.error().message(), told.hint());
    }
  }
  if (!newest) return *failure;
  NoteTimeline(*newest);
  return newest;
}

// A server that is silent leaves time for those behind it.
Result<std::unique_ptr<Session>> Pool::ConnectTo(const Call& call, size_t server,
                                                 size_t servers_left) {
  Call once = call;
  const int64_t share_ms = call.RemainingMs() / static_cast<int64_t>(servers_left);
  once.deadline_ms = call.clock.MonotonicMs() + std::min(options_.connect_timeout_ms, share_ms);
  A4C_TRY(std::unique_ptr<Session> session,
          Session::Open(once, conninfos_[server], options_, role_));
  if (!IsReplaced(*session)) return session;
  return Error(Code::kUnavailable,
               "search-postgres: the server is no primary any more: it writes timeline " +
                   std::to_string(session->timeline()) + ", and timeline " +
                   std::to_string(timeline_seen_) + " was seen",
               "stop it, and bring it back as a standby (pg_rewind)");
}

void Pool::NoteTimeline(const Session& session) {
  int64_t seen = timeline_seen_;
  while (seen < session.timeline() &&
         !timeline_seen_.compare_exchange_weak(seen, session.timeline())) {
  }
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
  if (session->Usable() && !IsReplaced(*session)) {
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
