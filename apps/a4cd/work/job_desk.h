// Where the workers of a process get their jobs: one of those that are free claims for all of them,
// while the others wait for what it brings; who becomes free meanwhile is served by the next one.
// A lone worker never waits for another. Whose jobs they are is decided by the tenants' shares, as
// if each worker had claimed by itself, one after another; within a tenant by priority, then by
// when a job is due. Jobs that may take long get no more workers than options.LongJobsMax, so that
// the others never wait for all of them; nobody who is in that bound waits for a short one.
//
//   A4C_TRY(std::optional<JobClaim> claim, desk.Take());
//   if (!claim) ...   // nothing is due
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "apps/a4cd/work/job_attempt.h"
#include "apps/a4cd/work/work_context.h"

namespace a4cd {

// [any thread]
class JobDesk {
 public:
  // The context outlives it.
  explicit JobDesk(WorkContext& context);

  // A job that is due, claimed, for no longer than the desk lives; it counts for its tenant's share
  // from now on (FairShares::Begin). Nothing: none is due. Returns when a claim that was sent for
  // the caller has been answered, also if the caller is to stop: what was claimed for it must not
  // be lost.
  a4c::Result<std::optional<JobClaim>> Take();

 private:
  using Answer = a4c::Result<std::optional<JobClaim>>;
  struct Ticket {
    std::optional<Answer> answer;
  };
  // What is due in a queue (QueueOf): whose jobs were seen, and whether those were all.
  struct Queue {
    std::set<std::string> tenants = {};
    int64_t oldest_due_ms = INT64_MAX;
    bool is_whole = false;
  };
  struct Due {
    int64_t now_ms = 0;
    std::map<int64_t, Queue> queues = {};  // of those that have a job
    std::set<std::string> Tenants() const;
    // By priority; of long jobs and others of the same, whose oldest has been due for longer.
    std::vector<int64_t> InTurn() const;
  };

  a4c::Result<std::vector<JobClaim>> ClaimFor(int count);
  int LongPlaces() const;
  a4c::Result<Due> Look();
  static std::optional<int64_t> Note(const a4c::ScanAnswer& page, Due& due);
  a4c::Result<void> ClaimOf(const std::string& tenant, const Due& due, int count,
                            std::vector<JobClaim>& claims);
  a4c::Result<int> ClaimFrom(int64_t queue, const std::string& tenant, const Due& due, int count,
                             std::vector<JobClaim>& claims);
  void HandOut(size_t count, a4c::Result<std::vector<JobClaim>> claims);

  WorkContext& context_;
  const std::unique_ptr<a4c::Waiter> waiter_;
  std::deque<Ticket*> waiting_;  // under waiter_, as is the next
  bool is_claiming_ = false;
  std::atomic<int> long_at_work_ = 0;  // more only while claiming, less at any time
};

}  // namespace a4cd
