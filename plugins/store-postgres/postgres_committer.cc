#include "postgres_committer.h"

#include <optional>
#include <string_view>
#include <utility>

#include "a4c/sinks.h"
#include "postgres_error.h"
#include "postgres_lanes.h"

namespace a4c::postgres {
namespace {

constexpr int kAttemptsMax = 4;
constexpr uint64_t kPauseMsMax = 20;
constexpr std::string_view kUniqueViolation = "23505";

// Others were in the way, or the session: the same batch may well pass now.
bool MayPassNow(const Failure& failure) {
  return failure.sqlstate == kUniqueViolation || failure.sqlstate.starts_with("40") ||
         EndsSession(failure.sqlstate);
}

class LaneCommitter final : public GroupWriter {
 public:
  LaneCommitter(SessionPool& pool, const Options& options, const Runtime& runtime)
      : pool_(pool), options_(options), runtime_(runtime), waiter_(runtime.threads.NewWaiter()) {}

  void Flush(const Group& group, const std::stop_token& stop) override;

 private:
  using Lane = Attempt (*)(Session&, const Items&, int64_t);

  Result<Attempt> Try(Lane lane, const Items& items, const std::stop_token& stop);
  bool FlushTogether(const Items& items, const std::stop_token& stop);
  std::optional<Error> FlushAlone(const Item& item, const std::stop_token& stop);
  bool Settle(const Items& items, Result<Attempt> attempt);
  void Pause();

  SessionPool& pool_;
  const Options& options_;
  const Runtime runtime_;
  const std::unique_ptr<Waiter> waiter_;
};

void LaneCommitter::Flush(const Group& group, const std::stop_token& stop) {
  Items items;
  for (const ItemPtr& item : group) items.push_back(item.get());
  if (FlushTogether(items, stop)) return;
  for (size_t i = 0; i < items.size(); ++i) {
    const std::optional<Error> no_session = FlushAlone(*items[i], stop);
    if (!no_session) continue;
    // The next one would only wait in vain as well.
    for (; i < items.size(); ++i) items[i]->Finish(NotApplied(*no_session));
  }
}

bool LaneCommitter::FlushTogether(const Items& items, const std::stop_token& stop) {
  const bool creates = items[0]->create.has_value();
  Result<Attempt> attempt = Try(creates ? CreateAll : DecideAll, items, stop);
  if (creates && attempt && attempt->failure && attempt->failure->sqlstate == kUniqueViolation) {
    runtime_.metrics.Count("a4c_store_postgres_creates_in_the_way_total", {});
    attempt = Try(DecideAll, items, stop);
  }
  return Settle(items, std::move(attempt));
}

// The group's rollback is proved: each of its batches is sent again, and decides for itself alone.
// An Error: no session was to be had, and the batch is not finished.
std::optional<Error> LaneCommitter::FlushAlone(const Item& item, const std::stop_token& stop) {
  Error last(Code::kTimeout, "no time left to send the batch again");
  for (int attempts = 1; attempts <= kAttemptsMax; ++attempts) {
    if (runtime_.clock.MonotonicMs() >= item.submission->deadline_ms) break;
    Result<Attempt> attempt = Try(DecideAll, {&item}, stop);
    if (!attempt) return attempt.error();
    const bool rolled_back = attempt->fate == Fate::kRolledBack;
    if (rolled_back) last = attempt->failure->error;
    const bool again = rolled_back && MayPassNow(*attempt->failure);
    if (Settle({&item}, std::move(attempt))) return std::nullopt;
    if (!again) break;
    Pause();
  }
  item.Finish(NotApplied(last));
  return std::nullopt;
}

// An Error: no session was to be had, and nothing was sent.
Result<Attempt> LaneCommitter::Try(Lane lane, const Items& items, const std::stop_token& stop) {
  const Call call = Call::Within(runtime_.clock, options_.commit_timeout_ms, stop);
  A4C_TRY(SessionPool::Lease session, pool_.Take(call));
  return lane(*session, items, call.deadline_ms);
}

// False: rolled back, and the batches may be sent again.
bool LaneCommitter::Settle(const Items& items, Result<Attempt> attempt) {
  if (!attempt) {
    for (const Item* item : items) item->Finish(NotApplied(attempt.error()));
    return true;
  }
  if (attempt->fate == Fate::kRolledBack) {
    runtime_.metrics.Count("a4c_store_postgres_groups_rolled_back_total", {});
    return false;
  }
  if (attempt->fate == Fate::kUnknown) {
    runtime_.metrics.Count("a4c_store_postgres_groups_unknown_total", {});
    const Error error(Code::kUnknownOutcome, attempt->why,
                      "send the same batch again to learn its outcome");
    for (const Item* item : items) item->Finish(Unknown(error), attempt->store_time_ms);
    return true;
  }
  for (size_t i = 0; i < items.size(); ++i) {
    items[i]->Finish(std::move(attempt->results[i]), attempt->store_time_ms);
  }
  return true;
}

void LaneCommitter::Pause() {
  const Waiter::Lock lock(*waiter_);
  const auto pause_ms = static_cast<int64_t>(runtime_.random.Next() % kPauseMsMax);
  waiter_->Wait(runtime_.clock.MonotonicMs() + 1 + pause_ms);
}

}  // namespace

std::unique_ptr<GroupWriter> NewCommitter(SessionPool& pool, const Options& options,
                                          const Runtime& runtime) {
  return std::make_unique<LaneCommitter>(pool, options, runtime);
}

}  // namespace a4c::postgres
