#include "apps/a4cd/work/job_desk.h"

#include <algorithm>
#include <utility>

#include "a4c/record.h"
#include "apps/a4cd/jobs/kinds.h"

namespace a4cd {

using a4c::Claimed;
using a4c::Result;
using a4c::Waiter;

namespace {

constexpr int kSeenJobs = 20;         // of each priority
constexpr int kTenantsTriedMax = 32;  // for one claim

int64_t LongIn(const a4c::FieldValues& values, std::string_view name) {
  const auto found = values.find(name);
  const auto* value = found == values.end() ? nullptr : std::get_if<int64_t>(&found->second);
  return value == nullptr ? 0 : *value;
}

class LongPlace {
 public:
  explicit LongPlace(std::atomic<int>& all) : all_(all) { ++all_; }
  ~LongPlace() { --all_; }
  LongPlace(const LongPlace&) = delete;
  LongPlace& operator=(const LongPlace&) = delete;

 private:
  std::atomic<int>& all_;
};

}  // namespace

std::vector<int64_t> JobDesk::Due::InTurn() const {
  std::vector<int64_t> turns;
  for (const auto& [queue, seen] : queues) turns.push_back(queue);
  std::ranges::sort(turns, {}, [&](int64_t queue) {
    return std::pair(queue % kFirstLongQueue, queues.at(queue).oldest_due_ms);
  });
  return turns;
}

std::set<std::string> JobDesk::Due::Tenants() const {
  std::set<std::string> all;
  for (const auto& [number, queue] : queues) {
    all.insert(queue.tenants.begin(), queue.tenants.end());
  }
  return all;
}

JobDesk::JobDesk(WorkContext& context)
    : context_(context), waiter_(context.runtime.threads.NewWaiter()) {}

Result<std::optional<JobClaim>> JobDesk::Take() {
  Ticket mine;
  {
    const Waiter::Lock lock(*waiter_);
    waiting_.push_back(&mine);
  }
  for (;;) {
    size_t count = 0;
    {
      const Waiter::Lock lock(*waiter_);
      while (!mine.answer && is_claiming_) waiter_->Wait(Waiter::kForever);
      if (mine.answer) return *std::move(mine.answer);
      is_claiming_ = true;
      count = waiting_.size();
    }
    Result<std::vector<JobClaim>> claims = ClaimFor(static_cast<int>(count));
    const Waiter::Lock lock(*waiter_);
    HandOut(count, std::move(claims));
  }
}

// [waiter_ held] To those who were waiting when it was claimed. Who gets none although there were
// some waits for the next claim.
void JobDesk::HandOut(size_t count, Result<std::vector<JobClaim>> claims) {
  is_claiming_ = false;
  const bool is_for_all = !claims || claims->empty();
  const size_t served = is_for_all ? count : claims->size();
  for (size_t i = 0; i < served; ++i) {
    Ticket& ticket = *waiting_.front();
    waiting_.pop_front();
    if (!claims) {
      ticket.answer.emplace(claims.error());
    } else if (claims->empty()) {
      ticket.answer.emplace(std::optional<JobClaim>());
    } else {
      ticket.answer.emplace(std::optional<JobClaim>(std::move((*claims)[i])));
    }
  }
  waiter_->NotifyAll();
}

Result<std::vector<JobClaim>> JobDesk::ClaimFor(int count) {
  std::vector<JobClaim> claims;
  A4C_TRY(const Due due, Look());
  const std::set<std::string> seen = due.Tenants();
  std::set<std::string> tried;
  while (!seen.empty() && std::ssize(claims) < count && tried.size() < kTenantsTriedMax) {
    A4C_TRY(std::vector<std::string> tenants, context_.shares.Order(context_.StoreCall(), seen));
    std::erase_if(tenants, [&](const std::string& tenant) { return tried.contains(tenant); });
    if (tenants.empty()) break;
    const std::string& tenant = tenants[0];
    const auto before = std::ssize(claims);
    const int turns = context_.shares.Turns(tenants, count - static_cast<int>(before));
    const Result<void> claimed = ClaimOf(tenant, due, turns, claims);
    // What was claimed before is not to be lost for it.
    if (!claimed && claims.empty()) return claimed.error();
    if (!claimed) break;
    if (std::ssize(claims) == before) context_.shares.Idle(tenant);
    if (std::ssize(claims) < before + turns) tried.insert(tenant);
  }
  return claims;
}

// Of the jobs that are due those of the most urgent first: some of the tenants that have one, all
// of them unless one has very many. One read for each queue that has a job, and one that finds no
// more: seldom more than three in all.
Result<JobDesk::Due> JobDesk::Look() {
  Due due;
  const int64_t end = LongPlaces() > 0 ? kQueues : kFirstLongQueue;
  for (int64_t first = 0; first < end;) {
    A4C_TRY(const a4c::ScanAnswer page,
            context_.database.Scan(context_.StoreCall(), {.kind = JobKind().name,
                                                          .index = "by_due",
                                                          .lower = first,
                                                          .upper = end,
                                                          .limit = kSeenJobs}));
    due.now_ms = page.store_time_ms;
    if (page.records.empty()) break;
    first = Note(page, due).value_or(first) + 1;
  }
  return due;
}

// The first queue that a page shows, with those of it that are due: they stand before the others. A
// record that somebody has broken, which tells none, is no matter to them.
std::optional<int64_t> JobDesk::Note(const a4c::ScanAnswer& page, Due& due) {
  std::optional<int64_t> queue;
  Queue seen{.is_whole = page.next.empty()};
  for (const a4c::Record& record : page.records) {
    const Result<a4c::FieldValues> values = a4c::IndexedFields(JobKind(), record.body);
    if (!values) continue;
    const int64_t of = LongIn(*values, "queue_priority");
    if (!queue) queue = of;
    const int64_t due_ms = LongIn(*values, "due_at");
    if (of != *queue || due_ms > due.now_ms) {
      seen.is_whole = true;
      break;
    }
    seen.oldest_due_ms = std::min(seen.oldest_due_ms, due_ms);
    seen.tenants.insert(record.ref.key.scope);
  }
  if (queue) due.queues[*queue] = std::move(seen);
  return queue;
}

// Up to so many. An error: some may have been claimed, and are among the claims.
Result<void> JobDesk::ClaimOf(const std::string& tenant, const Due& due, int count,
                              std::vector<JobClaim>& claims) {
  for (const int64_t queue : due.InTurn()) {
    const Queue& seen = due.queues.at(queue);
    if (seen.is_whole && !seen.tenants.contains(tenant)) continue;
    const int most = IsOfLongJobs(queue) ? std::min(count, LongPlaces()) : count;
    if (most <= 0) continue;
    A4C_TRY(const int claimed, ClaimFrom(queue, tenant, due, most, claims));
    count -= claimed;
  }
  return {};
}

Result<int> JobDesk::ClaimFrom(int64_t queue, const std::string& tenant, const Due& due, int count,
                               std::vector<JobClaim>& claims) {
  const int64_t sent_at_ms = context_.runtime.clock.MonotonicMs();
  A4C_TRY(std::vector<Claimed> claimed,
          context_.leases.Claim(context_.StoreCall(), {.kind = JobKind(),
                                                       .index = "by_tenant_due",
                                                       .scopes = {tenant},
                                                       .prefix = {queue},
                                                       .upper = due.now_ms + 1,
                                                       .count = count,
                                                       .holder = context_.instance,
                                                       .lease_ms = context_.options.lease_ms}));
  for (Claimed& job : claimed) {
    claims.push_back({std::move(job), sent_at_ms});
    if (IsOfLongJobs(queue)) claims.back().long_place = std::make_shared<LongPlace>(long_at_work_);
    context_.shares.Begin(tenant);
  }
  return static_cast<int>(claimed.size());
}

int JobDesk::LongPlaces() const {
  return context_.options.LongJobsMax() - long_at_work_;
}

}  // namespace a4cd
