#include "kafka_topics.h"

#include <algorithm>

#include "kafka_errors.h"

namespace a4c::kafka {
namespace {

struct MetadataDestroy {
  void operator()(const rd_kafka_metadata_t* metadata) const {
    rd_kafka_metadata_destroy(metadata);
  }
};

rd_kafka_resp_err_t CountPartitions(rd_kafka_t* handle, const std::string& topic, int timeout_ms,
                                    int* count) {
  const TopicHandle topic_handle(rd_kafka_topic_new(handle, topic.c_str(), nullptr));
  if (!topic_handle) return rd_kafka_last_error();
  const rd_kafka_metadata_t* read = nullptr;
  const auto error = rd_kafka_metadata(handle, 0, topic_handle.get(), &read, timeout_ms);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return error;
  const std::unique_ptr<const rd_kafka_metadata_t, MetadataDestroy> metadata(read);
  if (metadata->topic_cnt != 1) return RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  *count = metadata->topics[0].partition_cnt;
  return metadata->topics[0].err;
}

Result<void> MakeTopic(rd_kafka_t* handle, const Settings& settings, const std::string& topic,
                       const Call& call) {
  const QueueHandle queue(rd_kafka_queue_new(handle));
  const auto timeout_ms = static_cast<int>(std::clamp<int64_t>(call.RemainingMs(), 1, 30'000));
  AskForTopic(handle, settings, topic, timeout_ms, queue.get());
  while (!call.Expired() && !call.Stopping()) {
    const EventHandle event(rd_kafka_queue_poll(queue.get(), SliceMs(call)));
    if (!event) continue;
    const auto error = ReadTopicAnswer(event.get()).error;
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    return ErrorOf(error, "creating the topic " + topic);
  }
  return Error(Code::kTimeout, "creating the topic " + topic + ": the call ended first");
}

// It is being made, or its leader elected: worth another look.
bool IsOnItsWay(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
         error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || error == RD_KAFKA_RESP_ERR__TIMED_OUT;
}

}  // namespace

void Pause(const Call& call, Waiter& waiter) {
  constexpr int64_t kPauseMs = 20;
  Waiter::Lock lock(waiter);
  waiter.Wait(std::min(call.deadline_ms, call.clock.MonotonicMs() + kPauseMs));
}

int SliceMs(const Call& call, int slice_ms) {
  return static_cast<int>(std::min<int64_t>(call.RemainingMs(), slice_ms));
}

void AskForTopic(rd_kafka_t* handle, const Settings& settings, const std::string& topic,
                 int timeout_ms, rd_kafka_queue_t* queue) {
  char unused[256];
  rd_kafka_NewTopic_t* wanted = rd_kafka_NewTopic_new(
      topic.c_str(), settings.partitions, settings.replication_factor, unused, sizeof(unused));
  if (!wanted) return;  // names and numbers were checked before
  rd_kafka_AdminOptions_t* options =
      rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_CREATETOPICS);
  rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, unused, sizeof(unused));
  rd_kafka_AdminOptions_set_operation_timeout(options, timeout_ms, unused, sizeof(unused));
  rd_kafka_CreateTopics(handle, &wanted, 1, options, queue);
  rd_kafka_AdminOptions_destroy(options);
  rd_kafka_NewTopic_destroy(wanted);
}

TopicAnswer ReadTopicAnswer(rd_kafka_event_t* event) {
  const rd_kafka_CreateTopics_result_t* result = rd_kafka_event_CreateTopics_result(event);
  TopicAnswer answer{{}, rd_kafka_event_error(event)};
  size_t count = 0;
  const rd_kafka_topic_result_t** topics =
      result ? rd_kafka_CreateTopics_result_topics(result, &count) : nullptr;
  if (count == 0) return answer;
  answer.topic = rd_kafka_topic_result_name(topics[0]);
  answer.error = rd_kafka_topic_result_error(topics[0]);
  if (answer.error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
    answer.error = RD_KAFKA_RESP_ERR_NO_ERROR;
  }
  return answer;
}

Result<int> EnsureTopic(rd_kafka_t* handle, const Settings& settings, const std::string& topic,
                        const Call& call, Waiter& waiter) {
  bool made = false;
  for (;;) {
    int partitions = 0;
    const auto error =
        CountPartitions(handle, topic, std::max(SliceMs(call, 1'000), 1), &partitions);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR && partitions > 0) return partitions;
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR && !IsOnItsWay(error)) {
      return ErrorOf(error, "looking for the topic " + topic);
    }
    if (error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART && !made) {
      if (!settings.create_topics) return 0;
      A4C_CHECK(MakeTopic(handle, settings, topic, call));
      made = true;
    }
    if (call.Stopping()) return Error(Code::kCanceled, "looking for the topic " + topic);
    if (call.Expired()) {
      return ErrorOf(RD_KAFKA_RESP_ERR__TIMED_OUT, "looking for the topic " + topic);
    }
    Pause(call, waiter);
  }
}

}  // namespace a4c::kafka
