// Bus: hints from one instance to others, at least once, in order per key. Nothing depends on a
// message arriving: what was missed is found in the store. So publishing never waits.
//
// All methods are safe from any thread at once; a Subscription is used by one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "a4c/call.h"
#include "a4c/result.h"

namespace a4c {

struct Message {
  std::string topic;  // [a-z0-9_-]+, at most 200 characters
  std::string key;    // a record's id; messages with one key keep their order
  std::string payload;
  // Arrive in this order; a bus may add its own after them (Kafka: the CloudEvents ones it misses).
  std::vector<std::pair<std::string, std::string>> headers = {};
};

struct Delivery {
  Message message;
  std::string position;  // opaque, of this topic: where to resume, what to acknowledge
};

enum class PublishOutcome : uint8_t {
  kAccepted,  // queued in bounded memory; delivery is tried until the process ends
  kFull,      // the queue is at its bound: dropped, the poller will find the record
};

class Subscription {
 public:
  virtual ~Subscription() = default;
  // Waits until something is there, the deadline, or stop; then up to max deliveries, in order per
  // key. Deadline and stop give an empty list, not an error. kUnavailable: try again later.
  virtual Result<std::vector<Delivery>> Poll(const Call& call, int max) = 0;
  // What was acknowledged is not delivered to the group again. What was not, is, after this
  // subscription ends or moves (also some that was acknowledged, if the process dies soon after).
  // With cumulative acknowledgement (capability) a delivery covers all before it in its partition.
  // Of a delivery of another subscription, or whose partition has moved since, it has no effect:
  // its member gets it as well. kInvalid: not a delivery of this topic.
  virtual Result<void> Ack(const Call& call, std::span<const Delivery> deliveries) = 0;
};

enum class StartAt : uint8_t { kEarliest, kLatest };

class Bus {
 public:
  virtual ~Bus() = default;
  // One outcome per message. Never blocks. kInvalid, and nothing published: a name that is no
  // topic, or a message that the bus can never carry (up to 512 KiB in all its parts always fit).
  virtual Result<std::vector<PublishOutcome>> Publish(const Call& call,
                                                      std::span<const Message> messages) = 0;
  // Waits until what was accepted has been delivered to the broker, or the deadline; the number of
  // messages still queued.
  virtual Result<int64_t> Flush(const Call& call) = 0;
  // A member of `group`: the group's members share the topic's partitions. start_at counts only for
  // a group without a position, and fixes it: what is published after Subscribe has returned is
  // delivered to the group, also if this member leaves without having acknowledged anything.
  // The topic need not exist. The subscription must be destroyed before the bus.
  virtual Result<std::unique_ptr<Subscription>> Subscribe(const Call& call,
                                                          const std::string& topic,
                                                          const std::string& group,
                                                          StartAt start_at) = 0;
  template <typename T>
  T* As() {
    return static_cast<T*>(Extension(T::kExtension));
  }

 protected:
  virtual void* Extension([[maybe_unused]] std::string_view name) { return nullptr; }
};

}  // namespace a4c
