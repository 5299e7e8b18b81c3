#include "session/postgres_pool.h"

#include <Poco/Data/Session.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "a4c/batch_rules.h"
#include "a4c/sinks.h"
#include "session/postgres_error.h"

namespace a4c::postgres {
namespace {

constexpr int64_t kStopPollMs = 50;
constexpr int kReadsMax = 2;
constexpr int64_t kHeardLatelyMs = 1000;

class BoundedPool final : public SessionPool {
 public:
  BoundedPool(Connector& connector, const Options& options, const Runtime& runtime)
      : connector_(connector),
        options_(options),
        runtime_(runtime),
        waiter_(runtime.threads.NewWaiter()) {}

  Result<Lease> Take(const Call& call) override;
  bool IsGood(const Session& session) const override { return !connector_.IsReplaced(session); }
  void LookAround(const Call& call) override { connector_.LookAround(call); }

 protected:
  void GiveBack(std::unique_ptr<Session> session) override;
  void Discard(std::unique_ptr<Session> session) override {
    ThrowAway(std::move(session));
    ReturnTurn();
  }

 private:
  // One of sessions_max, given back unless a session takes it over.
  class Turn {
   public:
    explicit Turn(BoundedPool& pool) : pool_(&pool) {}
    ~Turn() {
      if (pool_ != nullptr) pool_->ReturnTurn();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    Lease For(std::unique_ptr<Session> session) {
      return Lease(*std::exchange(pool_, nullptr), std::move(session));
    }

   private:
    BoundedPool* pool_;
  };

  Result<void> WaitForTurn(const Call& call);
  std::unique_ptr<Session> TakeIdle();
  void ReturnTurn();
  void ThrowAway(std::unique_ptr<Session> session);
  void ThrowAwaySiblings(const Session& gone_wrong);

  Connector& connector_;
  const Options& options_;
  const Runtime runtime_;
  const std::unique_ptr<Waiter> waiter_;
  int64_t out_ = 0;
  std::vector<std::unique_ptr<Session>> idle_;
};

Result<SessionPool::Lease> BoundedPool::Take(const Call& call) {
  A4C_CHECK(WaitForTurn(call));
  Turn turn(*this);
  while (std::unique_ptr<Session> session = TakeIdle()) {
    if (session->Usable() && IsGood(*session)) return turn.For(std::move(session));
    ThrowAway(std::move(session));
  }
  A4C_TRY(std::unique_ptr<Session> session, connector_.Connect(call));
  return turn.For(std::move(session));
}

Result<void> BoundedPool::WaitForTurn(const Call& call) {
  const Waiter::Lock lock(*waiter_);
  while (out_ >= options_.sessions_max) {
    if (call.Stopping()) return Error(Code::kCanceled, "asked to stop");
    if (call.Expired()) {
      return Error(Code::kTimeout, "all sessions to PostgreSQL are in use", "raise sessions_max");
    }
    waiter_->Wait(std::min(call.deadline_ms, runtime_.clock.MonotonicMs() + kStopPollMs));
  }
  ++out_;
  return {};
}

std::unique_ptr<Session> BoundedPool::TakeIdle() {
  const Waiter::Lock lock(*waiter_);
  if (idle_.empty()) return nullptr;
  std::unique_ptr<Session> session = std::move(idle_.back());
  idle_.pop_back();
  return session;
}

void BoundedPool::GiveBack(std::unique_ptr<Session> session) {
  if (session->Usable() && IsGood(*session)) {
    const Waiter::Lock lock(*waiter_);
    idle_.push_back(std::move(session));
    --out_;
    waiter_->NotifyAll();
    return;
  }
  Discard(std::move(session));
}

void BoundedPool::ReturnTurn() {
  const Waiter::Lock lock(*waiter_);
  --out_;
  waiter_->NotifyAll();
}

void BoundedPool::ThrowAway(std::unique_ptr<Session> session) {
  runtime_.metrics.Count("a4c_store_postgres_sessions_thrown_away_total", {});
  if (session->unanswered() || session->retired()) ThrowAwaySiblings(*session);
  session.reset();
}

// A server that is gone without a word answers on none of its sessions, and each would be waited
// for in its turn. Of one that is only slow, those that were heard lately are kept; of one that
// does not keep commits as it did, none.
void BoundedPool::ThrowAwaySiblings(const Session& gone_wrong) {
  const std::string server = gone_wrong.server();
  const int64_t heard_by_ms =
      gone_wrong.retired() ? INT64_MAX : runtime_.clock.MonotonicMs() - kHeardLatelyMs;
  std::vector<std::unique_ptr<Session>> gone;  // past the lock
  const Waiter::Lock lock(*waiter_);
  const auto [from, to] = std::ranges::stable_partition(idle_, [&](const auto& session) {
    return session->heard_ms() > heard_by_ms || session->server() != server;
  });
  std::move(from, to, std::back_inserter(gone));
  idle_.erase(from, to);
  runtime_.metrics.Count("a4c_store_postgres_sessions_thrown_away_total", {},
                         static_cast<double>(gone.size()));
}

}  // namespace

std::unique_ptr<SessionPool> NewSessionPool(Connector& connector, const Options& options,
                                            const Runtime& runtime) {
  return std::make_unique<BoundedPool>(connector, options, runtime);
}

// Reading again costs nothing, so a session that turns out to be cut is not the caller's concern.
Result<std::vector<Rows>> ReadFrom(const Call& call, SessionPool& pool,
                                   std::span<const Statement> statements) {
  for (int attempts = 1;; ++attempts) {
    A4C_TRY(SessionPool::Lease session, pool.Take(call));
    Reply reply = session->Run(statements, call.deadline_ms, call.stop);
    if (!reply.failure) return std::move(reply.rows);
    const bool again = EndsSession(reply.failure->sqlstate) && CheckCall(call);
    if (!again || attempts == kReadsMax) return reply.failure->error;
  }
}

}  // namespace a4c::postgres
