#include "memory/memory_topic.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>
#include <optional>

namespace a4c::memory {
namespace {

struct Position {
  size_t partition = 0;
  int64_t offset = 0;
  Topic::Member member = 0;  // that it was delivered to
};

std::string ToText(const Position& position) {
  return std::to_string(position.partition) + ":" + std::to_string(position.offset) + ":" +
         std::to_string(position.member);
}

std::optional<Position> ReadPosition(const std::string& text) {
  Position position;
  const char* const end = text.data() + text.size();
  const auto [colon, bad] = std::from_chars(text.data(), end, position.partition);
  if (bad != std::errc{} || colon == end || *colon != ':') return std::nullopt;
  const auto [second, bad_offset] = std::from_chars(colon + 1, end, position.offset);
  if (bad_offset != std::errc{} || second == end || *second != ':') return std::nullopt;
  const auto [rest, bad_member] = std::from_chars(second + 1, end, position.member);
  if (bad_member != std::errc{} || rest != end || position.offset < 0) return std::nullopt;
  return position;
}

}  // namespace

Topic::Topic(const MemoryBusOptions& options)
    : messages_max_(options.queue_messages_max),
      partitions_(static_cast<size_t>(std::max(options.partitions, 1))) {}

bool Topic::Group::Owns(Member member, size_t partition) const {
  return !members.empty() && members[partition % members.size()] == member;
}

size_t Topic::PartitionOf(std::string_view key) const {
  return std::hash<std::string_view>{}(key) % partitions_.size();
}

PublishOutcome Topic::Append(const Message& message) {
  if (kept_ >= messages_max_ && !MakeRoom()) return PublishOutcome::kFull;
  partitions_[PartitionOf(message.key)].messages.push_back({next_sequence_++, message});
  ++kept_;
  return PublishOutcome::kAccepted;
}

Topic::Member Topic::Join(const std::string& group_name, StartAt start_at) {
  auto [found, is_new] = groups_.try_emplace(group_name);
  Group& group = found->second;
  if (is_new) {
    for (const Partition& partition : partitions_) {
      group.acknowledged.push_back(start_at == StartAt::kEarliest ? partition.first
                                                                  : partition.end());
    }
  }
  group.members.push_back(next_member_);
  Rebalance(group);
  DropAcknowledged();
  return next_member_++;
}

void Topic::Leave(const std::string& group_name, Member member) {
  Group& group = groups_.at(group_name);
  std::erase(group.members, member);
  Rebalance(group);
}

void Topic::Rebalance(Group& group) {
  group.next = group.acknowledged;
}

std::vector<Delivery> Topic::Take(const std::string& group_name, Member member, int max) {
  Group& group = groups_.at(group_name);
  std::vector<Delivery> taken;
  const size_t start = turn_++;
  for (size_t i = 0; i < partitions_.size(); ++i) {
    const size_t p = (start + i) % partitions_.size();
    const Partition& partition = partitions_[p];
    if (!group.Owns(member, p)) continue;
    while (group.next[p] < partition.end() && taken.size() < static_cast<size_t>(max)) {
      const auto index = static_cast<size_t>(group.next[p] - partition.first);
      taken.push_back({partition.messages[index].message, ToText({p, group.next[p], member})});
      ++group.next[p];
    }
  }
  return taken;
}

Result<void> Topic::Acknowledge(const std::string& group_name, Member member,
                                std::span<const Delivery> deliveries) {
  Group& group = groups_.at(group_name);
  for (const Delivery& delivery : deliveries) {
    const auto position = ReadPosition(delivery.position);
    if (!position || position->partition >= partitions_.size() ||
        position->offset >= partitions_[position->partition].end()) {
      return Error(Code::kInvalid,
                   "acknowledging \"" + delivery.position + "\": no position of this topic");
    }
    const size_t p = position->partition;
    if (position->member != member || !group.Owns(member, p)) continue;
    group.acknowledged[p] = std::max(group.acknowledged[p], position->offset + 1);
    group.next[p] = std::max(group.next[p], group.acknowledged[p]);
  }
  DropAcknowledged();
  return {};
}

void Topic::DropFront(Partition& partition) {
  partition.messages.pop_front();
  ++partition.first;
  --kept_;
}

void Topic::DropAcknowledged() {
  if (groups_.empty()) return;
  for (size_t p = 0; p < partitions_.size(); ++p) {
    int64_t needed = partitions_[p].end();
    for (const auto& [name, group] : groups_) needed = std::min(needed, group.acknowledged[p]);
    while (partitions_[p].first < needed) DropFront(partitions_[p]);
  }
}

int64_t Topic::NeededByTheLiving(size_t partition) const {
  int64_t needed = std::numeric_limits<int64_t>::max();
  for (const auto& [name, group] : groups_) {
    if (!group.members.empty()) needed = std::min(needed, group.acknowledged[partition]);
  }
  return needed;
}

bool Topic::MakeRoom() {
  std::optional<size_t> oldest;
  for (size_t p = 0; p < partitions_.size(); ++p) {
    const Partition& partition = partitions_[p];
    if (partition.messages.empty() || partition.first >= NeededByTheLiving(p)) continue;
    if (!oldest ||
        partition.messages.front().sequence < partitions_[*oldest].messages.front().sequence) {
      oldest = p;
    }
  }
  if (!oldest) return false;
  Partition& partition = partitions_[*oldest];
  DropFront(partition);
  for (auto& [name, group] : groups_) {
    group.acknowledged[*oldest] = std::max(group.acknowledged[*oldest], partition.first);
    group.next[*oldest] = std::max(group.next[*oldest], partition.first);
  }
  return true;
}

}  // namespace a4c::memory
