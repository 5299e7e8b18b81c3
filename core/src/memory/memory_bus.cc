#include <algorithm>
#include <map>
#include <utility>

#include "a4c/memory.h"
#include "memory/memory_topic.h"

namespace a4c {
namespace {

// As large as a Kafka broker takes by default, so that both refuse alike. It also makes the bound
// on messages a bound on memory.
constexpr size_t kMessageBytesMax = 1'000'000;
constexpr size_t kTopicCharactersMax = 200;

bool IsTopic(std::string_view name) {
  return !name.empty() && name.size() <= kTopicCharactersMax &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

size_t Bytes(const Message& message) {
  size_t bytes = message.key.size() + message.payload.size();
  for (const auto& [name, value] : message.headers) bytes += name.size() + value.size();
  return bytes;
}

Result<void> CheckMessage(const Message& message) {
  if (!IsTopic(message.topic)) {
    return Error(Code::kInvalid, "publishing: \"" + message.topic + "\" is no topic",
                 "topics are made of a-z, 0-9, - and _");
  }
  if (const size_t bytes = Bytes(message); bytes > kMessageBytesMax) {
    return Error(Code::kInvalid, "publishing to " + message.topic + ": a message of " +
                                     std::to_string(bytes) + " bytes is above the limit of " +
                                     std::to_string(kMessageBytesMax));
  }
  return {};
}

// Shared by the bus and its subscriptions. The topics' map is never shrunk: references stay good.
struct Shared {
  std::unique_ptr<Waiter> waiter;
  std::map<std::string, memory::Topic, std::less<>> topics = {};
};

class MemorySubscription final : public Subscription {
 public:
  MemorySubscription(Shared& shared, std::string topic_name, memory::Topic& topic,
                     std::string group, memory::Topic::Member member)
      : shared_(shared),
        topic_name_(std::move(topic_name)),
        topic_(topic),
        group_(std::move(group)),
        member_(member) {}

  ~MemorySubscription() override {
    Waiter::Lock lock(*shared_.waiter);
    topic_.Leave(group_, member_);
    shared_.waiter->NotifyAll();  // the others have more partitions now
  }

  Result<std::vector<Delivery>> Poll(const Call& call, int max) override {
    if (max < 1) return Error(Code::kInvalid, "polling: max is at least 1");
    // Made before the lock is taken and destroyed after it is given up: both may run it.
    const std::stop_callback wake(call.stop, [this] {
      Waiter::Lock lock(*shared_.waiter);
      shared_.waiter->NotifyAll();
    });
    Waiter::Lock lock(*shared_.waiter);
    for (;;) {
      auto taken = topic_.Take(group_, member_, max);
      if (!taken.empty() || call.Stopping() || call.Expired()) return taken;
      shared_.waiter->Wait(call.deadline_ms);
    }
  }

  Result<void> Ack(const Call&, std::span<const Delivery> deliveries) override {
    for (const Delivery& delivery : deliveries) {
      if (delivery.message.topic == topic_name_) continue;
      return Error(Code::kInvalid, "acknowledging: a delivery of the topic " +
                                       delivery.message.topic + ", this is " + topic_name_);
    }
    Waiter::Lock lock(*shared_.waiter);
    return topic_.Acknowledge(group_, member_, deliveries);
  }

 private:
  Shared& shared_;
  const std::string topic_name_;
  memory::Topic& topic_;
  const std::string group_;
  const memory::Topic::Member member_;
};

class MemoryBus final : public Bus {
 public:
  MemoryBus(const Runtime& runtime, const MemoryBusOptions& options)
      : options_(options), shared_{runtime.threads.NewWaiter()} {}

  Result<std::vector<PublishOutcome>> Publish(const Call&,
                                              std::span<const Message> messages) override {
    for (const Message& message : messages) A4C_CHECK(CheckMessage(message));
    std::vector<PublishOutcome> outcomes;
    outcomes.reserve(messages.size());
    Waiter::Lock lock(*shared_.waiter);
    for (const Message& message : messages) {
      outcomes.push_back(TopicOf(message.topic).Append(message));
    }
    shared_.waiter->NotifyAll();
    return outcomes;
  }

  // What is accepted is with the readers already.
  Result<int64_t> Flush(const Call&) override { return int64_t{0}; }

  Result<std::unique_ptr<Subscription>> Subscribe(const Call&, const std::string& topic_name,
                                                  const std::string& group,
                                                  StartAt start_at) override {
    if (!IsTopic(topic_name)) {
      return Error(Code::kInvalid, "subscribing: \"" + topic_name + "\" is no topic",
                   "topics are made of a-z, 0-9, - and _");
    }
    if (group.empty()) return Error(Code::kInvalid, "subscribing: the group has no name");
    Waiter::Lock lock(*shared_.waiter);
    memory::Topic& topic = TopicOf(topic_name);
    const auto member = topic.Join(group, start_at);
    return std::unique_ptr<Subscription>(
        new MemorySubscription(shared_, topic_name, topic, group, member));
  }

 private:
  memory::Topic& TopicOf(const std::string& name) {
    return shared_.topics.try_emplace(name, options_).first->second;
  }

  const MemoryBusOptions options_;
  Shared shared_;
};

}  // namespace

std::unique_ptr<Bus> NewMemoryBus(const Runtime& runtime, const MemoryBusOptions& options) {
  return std::make_unique<MemoryBus>(runtime, options);
}

}  // namespace a4c
