#include "kafka_subscription.h"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "kafka_errors.h"
#include "kafka_handles.h"
#include "kafka_log.h"
#include "kafka_positions.h"
#include "kafka_topics.h"

namespace a4c::kafka {
namespace {

std::string Bytes(const void* data, size_t size) {
  return size == 0 ? std::string() : std::string(static_cast<const char*>(data), size);
}

Message ReadMessage(const rd_kafka_message_t& read, const std::string& topic) {
  Message message{topic, Bytes(read.key, read.key_len), Bytes(read.payload, read.len)};
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&read, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return message;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == 0; ++i) {
    message.headers.emplace_back(name, Bytes(value, size));
  }
  return message;
}

// Whether something has come to its end.
class Ending {
 public:
  explicit Ending(std::unique_ptr<Waiter> waiter) : waiter_(std::move(waiter)) {}
  void Tell() {
    const Waiter::Lock lock(*waiter_);
    has_ended_ = true;
    waiter_->NotifyAll();
  }
  bool Wait(const Clock& clock, int64_t until_ms) {
    const Waiter::Lock lock(*waiter_);
    while (!has_ended_ && clock.MonotonicMs() < until_ms) waiter_->Wait(until_ms);
    return has_ended_;
  }

 private:
  const std::unique_ptr<Waiter> waiter_;
  bool has_ended_ = false;
};

// Never joined, nor forgotten: until the process ends.
void LeftBehind(std::unique_ptr<Thread> thread) {
  static auto& mutex = *new std::mutex;
  static auto& threads = *new std::vector<std::unique_ptr<Thread>>;
  const std::lock_guard lock(mutex);
  threads.push_back(std::move(thread));
}

class KafkaSubscription final : public Subscription, private CallbackTarget {
 public:
  KafkaSubscription(const Settings& settings, const Runtime& runtime, std::string topic)
      : CallbackTarget(runtime.log),
        settings_(settings),
        runtime_(runtime),
        topic_(std::move(topic)),
        number_(static_cast<int64_t>(runtime.random.Next() >> 1)),
        waiter_(runtime.threads.NewWaiter()) {}
  ~KafkaSubscription() override { Close(); }

  Result<void> Open(const std::string& group);
  Result<void> Join(const Call& call, StartAt start_at);

  Result<std::vector<Delivery>> Poll(const Call& call, int max) override;
  Result<void> Ack(const Call& call, std::span<const Delivery> deliveries) override;

 private:
  static void OnRebalance(rd_kafka_t*, rd_kafka_resp_err_t event,
                          rd_kafka_topic_partition_list_t* partitions, void* opaque);
  static void OnCommitted(rd_kafka_t*, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t*,
                          void* opaque);
  static void OnError(rd_kafka_t*, int error, const char* reason, void* opaque);

  bool TakeOne(int timeout_ms, std::vector<Delivery>& taken);
  void Note(rd_kafka_resp_err_t error, const char* reason);
  Result<void> Remember(std::span<const Delivery> deliveries);
  PartitionsHandle Acknowledged() const;
  void CommitAcknowledged();
  void CountCommit(rd_kafka_resp_err_t error);
  void Close();
  void Destroy(int64_t until_ms);

  const Settings& settings_;
  const Runtime& runtime_;
  const std::string topic_;
  const int64_t number_;  // ours alone
  const std::unique_ptr<Waiter> waiter_;
  rd_kafka_t* consumer_ = nullptr;
  QueueHandle queue_;  // wakes a poll
  bool joined_ = false;
  int64_t assignment_ = 0;
  // Of the partitions that are ours now: the offset after the last one acknowledged.
  std::map<int32_t, std::optional<int64_t>> ours_;
  std::optional<Error> outage_;  // since the last poll began
};

Result<void> KafkaSubscription::Open(const std::string& group) {
  A4C_TRY(ConfHandle conf, NewConf(settings_.consumer));
  char reason[512] = "";
  if (rd_kafka_conf_set(conf.get(), "group.id", group.c_str(), reason, sizeof(reason)) !=
      RD_KAFKA_CONF_OK) {
    return Error(Code::kInvalid, "subscribing to " + topic_ + ": " + reason);
  }
  rd_kafka_conf_set_opaque(conf.get(), static_cast<CallbackTarget*>(this));
  rd_kafka_conf_set_log_cb(conf.get(), WriteLog);
  rd_kafka_conf_set_error_cb(conf.get(), OnError);
  rd_kafka_conf_set_rebalance_cb(conf.get(), OnRebalance);
  rd_kafka_conf_set_offset_commit_cb(conf.get(), OnCommitted);
  consumer_ = rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), reason, sizeof(reason));
  if (!consumer_) {
    return Error(Code::kInvalid, std::string("making the Kafka consumer: ") + reason);
  }
  static_cast<void>(conf.release());  // the consumer's now
  rd_kafka_poll_set_consumer(consumer_);
  queue_.reset(rd_kafka_queue_get_consumer(consumer_));
  return {};
}

