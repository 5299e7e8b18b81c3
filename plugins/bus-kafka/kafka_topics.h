// Topics: whether they exist, and making those that do not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "a4c/call.h"
#include "a4c/result.h"
#include "kafka_handles.h"
#include "kafka_settings.h"

namespace a4c::kafka {

// Asks the brokers to make the topic; the answer comes to `queue`, within timeout_ms. Never blocks.
void AskForTopic(rd_kafka_t* handle, const Settings& settings, const std::string& topic,
                 int timeout_ms, rd_kafka_queue_t* queue);

struct TopicAnswer {
  std::string topic;  // empty if nobody answered: the request as a whole failed
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;  // none if it is there, also already
};
TopicAnswer ReadTopicAnswer(rd_kafka_event_t* event);

// The topic's number of partitions, once it is there; makes it if the settings say so. 0: it is not
// there, and making it is not ours.
Result<int> EnsureTopic(rd_kafka_t* handle, const Settings& settings, const std::string& topic,
                        const Call& call, Waiter& waiter);

// Between two looks at a broker that is not ready yet; ends with the call.
void Pause(const Call& call, Waiter& waiter);

// At most slice_ms, and no longer than the call may take: librdkafka's own waits are cut into
// slices, between which the caller's stop and (a test's) clock are looked at.
int SliceMs(const Call& call, int slice_ms = 100);

}  // namespace a4c::kafka
