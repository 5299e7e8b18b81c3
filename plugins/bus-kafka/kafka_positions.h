// Positions of a group: where a delivery stands, and where the group goes on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "a4c/bus.h"
#include "a4c/call.h"
#include "a4c/result.h"
#include "kafka_handles.h"

namespace a4c::kafka {

// Delivery::position. assignment counts how often this member was dealt partitions: an
// acknowledgement from before the last time might pull the group back, so it has no effect. Each
// member counts from 1, so a random number tells them apart.
struct Position {
  int32_t partition = 0;
  int64_t offset = 0;
  int64_t subscription = 0;
  int64_t assignment = 0;
};
std::string ToText(const Position& position);
std::optional<Position> ReadPosition(const std::string& text);

// Commits and waits for the answer.
rd_kafka_resp_err_t CommitAndWait(rd_kafka_t* consumer,
                                  const rd_kafka_topic_partition_list_t* positions, int timeout_ms);

// Gives the consumer's group a position in every partition in which it has none. Called before the
// consumer joins; if the group has members by then, they have done it, and their word counts. Tries
// again while the brokers are not ready, as they are not for a while after a topic was made.
Result<void> FixPositions(rd_kafka_t* consumer, const std::string& topic, int partitions,
                          StartAt start_at, const Call& call, Waiter& waiter);

}  // namespace a4c::kafka
