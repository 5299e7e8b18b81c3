// One topic of the memory bus: partitions, groups and their positions. Pure bookkeeping: it neither
// locks nor waits, the bus does. [one thread at a time]
//
// A message stays until every group has acknowledged it. At the bound, what no group with a member
// still needs gives way, oldest first: a topic without readers is a log of its last messages, and a
// group that everybody has left resumes at the oldest that is kept, so that it cannot stop the
// living. What a living group needs never gives way: then the topic is full.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/bus.h"
#include "a4c/memory.h"

namespace a4c::memory {

class Topic {
 public:
  using Member = int64_t;

  explicit Topic(const MemoryBusOptions& options);

  PublishOutcome Append(const Message& message);
  // Both share the group's partitions out anew, and all of its members start at what the group has
  // acknowledged, as they would on a broker that revokes everything.
  Member Join(const std::string& group, StartAt start_at);
  void Leave(const std::string& group, Member member);
  // Up to max messages of the member's partitions, each partition in order.
  std::vector<Delivery> Take(const std::string& group, Member member, int max);
  Result<void> Acknowledge(const std::string& group, Member member,
                           std::span<const Delivery> deliveries);

 private:
  struct Stored {
    int64_t sequence;  // over the whole topic
    Message message;
  };
  struct Partition {
    int64_t first = 0;  // the offset of messages.front()
    std::deque<Stored> messages = {};
    int64_t end() const { return first + static_cast<int64_t>(messages.size()); }
  };
  struct Group {
    std::vector<int64_t> acknowledged;  // by partition: the first offset that is not
    std::vector<int64_t> next;          // by partition: the first that its member has not got
    std::vector<Member> members = {};   // by time of joining
    bool Owns(Member member, size_t partition) const;
  };

  void Rebalance(Group& group);
  void DropAcknowledged();
  bool MakeRoom();
  void DropFront(Partition& partition);
  int64_t NeededByTheLiving(size_t partition) const;
  size_t PartitionOf(std::string_view key) const;

  const int64_t messages_max_;
  std::vector<Partition> partitions_;
  std::map<std::string, Group, std::less<>> groups_;
  int64_t kept_ = 0;
  int64_t next_sequence_ = 0;
  Member next_member_ = 1;
  size_t turn_ = 0;  // the partition at which the next Take begins
};

}  // namespace a4c::memory
