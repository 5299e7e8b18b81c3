#include "apps/a4cd/work/lease_keeper.h"

#include <algorithm>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "a4c/sinks.h"
#include "apps/a4cd/jobs/job.h"

namespace a4cd {

using a4c::Call;
using a4c::Result;
using a4c::Waiter;

LeaseKeeper::LeaseKeeper(WorkContext& context)
    : context_(context), waiter_(context.runtime.threads.NewWaiter()) {
  thread_ = context_.runtime.threads.Start("lease-keeper",
                                           [this](const std::stop_token& stop) { Run(stop); });
}

LeaseKeeper::~LeaseKeeper() {
  Drop();
  thread_->RequestStop();
  thread_->Join();
}

std::stop_token LeaseKeeper::Hold(const a4c::Lease& lease, const a4c::RecordRef& job,
                                  int64_t sent_at_ms, const std::stop_token& process_stop) {
  Held held{.leases = {lease},
            .job = job,
            .sent_at_ms = sent_at_ms,
            .renew_at_ms = sent_at_ms + context_.options.lease_ms / 3,
            .watch_at_ms = sent_at_ms + context_.options.watch_period_ms,
            .stop = std::stop_source()};
  const std::stop_source source = held.stop;
  {
    Waiter::Lock lock(*waiter_);
    const int64_t due_ms = DueMs(held);
    held_ = std::move(held);
    if (due_ms < wake_ms_) waiter_->NotifyAll();
  }
  process_stop_.emplace(process_stop, [source]() mutable { source.request_stop(); });
  return source.get_token();
}

void LeaseKeeper::Join(const a4c::Lease& lease) {
  Waiter::Lock lock(*waiter_);
  if (held_) held_->leases.push_back(lease);
}

void LeaseKeeper::Raise(const a4c::Lease& lease) {
  Waiter::Lock lock(*waiter_);
  if (held_) held_->leases[0] = lease;
}

void LeaseKeeper::Drop() {
  process_stop_.reset();
  Waiter::Lock lock(*waiter_);
  held_.reset();
}

int64_t LeaseKeeper::StopAtMs(const Held& held) const {
  return held.sent_at_ms + context_.options.lease_ms * 2 / 3;
}

int64_t LeaseKeeper::DueMs(const Held& held) const {
  return std::min({StopAtMs(held), held.renew_at_ms, held.watch_at_ms});
}

bool LeaseKeeper::IsCurrent(const Held& held) const {
  return held_ && held_->leases[0].subject == held.leases[0].subject &&
         held_->leases[0].epoch == held.leases[0].epoch;
}

void LeaseKeeper::Run(const std::stop_token& stop) {
  std::stop_callback wake(stop, [this] {
    Waiter::Lock lock(*waiter_);
    waiter_->NotifyAll();
  });
  while (!stop.stop_requested()) {
    std::optional<Held> due;
    {
      Waiter::Lock lock(*waiter_);
      const int64_t now_ms = context_.runtime.clock.MonotonicMs();
      wake_ms_ = held_ && !held_->stop.stop_requested() ? DueMs(*held_) : Waiter::kForever;
      if (wake_ms_ <= now_ms) {
        due = held_;
      } else if (!stop.stop_requested()) {
        waiter_->Wait(wake_ms_);
      }
    }
    if (due) Look(*due);
  }
}

void LeaseKeeper::Look(const Held& held) {
  const int64_t now_ms = context_.runtime.clock.MonotonicMs();
  if (now_ms >= StopAtMs(held)) {
    context_.runtime.log.Write(a4c::LogLevel::kWarning, "work",
                               "a job is stopped: its lease could not be renewed",
                               {{"job", held.job.key.id}});
    std::stop_source(held.stop).request_stop();
  } else if (now_ms >= held.renew_at_ms) {
    Renew(held);
  } else if (now_ms >= held.watch_at_ms) {
    Watch(held);
  }
}

void LeaseKeeper::Renew(const Held& held) {
  const int64_t sent_at_ms = context_.runtime.clock.MonotonicMs();
  const Call call{context_.runtime.clock, StopAtMs(held)};
  const Result<std::vector<bool>> renewed =
      context_.leases.Renew(call, held.leases, context_.options.lease_ms);
  const bool is_lost = renewed && std::ranges::find(*renewed, false) != renewed->end();
  {
    Waiter::Lock lock(*waiter_);
    if (!IsCurrent(held)) return;
  }
  if (is_lost) std::stop_source(held.stop).request_stop();
  Waiter::Lock lock(*waiter_);
  if (!IsCurrent(held)) return;
  if (renewed) held_->sent_at_ms = sent_at_ms;
  // After an error soon again: there is the second third of the lease for it.
  held_->renew_at_ms = sent_at_ms + context_.options.lease_ms / (renewed ? 3 : 12);
}

void LeaseKeeper::Watch(const Held& held) {
  const Call call{context_.runtime.clock, StopAtMs(held)};
  const Result<a4c::GetAnswer> answer = context_.database.Get(call, std::span(&held.job, 1));
  bool is_over = false;
  if (answer) {
    const std::optional<a4c::Record>& record = answer->records.at(0);
    const Result<Job> job = record ? JobOf(*record) : Result<Job>(Job{});
    is_over = !record || record->tombstone || (job && job->finished());
  }
  if (is_over) std::stop_source(held.stop).request_stop();
  Waiter::Lock lock(*waiter_);
  if (!IsCurrent(held)) return;
  held_->watch_at_ms = context_.runtime.clock.MonotonicMs() + context_.options.watch_period_ms;
}

}  // namespace a4cd
