#include "a4c/group_commit.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <utility>

#include "a4c/batch_rules.h"

namespace a4c {
namespace {

constexpr int64_t kBytesOfAnOp = 200;  // besides its body

int64_t BytesOf(const WriteBatch& batch) {
  int64_t bytes = 0;
  for (const Op& op : batch.ops) {
    const auto* put = std::get_if<Put>(&op);
    bytes += kBytesOfAnOp;
    if (put != nullptr && put->body) bytes += static_cast<int64_t>(put->body->size());
  }
  return bytes;
}

int64_t BytesOf(const RecordRef& ref) {
  return kBytesOfAnOp + static_cast<int64_t>(ref.key.id.size());
}

const RecordRef& RefOf(const Op& op) {
  return std::visit([](const auto& any) -> const RecordRef& { return any.ref; }, op);
}

// Calls with the scope of each record that is named, until it returns false.
template <typename Visit>
bool EachScope(const RecordRef& ref, Visit visit) {
  return visit(ref.key.scope);
}
template <typename Visit>
bool EachScope(const WriteBatch& batch, Visit visit) {
  return std::ranges::all_of(batch.ops, [&](const Op& op) { return visit(RefOf(op).key.scope); });
}

template <typename Item>
bool MayTouch(const Call& call, std::span<const Item> items) {
  if (call.scopes == nullptr) return true;
  return std::ranges::all_of(items, [&](const Item& item) {
    return EachScope(item, [&](const std::string& scope) { return call.MayTouch(scope); });
  });
}

// How much of something there is, against its bounds.
struct Amount {
  int64_t items = 0;
  int64_t bytes = 0;

  Amount operator+(const Amount& other) const { return {items + other.items, bytes + other.bytes}; }
  Amount operator-(const Amount& other) const { return {items - other.items, bytes - other.bytes}; }
  bool Within(int64_t items_max, int64_t bytes_max) const {
    return items <= items_max && bytes <= bytes_max;
  }
};

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
      : runtime_(runtime),
        options_(options),
        flush_(std::move(flush)),
        waiter_(runtime.threads.NewWaiter()) {}

  Result<Answer> Run(const Call& call, std::span<const Item> items) {
    A4C_CHECK(CheckCall(call));
    const auto request = std::make_shared<Request>(call, items, runtime_.threads.NewWaiter());
    A4C_CHECK(Enqueue(request));
    for (;;) {
      const Wakened why = Sleep(*request, call);
      if (why == Wakened::kDone) break;
      if (why == Wakened::kLeads) {
        Lead(*request, call);
      } else if (std::optional<Error> left = Leave(*request)) {
        return *std::move(left);
      }
    }
    if (request->error) return *std::move(request->error);
    return std::move(request->answer);
  }

 private:
  enum class State : uint8_t { kQueued, kInFlight, kDone };
  enum class Wakened : uint8_t { kLeads, kDone, kLate };
  struct Request {
    Request(const Call& call, std::span<const Item> given, std::unique_ptr<Waiter> own_bell)
        : items(given.begin(), given.end()),
          count(given.size()),
          deadline_ms(call.deadline_ms),
          scopes(call.scopes == nullptr ? std::nullopt : std::optional(*call.scopes)),
          bell(std::move(own_bell)) {
      amount.items = static_cast<int64_t>(count);
      for (const Item& item : items) amount.bytes += BytesOf(item);
    }

    std::vector<Item> items;  // given up to the flush
    const size_t count;
    const int64_t deadline_ms;
    const std::optional<ScopeSet> scopes;  // to which its caller is bound
    Amount amount = {};
    const std::unique_ptr<Waiter> bell;  // its caller sleeps here, so that nobody else is woken
    // Both guarded by the bell, and changed by who holds waiter_. Whose caller leads takes the next
    // group. The request need not be in it, and another leader may have taken it before: its caller
    // leads all the same, or the lead would be lost.
    State state = State::kQueued;
    bool leads = false;
    Answer answer = {};
    std::optional<Error> error = {};
  };
  using RequestPtr = std::shared_ptr<Request>;
  using Group = std::vector<RequestPtr>;

