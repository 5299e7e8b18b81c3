#include "postgres_queue.h"

#include <algorithm>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "a4c/sinks.h"

namespace a4c::postgres {
namespace {

constexpr int64_t kStopPollMs = 50;
constexpr size_t kLookAhead = 4;  // groups' worth of items looked at for one group

// Picks the items of one group out of the queue, in order.
class Gathering {
 public:
  Gathering(const Options& options, const std::unordered_set<std::string_view>& busy_refs)
      : options_(options), busy_refs_(busy_refs) {}

  bool full() const {
    return count_ >= options_.group_batches_max || bytes_ >= options_.group_bytes_max;
  }

  bool Take(const Item& item) {
    if (!Fits(item)) {
      left_behind_.insert(item.submission.get());
      return false;
    }
    creates_ = item.create.has_value();
    refs_.insert(item.refs.begin(), item.refs.end());
    bytes_ += static_cast<int64_t>(item.bytes);
    ++count_;
    return true;
  }

 private:
  bool Fits(const Item& item) const {
    if (count_ > 0) {
      if (item.create.has_value() != creates_) return false;
      if (bytes_ + static_cast<int64_t>(item.bytes) > options_.group_bytes_max) return false;
    }
    const Submission* submission = item.submission.get();
    if (submission->in_flight || left_behind_.contains(submission)) return false;
    return std::ranges::none_of(item.refs, [this](const std::string& ref) {
      return busy_refs_.contains(ref) || refs_.contains(ref);
    });
  }

  const Options& options_;
  const std::unordered_set<std::string_view>& busy_refs_;
  std::unordered_set<std::string_view> refs_;
  std::set<const Submission*> left_behind_;
  bool creates_ = false;
  int64_t count_ = 0;
  int64_t bytes_ = 0;
};

class GroupQueue final : public WriteQueue {
 public:
  GroupQueue(GroupWriter& writer, const Options& options, const Runtime& runtime)
      : writer_(writer),
        options_(options),
        runtime_(runtime),
        waiter_(runtime.threads.NewWaiter()) {
    for (int64_t i = 0; i < options.flushers; ++i) {
      threads_.push_back(runtime.threads.Start("pg-flush-" + std::to_string(i),
                                               [this](std::stop_token stop) { FlushLoop(stop); }));
    }
  }

  ~GroupQueue() override {
    for (const std::unique_ptr<Thread>& thread : threads_) thread->RequestStop();
    {
      const Waiter::Lock lock(*waiter_);
      waiter_->NotifyAll();
    }
    threads_.clear();
    for (const ItemPtr& item : queue_) {
      item->Finish(NotApplied(Error(Code::kCanceled, "the store is closing")));
    }
  }

  void Submit(const Call& call, Submission& submission, std::vector<ItemPtr> items) override;

 private:
  bool Enqueue(std::vector<ItemPtr>& items);
  void Withdraw(const Submission& submission, const Error& why);
  void FlushLoop(const std::stop_token& stop);
  Group TakeGroup();
  void Occupy(const Group& group);
  void Release(const Group& group);

