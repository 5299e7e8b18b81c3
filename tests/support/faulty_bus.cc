#include "tests/support/faulty_bus.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace a4c::testing {
namespace {

constexpr std::string_view kPublish = "Bus.Publish";
constexpr std::string_view kPoll = "Subscription.Poll";
constexpr std::string_view kAck = "Subscription.Ack";

// A shuffle in which messages of one topic and key keep their order: the shuffled places of each
// key are filled with its messages in the order they had.
std::vector<size_t> ShuffledByKey(std::span<const Message> messages, uint64_t bits) {
  std::vector<size_t> order = Shuffled(messages.size(), bits);
  std::map<std::pair<std::string_view, std::string_view>, std::vector<size_t>> by_key;
  for (size_t place = 0; place < order.size(); ++place) {
    const Message& message = messages[order[place]];
    by_key[{message.topic, message.key}].push_back(place);
  }
  for (const auto& [key, places] : by_key) {
    std::vector<size_t> indexes;
    for (const size_t place : places) indexes.push_back(order[place]);
    std::ranges::sort(indexes);
    for (size_t i = 0; i < places.size(); ++i) order[places[i]] = indexes[i];
  }
  return order;
}

class FaultySubscription final : public Subscription {
 public:
  FaultySubscription(Bus& bus, FaultPolicy& policy, const Runtime& runtime, std::string topic,
                     std::string group, std::unique_ptr<Subscription> inner)
      : bus_(bus),
        faults_(policy, runtime),
        topic_(std::move(topic)),
        group_(std::move(group)),
        inner_(std::move(inner)) {}

  Result<std::vector<Delivery>> Poll(const Call& call, int max) override {
    const FaultDraw draw = faults_.Next(call, kPoll);
    if (draw.fault == Fault::kRebalance) inner_ = nullptr;
    if (!inner_) {
      A4C_TRY(inner_, bus_.Subscribe(call, topic_, group_, StartAt::kEarliest));
    }
    if (auto refusal = FaultSource::Refusal(draw, call, kPoll)) return *std::move(refusal);
    return inner_->Poll(call, max);
  }

  Result<void> Ack(const Call& call, std::span<const Delivery> deliveries) override {
    const FaultDraw draw = faults_.Next(call, kAck);
    if (!inner_ || draw.fault == Fault::kDrop) return {};  // they come again
    return faults_.Effect(draw, call, kAck, [&] { return inner_->Ack(call, deliveries); });
  }

 private:
  Bus& bus_;
  FaultSource faults_;
  const std::string topic_;
  const std::string group_;
  std::unique_ptr<Subscription> inner_;  // null: could not join again yet
};

}  // namespace

Result<std::vector<PublishOutcome>> FaultyBus::Publish(const Call& call,
                                                       std::span<const Message> messages) {
  const FaultDraw draw = faults_.Next(call, kPublish);
  if (draw.fault == Fault::kDrop) {
    return std::vector<PublishOutcome>(messages.size(), PublishOutcome::kAccepted);
  }
  if (draw.fault == Fault::kReorder) return PublishReordered(call, messages, draw.bits);
  return faults_.Effect(draw, call, kPublish, [&] { return inner_.Publish(call, messages); });
}

Result<std::vector<PublishOutcome>> FaultyBus::PublishReordered(const Call& call,
                                                                std::span<const Message> messages,
                                                                uint64_t bits) {
  const std::vector<size_t> order = ShuffledByKey(messages, bits);
  std::vector<Message> reordered;
  for (const size_t index : order) reordered.push_back(messages[index]);
  A4C_TRY(const auto outcomes, inner_.Publish(call, reordered));
  std::vector<PublishOutcome> as_given(outcomes.size());
  for (size_t i = 0; i < order.size(); ++i) as_given[order[i]] = outcomes[i];
  return as_given;
}

Result<int64_t> FaultyBus::Flush(const Call& call) {
  return faults_.Read(call, "Bus.Flush", [&] { return inner_.Flush(call); });
}

Result<std::unique_ptr<Subscription>> FaultyBus::Subscribe(const Call& call,
                                                           const std::string& topic,
                                                           const std::string& group,
                                                           StartAt start_at) {
  return faults_.Read(call, "Bus.Subscribe", [&]() -> Result<std::unique_ptr<Subscription>> {
    A4C_TRY(auto inner, inner_.Subscribe(call, topic, group, start_at));
    return std::unique_ptr<Subscription>(
        new FaultySubscription(inner_, policy_, runtime_, topic, group, std::move(inner)));
  });
}

}  // namespace a4c::testing