Result<void> KafkaSubscription::Join(const Call& call, StartAt start_at) {
  A4C_TRY(const int partitions, EnsureTopic(consumer_, settings_, topic_, call, *waiter_));
  if (partitions > 0) {
    A4C_CHECK(FixPositions(consumer_, topic_, partitions, start_at, call, *waiter_));
  }
  const PartitionsHandle topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), topic_.c_str(), RD_KAFKA_PARTITION_UA);
  const auto error = rd_kafka_subscribe(consumer_, topics.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return ErrorOf(error, "subscribing to " + topic_);
  joined_ = true;
  return {};
}

Result<std::vector<Delivery>> KafkaSubscription::Poll(const Call& call, int max) {
  if (max < 1) return Error(Code::kInvalid, "polling: max is at least 1");
  const std::stop_callback wake(call.stop, [this] { rd_kafka_queue_yield(queue_.get()); });
  outage_.reset();
  std::vector<Delivery> taken;
  do {
    TakeOne(SliceMs(call), taken);
  } while (taken.empty() && !call.Stopping() && !call.Expired());
  if (taken.empty() && outage_) return *outage_;
  const auto wanted = static_cast<size_t>(max);
  while (!taken.empty() && taken.size() < wanted && TakeOne(0, taken)) {
  }
  if (!taken.empty()) {
    runtime_.metrics.Count("a4c_bus_kafka_received_total", {}, static_cast<double>(taken.size()));
  }
  return taken;
}

// False if nothing was there. An error that came instead of a message counts as something.
bool KafkaSubscription::TakeOne(int timeout_ms, std::vector<Delivery>& taken) {
  const MessageHandle message(rd_kafka_consumer_poll(consumer_, timeout_ms));
  if (!message) return false;
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    Note(message->err, rd_kafka_message_errstr(message.get()));
    return true;
  }
  const Position position{message->partition, message->offset, number_, assignment_};
  taken.push_back({ReadMessage(*message, topic_), ToText(position)});
  return true;
}

void KafkaSubscription::Note(rd_kafka_resp_err_t error, const char* reason) {
  outage_ = ErrorOf(error, "polling " + topic_);
  log.Write(LogLevel::kWarning, kComponent, "a subscription has trouble",
            {{"topic", topic_}, {"error", rd_kafka_err2name(error)}, {"reason", reason}});
}

Result<void> KafkaSubscription::Ack(const Call&, std::span<const Delivery> deliveries) {
  if (deliveries.empty()) return {};
  A4C_CHECK(Remember(deliveries));
  const PartitionsHandle positions = Acknowledged();
  if (positions->cnt == 0) return {};
  const auto error = rd_kafka_commit(consumer_, positions.get(), /*async=*/1);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return ErrorOf(error, "acknowledging in " + topic_);
  return {};
}

Result<void> KafkaSubscription::Remember(std::span<const Delivery> deliveries) {
  std::vector<Position> positions;
  for (const Delivery& delivery : deliveries) {
    const auto position = ReadPosition(delivery.position);
    if (!position || delivery.message.topic != topic_) {
      return Error(Code::kInvalid, "acknowledging \"" + delivery.position + "\" of " +
                                       delivery.message.topic + ": no delivery of " + topic_);
    }
    positions.push_back(*position);
  }
  for (const Position& position : positions) {
    const auto found = ours_.find(position.partition);
    const bool current = position.subscription == number_ && position.assignment == assignment_;
    if (!current || found == ours_.end()) continue;
    found->second = std::max(found->second.value_or(0), position.offset + 1);
  }
  return {};
}

PartitionsHandle KafkaSubscription::Acknowledged() const {
  PartitionsHandle positions(rd_kafka_topic_partition_list_new(static_cast<int>(ours_.size())));
  for (const auto& [partition, offset] : ours_) {
    if (!offset) continue;
    rd_kafka_topic_partition_list_add(positions.get(), topic_.c_str(), partition)->offset = *offset;
  }
  return positions;
}

void KafkaSubscription::CommitAcknowledged() {
  const PartitionsHandle positions = Acknowledged();
  if (positions->cnt == 0) return;
  const auto timeout_ms = static_cast<int>(settings_.close_timeout_ms);
  CountCommit(CommitAndWait(consumer_, positions.get(), timeout_ms));
}

