// Keeps the lease of the job that a worker is at, and tells the worker to stop when it must: when
// the lease was lost, at 2/3 of its length without a renewal, when the job was finished by somebody
// else (a cancel), or when the process stops.
//
//   const std::stop_token stop = keeper.Hold(lease, job, sent_at_ms, call.stop);
//   Work(stop);
//   keeper.Drop();
//
// Renews at a third of the lease on a thread of its own, which is not woken for jobs that are over
// before there is anything to do. Time is counted on the monotonic clock
// from before the claim or renewal was sent, so that it errs on the safe side.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "a4c/leases.h"
#include "apps/a4cd/work/work_context.h"

namespace a4cd {

// [Hold and Drop from the worker's thread]
class LeaseKeeper {
 public:
  explicit LeaseKeeper(WorkContext& context);
  ~LeaseKeeper();

  // One at a time. sent_at_ms: on the monotonic clock, before the claim was sent.
  std::stop_token Hold(const a4c::Lease& lease, const a4c::RecordRef& job, int64_t sent_at_ms,
                       const std::stop_token& process_stop);
  // Keeps another lease along with the one that is held; losing either stops the worker.
  void Join(const a4c::Lease& lease);
  // The holder has raised the epoch of the lease that is held. A renewal that crosses it may stop
  // the worker, whose job is then gone on with by the next attempt.
  void Raise(const a4c::Lease& lease);
  void Drop();

 private:
  struct Held {
    std::vector<a4c::Lease> leases;  // that of the job first
    a4c::RecordRef job;
    int64_t sent_at_ms = 0;  // of the claim or of the renewal that was granted last
    int64_t renew_at_ms = 0;
    int64_t watch_at_ms = 0;
    std::stop_source stop;
  };

  void Run(const std::stop_token& stop);
  void Look(const Held& held);
  void Renew(const Held& held);
  void Watch(const Held& held);
  bool IsCurrent(const Held& held) const;
  int64_t StopAtMs(const Held& held) const;
  int64_t DueMs(const Held& held) const;

  WorkContext& context_;
  const std::unique_ptr<a4c::Waiter> waiter_;
  std::optional<Held> held_;     // under waiter_, as is the next
  int64_t wake_ms_ = INT64_MIN;  // until when the thread sleeps at most
  std::optional<std::stop_callback<std::function<void()>>> process_stop_;
  std::unique_ptr<a4c::Thread> thread_;  // last: joined before what it uses goes
};

}  // namespace a4cd
