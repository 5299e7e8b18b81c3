// One librdkafka producer, from its making to its end. Idempotent producers can fail for good; then
// their owner makes another.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "a4c/bus.h"
#include "a4c/clock.h"
#include "a4c/result.h"
#include "kafka_handles.h"
#include "kafka_headers.h"
#include "kafka_log.h"
#include "kafka_settings.h"
#include "kafka_topics.h"

namespace a4c::kafka {

// What Produce works in, kept between messages. One per call of Publish.
struct ProduceScratch {
  std::string id = {};
  std::vector<HeaderView> headers = {};
  std::vector<rd_kafka_vu_t> parts = {};
};

class Producer final : private CallbackTarget {
 public:
  static Result<std::shared_ptr<Producer>> Make(const Settings& settings, const Runtime& runtime);
  // Drops what is still queued.
  ~Producer();

  // Puts a message into the queue. Never blocks. [any thread]
  rd_kafka_resp_err_t Produce(rd_kafka_topic_t* topic, const Message& message,
                              CloudEvents& cloud_events, ProduceScratch& scratch);
  // Valid as long as the producer. [any thread]
  rd_kafka_topic_t* TopicOf(const std::string& name);
  void AskForTopic(const std::string& name);  // [any thread]
  int64_t Queued() const { return rd_kafka_outq_len(handle_.get()); }
  void Flush(int timeout_ms) { rd_kafka_flush(handle_.get(), timeout_ms); }

  // What follows is for one thread, which serves the producer as long as it lives.
  struct News {
    std::vector<TopicAnswer> topics = {};  // answers to AskForTopic
    bool lost_a_topic = false;             // a message came back because its topic is gone
    bool failed_for_good = false;
  };
  // Waits up to timeout_ms for what the brokers have to say, and counts deliveries and drops.
  News Serve(int timeout_ms);
  void Wake() { rd_kafka_queue_yield(queue_.get()); }
  // Takes back what is queued and counts it as dropped.
  void Purge();

 private:
  Producer(const Settings& settings, const Runtime& runtime);
  void CountDeliveries(rd_kafka_event_t* event, News& news);
  void Report();

  const Settings& settings_;
  const Runtime runtime_;
  ProducerHandle handle_;
  QueueHandle queue_;  // librdkafka's main queue
  std::unique_ptr<Waiter> topics_lock_;
  std::map<std::string, TopicHandle, std::less<>> topics_;
  int64_t delivered_ = 0;
  static constexpr size_t kCodes = static_cast<size_t>(Code::kInternal) + 1;
  std::array<int64_t, kCodes> dropped_ = {};  // by reason
};

}  // namespace a4c::kafka
