#include "a4c/group_commit.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <utility>

namespace a4c {
namespace {

// Gathers the items of concurrent callers into shared flushes; see the header for the manner.
// A request's items are copied, so that a caller whose deadline passes can leave while its flush
// is still in flight.
template <typename Item, typename Out>
class Gatherer {
 public:
  struct Answer {
    int64_t store_time_ms = 0;
    std::vector<Out> outs;
  };
  using Flush = std::function<Result<Answer>(const Call&, std::span<const Item>)>;

  Gatherer(const Runtime& runtime, const GroupCommitOptions& options, Flush flush)
      : options_(options), flush_(std::move(flush)), waiter_(runtime.threads.NewWaiter()) {}

  Result<Answer> Run(const Call& call, std::span<const Item> items) {
    auto request = std::make_shared<Request>();
    request->items.assign(items.begin(), items.end());
    Waiter::Lock lock(*waiter_);
    if (queued_items_ + static_cast<int>(items.size()) > options_.queue_batches_max) {
      return Error(Code::kExhausted, "the write queue is full",
                   "the store is slower than its callers; raise queue_batches_max or send less");
    }
    queue_.push_back(request);
    queued_items_ += static_cast<int>(items.size());
    while (request->state != State::kDone) {
      if (request->state == State::kQueued && flushing_ < options_.flushers) {
        LeadOne(call);
      } else if (call.Expired()) {
        return Leave(*request);
      } else {
        waiter_->Wait(call.deadline_ms);
      }
    }
    if (request->error) return *request->error;
    return std::move(request->answer);
  }

 private:
  enum class State : uint8_t { kQueued, kInFlight, kDone };
  struct Request {
    std::vector<Item> items;
    State state = State::kQueued;
    Answer answer = {};
    std::optional<Error> error = {};
  };
  using Group = std::vector<std::shared_ptr<Request>>;

  // [lock held] Takes a group from the queue and flushes it; the lock is given up meanwhile.
  void LeadOne(const Call& call) {
    const Group group = TakeGroup();
    std::vector<Item> items;
    for (const auto& request : group) {
      items.insert(items.end(), request->items.begin(), request->items.end());
    }
    ++flushing_;
    waiter_->Release();
    Result<Answer> flushed = flush_(call, items);
    waiter_->Acquire();
    --flushing_;
    HandOut(group, std::move(flushed));
    waiter_->NotifyAll();
  }

  Group TakeGroup() {
    Group group;
    size_t items = 0;
    while (!queue_.empty()) {
      const std::shared_ptr<Request>& next = queue_.front();
      if (!group.empty() &&
          items + next->items.size() > static_cast<size_t>(options_.group_batches_max)) {
        break;
      }
      items += next->items.size();
      next->state = State::kInFlight;
      group.push_back(next);
      queue_.pop_front();
    }
    queued_items_ -= static_cast<int>(items);
    return group;
  }

  static void HandOut(const Group& group, Result<Answer> flushed) {
    size_t at = 0;
    for (const auto& request : group) {
      if (flushed) {
        request->answer.store_time_ms = flushed->store_time_ms;
        for (size_t i = 0; i < request->items.size(); ++i) {
          request->answer.outs.push_back(std::move(flushed->outs[at++]));
        }
      } else {
        request->error = flushed.error();
      }
      request->state = State::kDone;
    }
  }

  // [lock held] The deadline has passed. What is still queued was not done; what is in flight may
  // be.
  Error Leave(Request& request) {
    if (request.state == State::kInFlight) {
      return Error(Code::kUnknownOutcome, "the deadline passed while the commit was in flight");
    }
    std::erase_if(queue_, [&](const auto& queued) { return queued.get() == &request; });
    queued_items_ -= static_cast<int>(request.items.size());
    return Error(Code::kTimeout, "the deadline passed in the write queue");
  }

  const GroupCommitOptions options_;
  const Flush flush_;
  const std::unique_ptr<Waiter> waiter_;
  std::deque<std::shared_ptr<Request>> queue_;
  int queued_items_ = 0;
  int flushing_ = 0;
};

class GroupCommit final : public Store {
 public:
  GroupCommit(Store& store, const Runtime& runtime, const GroupCommitOptions& options)
      : store_(store),
        writes_(runtime, options,
                [&store](const Call& call,
                         std::span<const WriteBatch> batches) -> Result<Writes::Answer> {
                  A4C_TRY(ApplyAnswer answer, store.Apply(call, batches));
                  return Writes::Answer{answer.store_time_ms, std::move(answer.results)};
                }),
        reads_(
            runtime, options,
            [&store](const Call& call, std::span<const RecordRef> refs) -> Result<Reads::Answer> {
              A4C_TRY(GetAnswer answer, store.Get(call, refs));
              return Reads::Answer{answer.store_time_ms, std::move(answer.records)};
            }) {}

  Result<void> Ensure(const Call& call, std::span<const Kind> kinds) override {
    return store_.Ensure(call, kinds);
  }

  Result<ApplyAnswer> Apply(const Call& call, std::span<const WriteBatch> batches) override {
    A4C_TRY(auto answer, writes_.Run(call, batches));
    return ApplyAnswer{answer.store_time_ms, std::move(answer.outs)};
  }

  Result<GetAnswer> Get(const Call& call, std::span<const RecordRef> refs) override {
    A4C_TRY(auto answer, reads_.Run(call, refs));
    return GetAnswer{answer.store_time_ms, std::move(answer.outs)};
  }

  Result<ScanAnswer> Scan(const Call& call, const ScanRequest& request) override {
    return store_.Scan(call, request);
  }

 private:
  using Writes = Gatherer<WriteBatch, BatchResult>;
  using Reads = Gatherer<RecordRef, std::optional<Record>>;

  Store& store_;
  Writes writes_;
  Reads reads_;
};

}  // namespace

std::unique_ptr<Store> NewGroupCommit(Store& store, const Runtime& runtime,
                                      const GroupCommitOptions& options) {
  return std::make_unique<GroupCommit>(store, runtime, options);
}

}  // namespace a4c
