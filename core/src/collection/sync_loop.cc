#include <algorithm>

#include "a4c/json.h"
#include "collection/database.h"
#include "collection/sync_batch.h"

namespace a4c {
namespace {

constexpr std::string_view kGroup = "a4c-sync";

// Follows the hints of the bus. What was polled is acknowledged only after all of it is confirmed;
// a hint that cannot be read names nothing and is acknowledged with the rest.
class SyncLoop final : public Loop {
 public:
  SyncLoop(Database::State& state, const CollectionSpec& collection)
      : state_(state),
        collection_(collection),
        name_("sync-" + collection.kind.name),
        syncer_(state, collection) {}

  const std::string& name() const override { return name_; }

  Result<int64_t> Step(const Call& call) override {
    A4C_CHECK(EnsureSubscribed(call));
    // First: what follows waits for hints, perhaps until the call has no time left.
    if (IsFull()) A4C_CHECK(syncer_.Confirm(call));
    A4C_CHECK(syncer_.ConfirmDue(call));
    A4C_CHECK(Acknowledge(call));
    if (!IsFull() && waiting_.size() < BatchMax()) A4C_CHECK(Poll(call));
    if (waiting_.empty()) return IsFull() ? kOthersRefreshMs : 0;
    const size_t sent = waiting_.size();
    A4C_TRY(waiting_, syncer_.Index(call, waiting_));
    if (waiting_.empty()) {
      passed_over_ = 0;
      return 0;
    }
    if (syncer_.missed_index()) {
      return Error(Code::kNotFound, "the index is gone", "it is rebuilt from the store");
    }
    if (waiting_.size() < sent) PassOver();
    return kOutagePauseMs;
  }

 private:
  static constexpr int64_t kOutagePauseMs = 500;
  static constexpr int64_t kOthersRefreshMs = 20;  // between looks at one that takes long

  static constexpr size_t kBatchesMax = 50;  // polled and not acknowledged

  static constexpr int kPassedOverMax = 10;  // 5 s

  // An index that takes others is there. What it does not take has come up at the poller by now,
  // and the hints after it are not to wait for it.
  void PassOver() {
    if (++passed_over_ < kPassedOverMax) return;
    waiting_.clear();
    passed_over_ = 0;
  }

  size_t BatchMax() const { return static_cast<size_t>(state_.options.sync_batch_max); }

  // While the index takes documents and cannot be refreshed, nothing is confirmed: the bus keeps
  // what follows, rather than this process.
  bool IsFull() const { return deliveries_.size() >= kBatchesMax * BatchMax(); }

  Result<void> EnsureSubscribed(const Call& call) {
    if (subscription_ != nullptr) return {};
    A4C_TRY(subscription_, state_.backends.bus->Subscribe(call, collection_.topic,
                                                          std::string(kGroup), StartAt::kEarliest));
    return {};
  }

  // Waits for hints; while something is unconfirmed, no longer than to the next refresh.
  Result<void> Poll(const Call& call) {
    Call wait = call;
    if (!deliveries_.empty() || syncer_.HasUnconfirmed()) {
      const int64_t soon_ms = state_.runtime.clock.MonotonicMs() + kOthersRefreshMs;
      wait.deadline_ms = std::min(call.deadline_ms, std::max(syncer_.DueAtMs(), soon_ms));
    }
    auto polled = subscription_->Poll(wait, state_.options.sync_batch_max);
    if (!polled) {
      subscription_.reset();
      return polled.error();
    }
    for (Delivery& delivery : *polled) {
      if (auto ref = RefOf(delivery)) waiting_.push_back(*std::move(ref));
      deliveries_.push_back(std::move(delivery));
    }
    return {};
  }

  std::optional<RecordRef> RefOf(const Delivery& delivery) {
    const auto hint = ParseJson(delivery.message.payload, {.bytes_max = 4096, .depth_max = 8});
    RecordRef ref;
    if (hint) ref = {(*hint)["kind"].Text(), {(*hint)["scope"].Text(), (*hint)["id"].Text()}};
    if (ref.kind == collection_.kind.name && CheckKey(ref.key)) return ref;
    state_.runtime.metrics.Count("a4c_sync_unreadable_hints_total", {});
    return std::nullopt;
  }

  // In parts, or new ones would hold up those that are confirmed.
  Result<void> Acknowledge(const Call& call) {
    if (part_ == 0 && waiting_.empty()) {
      part_ = deliveries_.size();
      part_indexed_ = syncer_.IndexedCount();
    }
    if (part_ == 0 || syncer_.ConfirmedCount() < part_indexed_) return {};
    auto acknowledged = subscription_->Ack(call, std::span(deliveries_).first(part_));
    if (!acknowledged) {
      subscription_.reset();
      part_ = deliveries_.size();  // they come again
    }
    const auto begin = deliveries_.begin();
    deliveries_.erase(begin, begin + static_cast<std::ptrdiff_t>(part_));
    part_ = 0;
    return acknowledged;
  }

  Database::State& state_;
  const CollectionSpec& collection_;
  const std::string name_;
  Syncer syncer_;
  std::unique_ptr<Subscription> subscription_;
  std::vector<Delivery> deliveries_;  // polled and not acknowledged
  size_t part_ = 0;                   // of them, the oldest, acknowledged once
  int64_t part_indexed_ = 0;          // so many documents are confirmed
  std::vector<RecordRef> waiting_;    // named by them and not indexed yet
  int passed_over_ = 0;               // steps that indexed others than some of these
};

}  // namespace

std::unique_ptr<Loop> Database::NewSyncLoop(const std::string& kind) {
  const auto collection = state_->Searchable(kind);
  const Backends& backends = state_->backends;
  if (!collection || backends.bus == nullptr || backends.index == nullptr) return nullptr;
  return std::make_unique<SyncLoop>(*state_, **collection);
}

}  // namespace a4c