void KafkaSubscription::CountCommit(rd_kafka_resp_err_t error) {
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR__NO_OFFSET) return;
  runtime_.metrics.Count("a4c_bus_kafka_commit_failures_total",
                         {{"reason", CodeName(CodeOf(error))}});
  log.Write(LogLevel::kWarning, kComponent, "a commit failed: what it covers may come again",
            {{"topic", topic_}, {"error", rd_kafka_err2name(error)}});
}

void KafkaSubscription::OnRebalance(rd_kafka_t* consumer, rd_kafka_resp_err_t event,
                                    rd_kafka_topic_partition_list_t* partitions, void* opaque) {
  auto& self = static_cast<KafkaSubscription&>(*static_cast<CallbackTarget*>(opaque));
  self.runtime_.metrics.Count("a4c_bus_kafka_rebalances_total", {});
  if (event == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    ++self.assignment_;
    for (int i = 0; i < partitions->cnt; ++i) self.ours_[partitions->elems[i].partition] = {};
    rd_kafka_assign(consumer, partitions);
    return;
  }
  // A lost assignment is somebody else's by now, and a commit would be refused.
  if (!rd_kafka_assignment_lost(consumer)) self.CommitAcknowledged();
  self.ours_.clear();
  rd_kafka_assign(consumer, nullptr);
}

void KafkaSubscription::OnCommitted(rd_kafka_t*, rd_kafka_resp_err_t error,
                                    rd_kafka_topic_partition_list_t*, void* opaque) {
  static_cast<KafkaSubscription&>(*static_cast<CallbackTarget*>(opaque)).CountCommit(error);
}

void KafkaSubscription::OnError(rd_kafka_t*, int error, const char* reason, void* opaque) {
  auto& self = static_cast<KafkaSubscription&>(*static_cast<CallbackTarget*>(opaque));
  self.Note(static_cast<rd_kafka_resp_err_t>(error), reason);
}

// Leaves the group after a last commit (in OnRebalance), but does not wait for ever for brokers
// that are gone: then the group finds out by session_timeout.
void KafkaSubscription::Close() {
  if (!consumer_) return;
  const Call patience = Call::Within(runtime_.clock, settings_.close_timeout_ms);
  if (joined_) {
    const QueueHandle events(rd_kafka_queue_new(consumer_));
    const ErrorHandle refused(rd_kafka_consumer_close_queue(consumer_, events.get()));
    while (!refused && !rd_kafka_consumer_closed(consumer_) && !patience.Expired()) {
      // As events: served by callbacks, a message or an error still in flight would abort the
      // process.
      const EventHandle event(rd_kafka_queue_poll(events.get(), SliceMs(patience)));
      if (rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_REBALANCE) continue;
      OnRebalance(consumer_, rd_kafka_event_error(event.get()),
                  rd_kafka_event_topic_partition_list(event.get()),
                  static_cast<CallbackTarget*>(this));
    }
  }
  queue_.reset();
  constexpr int64_t kAtLeastMs = 1'000;
  Destroy(std::max(patience.deadline_ms, runtime_.clock.MonotonicMs() + kAtLeastMs));
}

// For a consumer whose topic was deleted librdkafka may wait for ever for its own threads
// (confluentinc/librdkafka#4362): such a one is left behind, and says nothing any more.
void KafkaSubscription::Destroy(int64_t until_ms) {
  rd_kafka_set_log_level(consumer_, 0);
  const auto ending = std::make_shared<Ending>(runtime_.threads.NewWaiter());
  auto thread =
      runtime_.threads.Start("kafka-close", [consumer = consumer_, ending](const std::stop_token&) {
        rd_kafka_destroy_flags(consumer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
        ending->Tell();
      });
  if (ending->Wait(runtime_.clock, until_ms)) return thread->Join();
  runtime_.metrics.Count("a4c_bus_kafka_left_behind_total", {});
  log.Write(LogLevel::kWarning, kComponent, "a consumer does not end and is left behind",
            {{"topic", topic_}});
  LeftBehind(std::move(thread));
}

}  // namespace

Result<std::unique_ptr<Subscription>> Subscribe(const Settings& settings, const Runtime& runtime,
                                                const Call& call, const std::string& topic,
                                                const std::string& group, StartAt start_at) {
  auto subscription = std::make_unique<KafkaSubscription>(settings, runtime, topic);
  A4C_CHECK(subscription->Open(group));
  A4C_CHECK(subscription->Join(call, start_at));
  return std::unique_ptr<Subscription>(std::move(subscription));
}

}  // namespace a4c::kafka