  Result<void> Enqueue(const RequestPtr& request) {
    const Waiter::Lock lock(*waiter_);
    const Amount queued = queued_ + request->amount;
    if (!queue_.empty() && !queued.Within(options_.queue_batches_max, options_.queue_bytes_max)) {
      return Error(Code::kExhausted, "the write queue is full",
                   "the store is slower than its callers; raise queue_batches_max and "
                   "queue_bytes_max, or send less");
    }
    queue_.push_back(request);
    queued_ = queued;
    if (flushing_ < options_.flushers) {
      ++flushing_;
      request->leads = true;
    }
    return {};
  }

  static Wakened Sleep(Request& request, const Call& call) {
    const Waiter::Lock lock(*request.bell);
    for (;;) {
      if (request.leads) return Wakened::kLeads;
      if (request.state == State::kDone) return Wakened::kDone;
      if (call.Expired()) return Wakened::kLate;
      request.bell->Wait(call.deadline_ms);
    }
  }

  static void Turn(Request& request, State state) {
    const Waiter::Lock lock(*request.bell);
    request.state = state;
  }

  // Whoever wakes up needs the bell's lock, and soon waiter_'s: neither is held by who rings.
  static void Ring(const Group& group, const Request& leader) {
    for (const RequestPtr& request : group) {
      if (request.get() != &leader) request->bell->NotifyAll();
    }
  }

  static void SetLeads(Request& request, bool leads) {
    const Waiter::Lock lock(*request.bell);
    request.leads = leads;
  }

  void Lead(Request& leader, const Call& call) {
    Group group;
    RequestPtr next;
    {
      const Waiter::Lock lock(*waiter_);
      SetLeads(leader, false);
      DropExpired();
      group = TakeGroup();
      if (group.empty()) next = PassOn();
    }
    if (group.empty()) {
      if (next != nullptr) next->bell->NotifyAll();
      return;
    }
    const std::optional<ScopeSet> scopes = ScopesOf(group);
    std::vector<Item> items;
    for (const RequestPtr& request : group) {
      std::ranges::move(request->items, std::back_inserter(items));
      request->items.clear();
    }
    const bool alone = group.size() == 1 && group[0].get() == &leader;
    Call shared = CallOf(group, leader, call);
    shared.scopes = scopes ? &*scopes : nullptr;
    FlushGroup(group, items, alone ? call : shared);
    {
      const Waiter::Lock lock(*waiter_);
      for (const RequestPtr& request : group) Turn(*request, State::kDone);
      next = PassOn();
    }
    // The next flush first: the answers of this one do not hold it up.
    if (next != nullptr) next->bell->NotifyAll();
    Ring(group, leader);
  }

  // What the group may touch together: nobody's items name more than their caller may. One who is
  // bound to none adds the scopes that are named.
  static std::optional<ScopeSet> ScopesOf(const Group& group) {
    if (std::ranges::none_of(group,
                             [](const RequestPtr& any) { return any->scopes.has_value(); })) {
      return std::nullopt;
    }
    ScopeSet scopes;
    for (const RequestPtr& request : group) {
      if (request->scopes) scopes.insert(request->scopes->begin(), request->scopes->end());
      if (request->scopes) continue;
      for (const Item& item : request->items) {
        EachScope(item, [&](const std::string& scope) { return scopes.insert(scope), true; });
      }
    }
    return scopes;
  }

  // One call for all: nobody's stop token, and the latest deadline.
  static Call CallOf(const Group& group, const Request& leader, const Call& call) {
    Call shared = call;
    shared.stop = {};
    shared.deadline_ms = leader.deadline_ms;
    for (const RequestPtr& request : group) {
      shared.deadline_ms = std::max(shared.deadline_ms, request->deadline_ms);
    }
    return shared;
  }

