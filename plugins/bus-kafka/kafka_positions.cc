#include "kafka_positions.h"

#include <algorithm>
#include <charconv>

#include "kafka_errors.h"
#include "kafka_topics.h"

namespace a4c::kafka {
namespace {

// Reads a number and the delimiter after it; the position after both, or null.
template <typename T>
const char* ReadNumber(const char* at, const char* end, char delimiter, T* number) {
  const auto [rest, error] = std::from_chars(at, end, *number);
  if (error != std::errc{} || *number < 0) return nullptr;
  if (delimiter == '\0') return rest == end ? rest : nullptr;
  return rest != end && *rest == delimiter ? rest + 1 : nullptr;
}

int TimeoutMs(const Call& call) {
  return static_cast<int>(std::clamp<int64_t>(call.RemainingMs(), 1, 30'000));
}

// A live group answers one of these to a commit from outside it.
bool MeansAlive(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
         error == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
         error == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS;
}

// The partitions, of `partitions`, in which the group has no position.
Result<PartitionsHandle> Unfixed(rd_kafka_t* consumer, const std::string& topic, int partitions,
                                 const Call& call) {
  const PartitionsHandle all(rd_kafka_topic_partition_list_new(partitions));
  rd_kafka_topic_partition_list_add_range(all.get(), topic.c_str(), 0, partitions - 1);
  const auto error = rd_kafka_committed(consumer, all.get(), TimeoutMs(call));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return ErrorOf(error, "reading the group's positions");
  PartitionsHandle unfixed(rd_kafka_topic_partition_list_new(partitions));
  for (int i = 0; i < all->cnt; ++i) {
    if (all->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return ErrorOf(all->elems[i].err, "reading the group's positions");
    }
    if (all->elems[i].offset >= 0) continue;
    rd_kafka_topic_partition_list_add(unfixed.get(), topic.c_str(), all->elems[i].partition);
  }
  return unfixed;
}

Result<void> TryToFixPositions(rd_kafka_t* consumer, const std::string& topic, int partitions,
                               StartAt start_at, const Call& call) {
  A4C_TRY(const PartitionsHandle unfixed, Unfixed(consumer, topic, partitions, call));
  if (unfixed->cnt == 0) return {};
  for (int i = 0; i < unfixed->cnt; ++i) {
    unfixed->elems[i].offset =
        start_at == StartAt::kEarliest ? RD_KAFKA_OFFSET_BEGINNING : RD_KAFKA_OFFSET_END;
  }
  auto error = rd_kafka_offsets_for_times(consumer, unfixed.get(), TimeoutMs(call));
  for (int i = 0; i < unfixed->cnt && error == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    error = unfixed->elems[i].err;
  }
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return ErrorOf(error, "reading the ends of " + topic);
  error = CommitAndWait(consumer, unfixed.get(), TimeoutMs(call));
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR || MeansAlive(error)) return {};
  return ErrorOf(error, "fixing the group's position in " + topic);
}

}  // namespace

std::string ToText(const Position& position) {
  return std::to_string(position.partition) + ":" + std::to_string(position.offset) + ":" +
         std::to_string(position.subscription) + ":" + std::to_string(position.assignment);
}

std::optional<Position> ReadPosition(const std::string& text) {
  Position position;
  const char* const end = text.data() + text.size();
  const char* at = ReadNumber(text.data(), end, ':', &position.partition);
  if (at) at = ReadNumber(at, end, ':', &position.offset);
  if (at) at = ReadNumber(at, end, ':', &position.subscription);
  if (at) at = ReadNumber(at, end, '\0', &position.assignment);
  return at ? std::optional(position) : std::nullopt;
}

rd_kafka_resp_err_t CommitAndWait(rd_kafka_t* consumer,
                                  const rd_kafka_topic_partition_list_t* positions,
                                  int timeout_ms) {
  const QueueHandle queue(rd_kafka_queue_new(consumer));
  const auto error = rd_kafka_commit_queue(consumer, positions, queue.get(), nullptr, nullptr);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return error;
  const EventHandle event(rd_kafka_queue_poll(queue.get(), timeout_ms));
  return event ? rd_kafka_event_error(event.get()) : RD_KAFKA_RESP_ERR__TIMED_OUT;
}

Result<void> FixPositions(rd_kafka_t* consumer, const std::string& topic, int partitions,
                          StartAt start_at, const Call& call, Waiter& waiter) {
  for (;;) {
    auto fixed = TryToFixPositions(consumer, topic, partitions, start_at, call);
    if (fixed || !fixed.error().retryable() || call.Expired() || call.Stopping()) return fixed;
    Pause(call, waiter);
  }
}

}  // namespace a4c::kafka
