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
        syncer_(state, collection),
        refreshed_at_ms_(state.runtime.clock.MonotonicMs() - state.options.refresh_period_ms) {}

  const std::string& name() const override { return name_; }

  Result<int64_t> Step(const Call& call) override {
    A4C_CHECK(EnsureSubscribed(call));
    if (static_cast<int>(waiting_.size()) < state_.options.sync_batch_max) A4C_CHECK(Poll(call));
    if (!waiting_.empty()) {
      A4C_TRY(waiting_, syncer_.Index(call, waiting_));
      if (!waiting_.empty()) return kOutagePauseMs;
    }
    if (!deliveries_.empty() && RefreshDue()) A4C_CHECK(Confirm(call));
    return 0;
  }

 private:
  static constexpr int64_t kOutagePauseMs = 500;

  Result<void> EnsureSubscribed(const Call& call) {
    if (subscription_ != nullptr) return {};
    A4C_TRY(subscription_, state_.backends.bus->Subscribe(call, collection_.topic,
                                                          std::string(kGroup), StartAt::kEarliest));
    return {};
  }

  // Waits for hints; while something is unconfirmed, no longer than to the next refresh.
  Result<void> Poll(const Call& call) {
    Call wait = call;
    if (!deliveries_.empty()) {
      wait.deadline_ms =
          std::min(call.deadline_ms, refreshed_at_ms_ + state_.options.refresh_period_ms);
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

  bool RefreshDue() const {
    return state_.runtime.clock.MonotonicMs() >=
               refreshed_at_ms_ + state_.options.refresh_period_ms ||
           !syncer_.HasUnconfirmed();
  }

  Result<void> Confirm(const Call& call) {
    A4C_CHECK(syncer_.Confirm(call));
    refreshed_at_ms_ = state_.runtime.clock.MonotonicMs();
    auto acknowledged = subscription_->Ack(call, deliveries_);
    deliveries_.clear();
    if (!acknowledged) subscription_.reset();
    return acknowledged;
  }

  Database::State& state_;
  const CollectionSpec& collection_;
  const std::string name_;
  Syncer syncer_;
  int64_t refreshed_at_ms_;
  std::unique_ptr<Subscription> subscription_;
  std::vector<Delivery> deliveries_;  // polled and not acknowledged
  std::vector<RecordRef> waiting_;    // named by them and not indexed yet
};

}  // namespace

std::unique_ptr<Loop> Database::NewSyncLoop(const std::string& kind) {
  const auto collection = state_->Searchable(kind);
  if (!collection || state_->backends.bus == nullptr) return nullptr;
  return std::make_unique<SyncLoop>(*state_, **collection);
}

}  // namespace a4c
