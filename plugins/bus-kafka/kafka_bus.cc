#include "kafka_bus.h"

#include <algorithm>
#include <map>
#include <utility>

#include "kafka_errors.h"
#include "kafka_headers.h"
#include "kafka_producer.h"
#include "kafka_subscription.h"

namespace a4c::kafka {
namespace {

constexpr size_t kTopicCharactersMax = 200;
constexpr int64_t kAskAgainMs = 10'000;

bool IsTopic(std::string_view name) {
  return !name.empty() && name.size() <= kTopicCharactersMax &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

Error NoTopic(const char* doing, const std::string& name) {
  return Error(Code::kInvalid, std::string(doing) + ": \"" + name + "\" is no topic",
               "topics are made of a-z, 0-9, - and _");
}

int64_t SizeOf(const Message& message) {
  size_t bytes = message.key.size() + message.payload.size();
  for (const auto& [name, value] : message.headers) bytes += name.size() + value.size();
  return static_cast<int64_t>(bytes);
}

class KafkaBus final : public Bus {
 public:
  KafkaBus(Settings settings, const Runtime& runtime)
      : settings_(std::move(settings)),
        runtime_(runtime),
        cloud_events_(settings_, runtime.random),
        lock_(runtime.threads.NewWaiter()) {}

  ~KafkaBus() override {
    if (!server_) return;
    server_->RequestStop();
    producer_->Wake();
    server_->Join();
    const int64_t queued = producer_->Queued();
    if (queued == 0) return;
    runtime_.log.Write(LogLevel::kWarning, kComponent, "messages dropped at the end",
                       {{"messages", std::to_string(queued)}});
  }

  Result<void> Start() {
    A4C_TRY(producer_, Producer::Make(settings_, runtime_));
    server_ = runtime_.threads.Start("a4c-kafka", [this](std::stop_token stop) { Serve(stop); });
    return {};
  }

  Result<std::vector<PublishOutcome>> Publish(const Call& call,
                                              std::span<const Message> messages) override;
  Result<int64_t> Flush(const Call& call) override;

  Result<std::unique_ptr<Subscription>> Subscribe(const Call& call, const std::string& topic,
                                                  const std::string& group,
                                                  StartAt start_at) override {
    if (!IsTopic(topic)) return NoTopic("subscribing", topic);
    if (group.empty()) return Error(Code::kInvalid, "subscribing: the group has no name");
    return kafka::Subscribe(settings_, runtime_, call, topic, group, start_at);
  }

 private:
  Result<void> Check(std::span<const Message> messages) const;
  std::shared_ptr<Producer> Current() const;
  void WantTopic(Producer& producer, const std::string& topic);
  void Serve(const std::stop_token& stop);
  void Learn(const Producer::News& news);
  void Rebuild();

  const Settings settings_;
  const Runtime runtime_;
  CloudEvents cloud_events_;
  const std::unique_ptr<Waiter> lock_;
  std::shared_ptr<Producer> producer_;
  // By topic: when to ask for it again; kForever once it is known to exist.
  std::map<std::string, int64_t, std::less<>> topics_;
  // Producers that failed for good, until no call of Publish holds them. The serving thread's own.
  std::vector<std::shared_ptr<Producer>> retired_;
  // The serving thread's own: the current producer failed for good; the next rebuild is not before.
  bool failed_ = false;
  int64_t rebuild_from_ms_ = 0;
  std::unique_ptr<Thread> server_;
};

Result<void> KafkaBus::Check(std::span<const Message> messages) const {
  const std::string* checked = nullptr;
  for (const Message& message : messages) {
    if (!checked || *checked != message.topic) {
      if (!IsTopic(message.topic)) return NoTopic("publishing", message.topic);
      checked = &message.topic;
    }
    if (const int64_t bytes = SizeOf(message); bytes > settings_.message_bytes_max) {
      return Error(Code::kInvalid,
                   "publishing to " + message.topic + ": a message of " + std::to_string(bytes) +
                       " bytes is above the limit of " +
                       std::to_string(settings_.message_bytes_max),
                   "raise message_bytes_max, and the broker's message.max.bytes");
    }
  }
  return {};
}

std::shared_ptr<Producer> KafkaBus::Current() const {
  Waiter::Lock lock(*lock_);
  return producer_;
}

// Everything but a full queue that keeps a message out (a producer that is being rebuilt, for one)
// has the same meaning to the caller: dropped, the poller will find the record. Metrics tell them
// apart.
Result<std::vector<PublishOutcome>> KafkaBus::Publish(const Call&,
                                                      std::span<const Message> messages) {
  A4C_CHECK(Check(messages));
  const std::shared_ptr<Producer> producer = Current();
  std::vector<PublishOutcome> outcomes;
  outcomes.reserve(messages.size());
  std::map<Code, int64_t> refused;
  ProduceScratch scratch;
  const std::string* topic_name = nullptr;
  rd_kafka_topic_t* topic = nullptr;
  for (const Message& message : messages) {
    if (!topic_name || *topic_name != message.topic) {
      topic_name = &message.topic;
      WantTopic(*producer, message.topic);
      topic = producer->TopicOf(message.topic);
    }
    const auto error = producer->Produce(topic, message, cloud_events_, scratch);
    const bool accepted = error == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (!accepted) ++refused[CodeOf(error)];
    outcomes.push_back(accepted ? PublishOutcome::kAccepted : PublishOutcome::kFull);
  }
  for (const auto& [code, count] : refused) {
    runtime_.metrics.Count("a4c_bus_kafka_refused_total", {{"reason", CodeName(code)}},
                           static_cast<double>(count));
  }
  return outcomes;
}

Result<int64_t> KafkaBus::Flush(const Call& call) {
  const std::shared_ptr<Producer> producer = Current();
  while (producer->Queued() > 0 && !call.Expired() && !call.Stopping()) {
    producer->Flush(SliceMs(call));
  }
  return producer->Queued();
}

void KafkaBus::WantTopic(Producer& producer, const std::string& topic) {
  if (!settings_.create_topics) return;
  {
    const int64_t now_ms = runtime_.clock.MonotonicMs();
    Waiter::Lock lock(*lock_);
    int64_t& ask_at_ms = topics_.try_emplace(topic, 0).first->second;
    if (now_ms < ask_at_ms) return;
    ask_at_ms = now_ms + kAskAgainMs;
  }
  producer.AskForTopic(topic);
}

void KafkaBus::Serve(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const Producer::News news = Current()->Serve(100);
    Learn(news);
    failed_ |= news.failed_for_good;
    if (failed_ && runtime_.clock.MonotonicMs() >= rebuild_from_ms_) Rebuild();
    for (const auto& producer : retired_) producer->Serve(0);
    std::erase_if(retired_, [](const auto& producer) { return producer.use_count() == 1; });
  }
}

void KafkaBus::Learn(const Producer::News& news) {
  for (const TopicAnswer& answer : news.topics) {
    // One that we may not make is for others to make: asking again would not help.
    const bool settled =
        answer.error == RD_KAFKA_RESP_ERR_NO_ERROR || CodeOf(answer.error) == Code::kDenied;
    if (settled && !answer.topic.empty()) {
      Waiter::Lock lock(*lock_);
      topics_[answer.topic] = Waiter::kForever;
    }
    if (answer.error == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    runtime_.log.Write(LogLevel::kWarning, kComponent, "a topic could not be created",
                       {{"topic", answer.topic}, {"error", rd_kafka_err2name(answer.error)}});
  }
  if (!news.lost_a_topic) return;
  Waiter::Lock lock(*lock_);
  topics_.clear();
}

// What the failed producer still held is dropped and counted; the poller will find those records.
void KafkaBus::Rebuild() {
  rebuild_from_ms_ = runtime_.clock.MonotonicMs() + settings_.rebuild_wait_ms;
  auto made = Producer::Make(settings_, runtime_);
  if (!made) {
    runtime_.log.Write(LogLevel::kError, kComponent, "the producer could not be rebuilt",
                       {{"error", made.error().ToString()}});
    return;
  }
  failed_ = false;
  std::shared_ptr<Producer> old = *std::move(made);
  {
    Waiter::Lock lock(*lock_);
    std::swap(old, producer_);
  }
  old->Purge();
  retired_.push_back(std::move(old));
  runtime_.metrics.Count("a4c_bus_kafka_producer_rebuilds_total", {});
  runtime_.log.Write(LogLevel::kWarning, kComponent, "a producer failed for good and was replaced",
                     {});
}

}  // namespace

Result<std::unique_ptr<Bus>> NewKafkaBus(Settings settings, const Runtime& runtime) {
  auto bus = std::make_unique<KafkaBus>(std::move(settings), runtime);
  A4C_CHECK(bus->Start());
  return std::unique_ptr<Bus>(std::move(bus));
}

}  // namespace a4c::kafka
