#include "session/postgres_replicas.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "a4c/sinks.h"
#include "session/postgres_server.h"

namespace a4c::postgres {
namespace {

constexpr size_t kSightingsMax = 8;
constexpr int64_t kRetryMs = 1000;  // after no replica could be reached

constexpr const char* kPrimarySql = "SELECT (pg_current_wal_lsn() - '0/0')::bigint";

class LsnReader final : public ReplicaReader {
 public:
  LsnReader(SessionPool& primary, SessionPool& replicas, const std::atomic<int64_t>& timeline_seen,
            const Options& options, const Runtime& runtime)
      : primary_(primary),
        replicas_(replicas),
        timeline_seen_(timeline_seen),
        bound_ms_(options.replica_staleness_max_ms),
        runtime_(runtime),
        waiter_(runtime.threads.NewWaiter()) {}

  std::optional<Reading> Read(const Call& call, std::span<const Statement> statements) override {
    if (!IsTimeToTry()) return std::nullopt;
    AskThePrimary(call);
    std::vector<Statement> all{ReplicaFactsOf()};
    all.insert(all.end(), statements.begin(), statements.end());
    Result<std::vector<Rows>> rows = ReadReplica(InGoodTime(call), all);
    if (!rows) {
      NoteFailure(rows.error());
      return std::nullopt;
    }
    const std::optional<int64_t> stale_ms = StaleMs(ReplicaFactsFrom(rows->at(0)).position);
    Count(stale_ms ? "replica" : "too_old");
    if (!stale_ms) return std::nullopt;
    runtime_.metrics.Observe("a4c_store_postgres_replica_stale_seconds", {},
                             static_cast<double>(*stale_ms) / 1e3);
    rows->erase(rows->begin());
    return Reading{*std::move(rows), *stale_ms};
  }

 private:
  // The primary's log was at `position` at `at_ms` or later.
  struct Sighting {
    int64_t at_ms = 0;
    int64_t position = 0;
  };

  int64_t NowMs() const { return runtime_.clock.MonotonicMs(); }

  bool IsTimeToTry() {
    const Waiter::Lock lock(*waiter_);
    return NowMs() >= retry_at_ms_;
  }

  // A replica that hangs leaves time for the primary; what comes later than the bound is too old.
  Call InGoodTime(Call call) const {
    const int64_t left_ms = std::max<int64_t>(0, call.deadline_ms - NowMs());
    call.deadline_ms = NowMs() + std::min(left_ms / 2, bound_ms_);
    return call;
  }

  Result<std::vector<Rows>> ReadReplica(const Call& call, std::span<const Statement> statements) {
    A4C_TRY(SessionPool::Lease session, replicas_.Take(call));
    Reply reply = session->Run(statements, call.deadline_ms, call.stop);
    if (reply.failure) return reply.failure->error;
    const Result<void> fit = CheckReplica(ReplicaFactsFrom(reply.rows.at(0)), timeline_seen_);
    if (!fit) {
      session.Discard();
      return fit.error();
    }
    return std::move(reply.rows);
  }

  void NoteFailure(const Error& error) {
    Count("unreachable");
    const Waiter::Lock lock(*waiter_);
    retry_at_ms_ = NowMs() + kRetryMs;
    runtime_.log.Write(LogLevel::kWarning, "store-postgres", "no replica could be read",
                       {{"error", error.ToString()}});
  }

  void AskThePrimary(const Call& call) {
    const int64_t at_ms = NowMs();
    {
      const Waiter::Lock lock(*waiter_);
      if (at_ms < asked_ms_ + bound_ms_ / 4) return;
      asked_ms_ = at_ms;
    }
    const Statement ask{kPrimarySql};
    const Result<std::vector<Rows>> rows = ReadFrom(call, primary_, {&ask, 1});
    if (!rows) return;  // older sightings serve as long as they may
    const Waiter::Lock lock(*waiter_);
    sightings_.push_back({at_ms, rows->at(0).Int(0, 0)});
    if (sightings_.size() > kSightingsMax) sightings_.pop_front();
  }

  // By the newest sighting that the replica has reached.
  std::optional<int64_t> StaleMs(int64_t replayed) {
    const Waiter::Lock lock(*waiter_);
    std::optional<int64_t> stale_ms;
    for (const Sighting& sighting : sightings_) {
      if (sighting.position > replayed) continue;
      const int64_t age_ms = NowMs() - sighting.at_ms;
      if (!stale_ms || age_ms < *stale_ms) stale_ms = age_ms;
    }
    if (stale_ms && *stale_ms > bound_ms_) stale_ms.reset();
    return stale_ms;
  }

  void Count(std::string_view outcome) {
    const MetricLabel label{"outcome", outcome};
    runtime_.metrics.Count("a4c_store_postgres_replica_scans_total", {&label, 1}, 1);
  }

  SessionPool& primary_;
  SessionPool& replicas_;
  const std::atomic<int64_t>& timeline_seen_;
  const int64_t bound_ms_;
  const Runtime runtime_;
  const std::unique_ptr<Waiter> waiter_;  // guards all below
  std::deque<Sighting> sightings_;
  int64_t asked_ms_ = INT64_MIN / 2;
  int64_t retry_at_ms_ = 0;
};

}  // namespace

std::unique_ptr<ReplicaReader> NewReplicaReader(SessionPool& primary, SessionPool& replicas,
                                                const std::atomic<int64_t>& timeline_seen,
                                                const Options& options, const Runtime& runtime) {
  return std::make_unique<LsnReader>(primary, replicas, timeline_seen, options, runtime);
}

}  // namespace a4c::postgres
