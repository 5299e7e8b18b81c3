#include "write/postgres_committer.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "a4c/sinks.h"
#include "session/postgres_error.h"
#include "session/postgres_standby_watch.h"
#include "write/postgres_group.h"
#include "write/postgres_lanes.h"

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

bool AnyApplied(const Attempt& attempt) {
  return std::ranges::any_of(attempt.results, [](const BatchResult& result) {
    return result.outcome == BatchOutcome::kApplied;
  });
}

// What all calls share.
struct Context {
  SessionPool& pool;
  const Options& options;
  const Runtime& runtime;
  StandbyWatch& standbys;
  Waiter& waiter;
};

class Applying {
 public:
  Applying(const Context& context, const Call& call, const Catalog& catalog, ApplyAnswer& answer)
      : context_(context), call_(call), catalog_(catalog), answer_(answer) {}

  void Commit(const Items& group, bool creates);

 private:
  using Lane = Attempt (*)(const Call&, Session&, const Catalog&, const Items&, int64_t);

  Result<Attempt> Try(Lane lane, const Items& items);
  bool CommitTogether(const Items& items, bool creates);
  std::optional<Error> CommitAlone(const Item& item);
  bool Settle(const Items& items, Result<Attempt> attempt);
  void Finish(const Item& item, BatchResult result) {
    answer_.results[item.index] = std::move(result);
  }
  void Pause();

  const Context& context_;
  const Call& call_;
  const Catalog& catalog_;
  ApplyAnswer& answer_;
};

void Applying::Commit(const Items& group, bool creates) {
  if (group.empty()) return;
  context_.runtime.metrics.Observe("a4c_store_postgres_group_batches", {},
                                   static_cast<double>(group.size()));
  if (CommitTogether(group, creates)) return;
  for (size_t i = 0; i < group.size(); ++i) {
    const std::optional<Error> no_session = CommitAlone(*group[i]);
    if (!no_session) continue;
    // The next one would only wait in vain as well.
    for (; i < group.size(); ++i) Finish(*group[i], NotApplied(*no_session));
  }
}

bool Applying::CommitTogether(const Items& items, bool creates) {
  Result<Attempt> attempt = Try(creates ? CreateAll : DecideAll, items);
  if (creates && attempt && attempt->failure && attempt->failure->sqlstate == kUniqueViolation) {
    context_.runtime.metrics.Count("a4c_store_postgres_creates_in_the_way_total", {});
    attempt = Try(DecideAll, items);
  }
  return Settle(items, std::move(attempt));
}

// The group's rollback is proved: each of its batches is sent again, and decides for itself alone.
// An Error: no session was to be had, and the batch is not finished.
std::optional<Error> Applying::CommitAlone(const Item& item) {
  Error last(Code::kTimeout, "no time left to send the batch again");
  for (int attempts = 1; attempts <= kAttemptsMax && !call_.Expired(); ++attempts) {
    Result<Attempt> attempt = Try(DecideAll, {&item});
    if (!attempt) return attempt.error();
    const bool rolled_back = attempt->fate == Fate::kRolledBack;
    if (rolled_back) last = attempt->failure->error;
    const bool again = rolled_back && MayPassNow(*attempt->failure);
    if (Settle({&item}, std::move(attempt))) return std::nullopt;
    if (!again) break;
    Pause();
  }
  Finish(item, NotApplied(last));
  return std::nullopt;
}

// An Error: no session was to be had, and nothing was sent.
Result<Attempt> Applying::Try(Lane lane, const Items& items) {
  A4C_CHECK(context_.standbys.Admit(call_, context_.pool));
  A4C_TRY(SessionPool::Lease session, context_.pool.Take(call_));
  const int64_t sent_ms = context_.runtime.clock.MonotonicMs();
  const int64_t commit_deadline_ms = sent_ms + context_.options.commit_timeout_ms;
  Attempt attempt =
      lane(call_, *session, catalog_, items, std::min(call_.deadline_ms, commit_deadline_ms));
  if (attempt.unanswered) context_.standbys.Unanswered(sent_ms);
  if (attempt.fate != Fate::kDecided) return attempt;
  if (!context_.pool.IsGood(*session)) {
    attempt.fate = Fate::kUnknown;
    attempt.why = "the server was replaced as primary while it committed";
  } else if (AnyApplied(attempt)) {
    context_.standbys.Confirmed(sent_ms);
  }
  return attempt;
}

// False: rolled back, and the batches may be sent again.
bool Applying::Settle(const Items& items, Result<Attempt> attempt) {
  if (!attempt) {
    for (const Item* item : items) Finish(*item, NotApplied(attempt.error()));
    return true;
  }
  if (attempt->fate == Fate::kRolledBack) {
    context_.runtime.metrics.Count("a4c_store_postgres_groups_rolled_back_total", {});
    return false;
  }
  if (attempt->store_time_ms != 0) answer_.store_time_ms = attempt->store_time_ms;
  if (attempt->fate == Fate::kUnknown) {
    context_.runtime.metrics.Count("a4c_store_postgres_groups_unknown_total", {});
    const Error error(Code::kUnknownOutcome, attempt->why,
                      "send the same batch again to learn its outcome");
    for (const Item* item : items) Finish(*item, Unknown(error));
    return true;
  }
  for (size_t i = 0; i < items.size(); ++i) Finish(*items[i], std::move(attempt->results[i]));
  return true;
}

void Applying::Pause() {
  const Waiter::Lock lock(context_.waiter);
  const auto pause_ms = static_cast<int64_t>(context_.runtime.random.Next() % kPauseMsMax);
  context_.waiter.Wait(context_.runtime.clock.MonotonicMs() + 1 + pause_ms);
}

class LaneCommitter final : public Committer {
 public:
  LaneCommitter(SessionPool& pool, const Options& options, const Runtime& runtime)
      : runtime_(runtime),
        waiter_(runtime.threads.NewWaiter()),
        standbys_(options, runtime),
        context_{pool, options, runtime_, standbys_, *waiter_} {}

  ApplyAnswer Apply(const Call& call, const Catalog& catalog,
                    std::span<const WriteBatch> batches) override {
    ApplyAnswer answer;
    answer.results.resize(batches.size());
    const std::vector<Item> items = ItemsOf(call, catalog, batches, answer.results);
    const Groups groups = GroupsOf(items);
    Applying applying(context_, call, catalog, answer);
    applying.Commit(groups.creates, true);
    applying.Commit(groups.others, false);
    return answer;
  }

 private:
  const Runtime runtime_;
  const std::unique_ptr<Waiter> waiter_;
  StandbyWatch standbys_;
  const Context context_;
};

}  // namespace

std::unique_ptr<Committer> NewCommitter(SessionPool& pool, const Options& options,
                                        const Runtime& runtime) {
  return std::make_unique<LaneCommitter>(pool, options, runtime);
}

}  // namespace a4c::postgres
