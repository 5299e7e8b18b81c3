#include "session/postgres_standby_watch.h"

#include <algorithm>

#include "a4c/sinks.h"
#include "session/postgres_binary.h"

namespace a4c::postgres {
namespace {

constexpr int64_t kProbePeriodMs = 1000;
// It takes a transaction id and writes to the log, so its commit waits for a standby; it leaves
// no row behind.
constexpr const char* kProbeSql =
    "SELECT pg_logical_emit_message(true, 'a4c', 'is a standby there?')";
constexpr const char* kCancelSql =
    "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity "
    "WHERE pid = $1::bigint AND query = $2::text AND wait_event = 'SyncRep'";

// So that the server does not keep one more of them waiting each second. Not by PQcancel, which
// waits without a bound for a server that is frozen; where no session is to be had, it is left out.
void CancelProbe(const Clock& clock, SessionPool& pool, int64_t backend_pid) {
  const Call call = Call::Within(clock, kProbePeriodMs);
  Result<SessionPool::Lease> session = pool.Take(call);
  if (!session) return;
  const Statement cancel{kCancelSql, {ToBinary(backend_pid), kProbeSql}};
  (*session)->Run({&cancel, 1}, clock.MonotonicMs() + kProbePeriodMs);
}

}  // namespace

class StandbyWatch::ProbeTurn {
 public:
  explicit ProbeTurn(StandbyWatch& watch) : watch_(watch) {}
  ~ProbeTurn() {
    const Waiter::Lock lock(*watch_.waiter_);
    watch_.next_probe_ms_ = watch_.runtime_.clock.MonotonicMs() + kProbePeriodMs;
  }
  ProbeTurn(const ProbeTurn&) = delete;
  ProbeTurn& operator=(const ProbeTurn&) = delete;

 private:
  StandbyWatch& watch_;
};

Result<void> StandbyWatch::Admit(const Call& call, SessionPool& pool) {
  {
    const Waiter::Lock lock(*waiter_);
    if (!degraded_) return {};
    const int64_t now_ms = runtime_.clock.MonotonicMs();
    if (now_ms < next_probe_ms_) {
      return Error(Code::kUnavailable,
                   "no standby has confirmed a commit for " +
                       std::to_string((now_ms - unanswered_since_ms_) / 1000) + " s",
                   "bring a standby back, or take it from synchronous_standby_names");
    }
    next_probe_ms_ = kNever;  // one at a time
  }
  const ProbeTurn turn(*this);
  const int64_t sent_ms = runtime_.clock.MonotonicMs();
  Result<void> probed = Probe(call, pool);
  if (probed) Confirmed(sent_ms);
  return probed;
}

// Standbys that confirm nothing may follow another primary by now: some of the call's time is kept
// to learn that.
Result<void> StandbyWatch::Probe(const Call& call, SessionPool& pool) {
  int64_t backend_pid = 0;
  Reply reply;
  {
    A4C_TRY(SessionPool::Lease session, pool.Take(call));
    backend_pid = session->backend_pid();
    const Statement probe{kProbeSql};
    const int64_t wait_ms = std::min(call.RemainingMs() / 2, kProbePeriodMs);
    reply = session->Commit({&probe, 1}, call.clock.MonotonicMs() + wait_ms);
  }
  if (!reply.failure && reply.doubt == nullptr) return {};
  if (reply.failure) CancelProbe(call.clock, pool, backend_pid);
  pool.LookAround(call);
  if (reply.failure && reply.failure->error.code() != Code::kTimeout) return reply.failure->error;
  return Error(Code::kUnavailable, "no standby confirms commits",
               "bring a standby back, or take it from synchronous_standby_names");
}

void StandbyWatch::Confirmed(int64_t sent_ms) {
  const Waiter::Lock lock(*waiter_);
  if (unanswered_since_ms_ == kNever || sent_ms < unanswered_since_ms_) return;
  unanswered_since_ms_ = kNever;
  if (!degraded_) return;
  degraded_ = false;
  runtime_.metrics.Gauge("a4c_store_postgres_degraded", {}, 0);
  runtime_.log.Write(LogLevel::kInfo, "store-postgres", "a standby confirms commits again", {});
}

void StandbyWatch::Unanswered(int64_t sent_ms) {
  const Waiter::Lock lock(*waiter_);
  unanswered_since_ms_ = std::min(unanswered_since_ms_, sent_ms);
  const int64_t waited_ms = runtime_.clock.MonotonicMs() - unanswered_since_ms_;
  if (degraded_ || waited_ms < options_.commit_timeout_ms) return;
  degraded_ = true;
  runtime_.metrics.Gauge("a4c_store_postgres_degraded", {}, 1);
  runtime_.log.Write(LogLevel::kError, "store-postgres",
                     "no standby confirms commits: writes are refused until one does",
                     {{"for_ms", std::to_string(waited_ms)}});
}

}  // namespace a4c::postgres
