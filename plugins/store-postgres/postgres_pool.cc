#include "postgres_pool.h"

#include <Poco/Data/Session.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "a4c/sinks.h"

namespace a4c::postgres {
namespace {

constexpr int64_t kStopPollMs = 50;
constexpr size_t kCutMax = 64;

class BoundedPool final : public SessionPool {
 public:
  BoundedPool(std::string conninfo, const Options& options, const Runtime& runtime)
      : conninfo_(std::move(conninfo)),
        options_(options),
        runtime_(runtime),
        waiter_(runtime.threads.NewWaiter()) {}

  ~BoundedPool() override {
    idle_.clear();
    FreeCut();
  }

  Result<Lease> Take(const Call& call) override;

 protected:
  void GiveBack(std::unique_ptr<Session> session) override;

 private:
  Result<void> WaitForTurn(const Call& call);
  std::unique_ptr<Session> TakeIdle();
  void ReturnTurn();
  void ThrowAway(std::unique_ptr<Session> session);
  void FreeCut();

  const std::string conninfo_;
  const Options& options_;
  const Runtime runtime_;
  const std::unique_ptr<Waiter> waiter_;
  int64_t out_ = 0;
  std::vector<std::unique_ptr<Session>> idle_;
  std::vector<std::unique_ptr<Session>> cut_;  // wait to be mended, and so freed
};

Result<SessionPool::Lease> BoundedPool::Take(const Call& call) {
  A4C_CHECK(WaitForTurn(call));
  while (std::unique_ptr<Session> session = TakeIdle()) {
    if (session->Usable()) return Lease(*this, std::move(session));
    ThrowAway(std::move(session));
  }
  auto session = Connect(conninfo_, options_, runtime_.clock);
  if (!session) {
    ReturnTurn();
    return session.error();
  }
  FreeCut();
  return Lease(*this, *std::move(session));
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
  if (session->Usable()) {
    const Waiter::Lock lock(*waiter_);
    idle_.push_back(std::move(session));
    --out_;
    waiter_->NotifyAll();
    return;
  }
  ThrowAway(std::move(session));
  ReturnTurn();
}

void BoundedPool::ReturnTurn() {
  const Waiter::Lock lock(*waiter_);
  --out_;
  waiter_->NotifyAll();
}

void BoundedPool::ThrowAway(std::unique_ptr<Session> session) {
  runtime_.metrics.Count("a4c_store_postgres_sessions_thrown_away_total", {});
  if (!session->Cut()) return;
  const Waiter::Lock lock(*waiter_);
  if (cut_.size() < kCutMax) cut_.push_back(std::move(session));
}

// Called where the server was just reached, or nothing is left to lose.
void BoundedPool::FreeCut() {
  std::vector<std::unique_ptr<Session>> cut;
  {
    const Waiter::Lock lock(*waiter_);
    cut.swap(cut_);
  }
  for (std::unique_ptr<Session>& session : cut) {
    if (!session->Mend()) break;
  }
}

}  // namespace

std::unique_ptr<SessionPool> NewSessionPool(std::string conninfo, const Options& options,
                                            const Runtime& runtime) {
  return std::make_unique<BoundedPool>(std::move(conninfo), options, runtime);
}

}  // namespace a4c::postgres