  void FlushGroup(const Group& group, std::span<const Item> items, const Call& call) {
    Result<Answer> flushed = flush_(call, items);
    const bool apart = !flushed && group.size() > 1 && !flushed.error().retryable() &&
                       !flushed.error().unknown_outcome();
    size_t at = 0;
    for (const RequestPtr& request : group) {
      if (apart) {
        Result<Answer> alone = flush_(call, items.subspan(at, request->count));
        TakeOver(*request, std::move(alone), 0);
      } else {
        TakeOver(*request, flushed, at);
      }
      at += request->count;
    }
  }

  // What `flushed` says of the request, whose items began at `at`.
  template <typename Flushed>
  static void TakeOver(Request& request, Flushed&& flushed, size_t at) {
    if (!flushed) {
      request.error = flushed.error();
      return;
    }
    request.answer.store_time_ms = flushed->store_time_ms;
    const auto begin = flushed->outs.begin() + static_cast<ptrdiff_t>(at);
    const auto end = begin + static_cast<ptrdiff_t>(request.count);
    request.answer.outs.assign(std::make_move_iterator(begin), std::make_move_iterator(end));
  }

  // [waiter_ held] For all of these nothing was done. Their callers wake by the same deadline.
  void DropExpired() {
    const int64_t now_ms = runtime_.clock.MonotonicMs();
    std::erase_if(queue_, [&](const RequestPtr& request) {
      if (request->deadline_ms > now_ms) return false;
      queued_ = queued_ - request->amount;
      request->error = InTheQueue();
      Turn(*request, State::kDone);
      return true;
    });
  }

  // [waiter_ held]
  Group TakeGroup() {
    Group group;
    Amount taken;
    while (!queue_.empty()) {
      const Amount with = taken + queue_.front()->amount;
      if (!group.empty() && !with.Within(options_.group_batches_max, options_.group_bytes_max)) {
        break;
      }
      taken = with;
      group.push_back(std::move(queue_.front()));
      queue_.pop_front();
      Turn(*group.back(), State::kInFlight);
    }
    queued_ = queued_ - taken;
    return group;
  }

  // [waiter_ held] The lead goes to who can wait longest, or ends. Whom it went to has to be rung.
  RequestPtr PassOn() {
    RequestPtr next;
    for (const RequestPtr& request : queue_) {
      if (request->leads) continue;
      if (next == nullptr || request->deadline_ms > next->deadline_ms) next = request;
    }
    if (next == nullptr) {
      --flushing_;
    } else {
      SetLeads(*next, true);
    }
    return next;
  }

  // The deadline has passed. What is still queued was not done; what is in flight may be. Nothing:
  // it was decided meanwhile, or the caller leads now.
  std::optional<Error> Leave(Request& request) {
    const Waiter::Lock lock(*waiter_);
    if (request.leads) return std::nullopt;
    if (request.state == State::kInFlight) {
      return Error(Code::kUnknownOutcome, "the deadline passed while the commit was in flight");
    }
    if (request.state != State::kQueued) return std::nullopt;
    std::erase_if(queue_, [&](const RequestPtr& queued) { return queued.get() == &request; });
    queued_ = queued_ - request.amount;
    return InTheQueue();
  }

  static Error InTheQueue() {
    return Error(Code::kTimeout, "the deadline passed in the write queue");
  }

  const Runtime runtime_;
  const GroupCommitOptions options_;
  const Flush flush_;
  const std::unique_ptr<Waiter> waiter_;  // guards all below; taken before a request's bell
  std::deque<RequestPtr> queue_;
  Amount queued_;
  int flushing_ = 0;  // those that lead, or are flushing
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
    // Refused alone: in company it might pass by what others may touch.
    if (!MayTouch(call, batches)) return store_.Apply(call, batches);
    A4C_TRY(auto answer, writes_.Run(call, batches));
    return ApplyAnswer{answer.store_time_ms, std::move(answer.outs)};
  }

  Result<GetAnswer> Get(const Call& call, std::span<const RecordRef> refs) override {
    if (!MayTouch(call, refs)) return store_.Get(call, refs);
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
