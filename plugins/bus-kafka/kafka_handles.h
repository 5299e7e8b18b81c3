// librdkafka's handles as owners.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>

namespace a4c::kafka {

template <typename T, void (*destroy)(T*)>
struct Destroy {
  void operator()(T* handle) const { destroy(handle); }
};

using ConfHandle =
    std::unique_ptr<rd_kafka_conf_t, Destroy<rd_kafka_conf_t, rd_kafka_conf_destroy>>;
using ErrorHandle =
    std::unique_ptr<rd_kafka_error_t, Destroy<rd_kafka_error_t, rd_kafka_error_destroy>>;
using EventHandle =
    std::unique_ptr<rd_kafka_event_t, Destroy<rd_kafka_event_t, rd_kafka_event_destroy>>;
using HeadersHandle =
    std::unique_ptr<rd_kafka_headers_t, Destroy<rd_kafka_headers_t, rd_kafka_headers_destroy>>;
using MessageHandle =
    std::unique_ptr<rd_kafka_message_t, Destroy<rd_kafka_message_t, rd_kafka_message_destroy>>;
using QueueHandle =
    std::unique_ptr<rd_kafka_queue_t, Destroy<rd_kafka_queue_t, rd_kafka_queue_destroy>>;
using TopicHandle =
    std::unique_ptr<rd_kafka_topic_t, Destroy<rd_kafka_topic_t, rd_kafka_topic_destroy>>;
using PartitionsHandle = std::unique_ptr<
    rd_kafka_topic_partition_list_t,
    Destroy<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>>;
// Of a producer; a consumer is closed first, by its owner.
using ProducerHandle = std::unique_ptr<rd_kafka_t, Destroy<rd_kafka_t, rd_kafka_destroy>>;

}  // namespace a4c::kafka