  GroupWriter& writer_;
  const Options& options_;
  const Runtime runtime_;
  const std::unique_ptr<Waiter> waiter_;
  std::deque<ItemPtr> queue_;
  int64_t queued_bytes_ = 0;
  std::unordered_set<std::string_view> busy_refs_;  // of the groups in flight, which own the text
  std::vector<std::unique_ptr<Thread>> threads_;
};

bool GroupQueue::Enqueue(std::vector<ItemPtr>& items) {
  int64_t bytes = 0;
  for (const ItemPtr& item : items) bytes += static_cast<int64_t>(item->bytes);
  const Waiter::Lock lock(*waiter_);
  const auto count = static_cast<int64_t>(queue_.size() + items.size());
  // A call that would not fit into an empty queue may have it alone.
  if (!queue_.empty() &&
      (count > options_.queue_batches_max || queued_bytes_ + bytes > options_.queue_bytes_max)) {
    return false;
  }
  queued_bytes_ += bytes;
  for (ItemPtr& item : items) queue_.push_back(std::move(item));
  waiter_->NotifyAll();
  return true;
}

void GroupQueue::Submit(const Call& call, Submission& submission, std::vector<ItemPtr> items) {
  if (items.empty()) return;
  if (!Enqueue(items)) {
    const Error full(Code::kExhausted, "too many writes wait for a commit",
                     "send fewer at once, or raise queue_batches_max and queue_bytes_max");
    for (const ItemPtr& item : items) item->Finish(NotApplied(full));
    return;
  }
  for (;;) {
    {
      const Waiter::Lock lock(*submission.waiter);
      if (submission.pending == 0) return;
      if (!call.Stopping() && !call.Expired()) {
        const int64_t soon = runtime_.clock.MonotonicMs() + kStopPollMs;
        const bool can_stop = call.stop.stop_possible();
        submission.waiter->Wait(can_stop ? std::min(call.deadline_ms, soon) : call.deadline_ms);
        continue;
      }
    }
    Withdraw(submission, call.Stopping() ? Error(Code::kCanceled, "asked to stop")
                                         : Error(Code::kTimeout, "no time left for a commit"));
    return;
  }
}

void GroupQueue::Withdraw(const Submission& submission, const Error& why) {
  Group withdrawn;
  const Waiter::Lock lock(*waiter_);
  const auto kept = std::stable_partition(queue_.begin(), queue_.end(), [&](const ItemPtr& item) {
    return item->submission.get() != &submission;
  });
  for (auto at = kept; at != queue_.end(); ++at) {
    queued_bytes_ -= static_cast<int64_t>((*at)->bytes);
    withdrawn.push_back(std::move(*at));
  }
  queue_.erase(kept, queue_.end());
  for (const ItemPtr& item : withdrawn) item->Finish(NotApplied(why));
}

void GroupQueue::FlushLoop(const std::stop_token& stop) {
  for (;;) {
    Group group;
    {
      const Waiter::Lock lock(*waiter_);
      while (!stop.stop_requested() && (group = TakeGroup()).empty()) {
        waiter_->Wait(Waiter::kForever);
      }
      if (group.empty()) return;
    }
    runtime_.metrics.Observe("a4c_store_postgres_group_batches", {},
                             static_cast<double>(group.size()));
    writer_.Flush(group, stop);
    const Waiter::Lock lock(*waiter_);
    Release(group);
  }
}

Group GroupQueue::TakeGroup() {
  Group group;
  Gathering gathering(options_, busy_refs_);
  std::deque<ItemPtr> rest;
  const size_t look_max = kLookAhead * static_cast<size_t>(options_.group_batches_max);
  for (size_t looked = 0; looked < look_max && !queue_.empty() && !gathering.full(); ++looked) {
    ItemPtr item = std::move(queue_.front());
    queue_.pop_front();
    if (gathering.Take(*item)) {
      queued_bytes_ -= static_cast<int64_t>(item->bytes);
      group.push_back(std::move(item));
    } else {
      rest.push_back(std::move(item));
    }
  }
  while (!rest.empty()) {
    queue_.push_front(std::move(rest.back()));
    rest.pop_back();
  }
  Occupy(group);
  return group;
}

void GroupQueue::Occupy(const Group& group) {
  for (const ItemPtr& item : group) {
    item->submission->in_flight = true;
    busy_refs_.insert(item->refs.begin(), item->refs.end());
  }
}

void GroupQueue::Release(const Group& group) {
  for (const ItemPtr& item : group) {
    item->submission->in_flight = false;
    for (const std::string& ref : item->refs) busy_refs_.erase(ref);
  }
  waiter_->NotifyAll();
}

}  // namespace

std::unique_ptr<WriteQueue> NewWriteQueue(GroupWriter& writer, const Options& options,
                                          const Runtime& runtime) {
  return std::make_unique<GroupQueue>(writer, options, runtime);
}

}  // namespace a4c::postgres
