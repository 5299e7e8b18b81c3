// What the memory bus does beyond the conformance suite: its bounds, and its waiting on virtual
// time.
#include <gtest/gtest.h>

#include <algorithm>

#include "a4c/memory.h"
#include "tests/support/fake_clock.h"

namespace a4c {
namespace {

using testing::FakeRuntime;

class MemoryBus : public ::testing::Test {
 protected:
  std::vector<PublishOutcome> Publish(Bus& bus, int from, int to, const std::string& key = "k") {
    std::vector<Message> messages;
    for (int i = from; i < to; ++i) messages.push_back({"t", key, std::to_string(i)});
    return *bus.Publish(fake_.Within(0), messages);
  }
  std::unique_ptr<Subscription> Join(Bus& bus, const std::string& group,
                                     StartAt start_at = StartAt::kEarliest) {
    return *bus.Subscribe(fake_.Within(0), "t", group, start_at);
  }
  std::vector<Delivery> Take(Subscription& subscription, int max = 100) {
    return *subscription.Poll(fake_.Within(0), max);
  }
  std::vector<std::string> Payloads(const std::vector<Delivery>& deliveries) {
    std::vector<std::string> payloads;
    for (const Delivery& delivery : deliveries) payloads.push_back(delivery.message.payload);
    return payloads;
  }

  FakeRuntime fake_;
  std::unique_ptr<Bus> bus_ = NewMemoryBus(fake_.runtime(), {.queue_messages_max = 3});
};

constexpr auto kAccepted = PublishOutcome::kAccepted;
constexpr auto kFull = PublishOutcome::kFull;
using Texts = std::vector<std::string>;
using Outcomes = std::vector<PublishOutcome>;

TEST_F(MemoryBus, IsFullOfWhatALivingGroupNeeds) {
  const auto reader = Join(*bus_, "g");
  EXPECT_EQ(Publish(*bus_, 0, 4), (Outcomes{kAccepted, kAccepted, kAccepted, kFull}));
  const auto got = Take(*reader);
  EXPECT_EQ(Publish(*bus_, 4, 5), Outcomes{kFull}) << "delivered is not acknowledged";
  ASSERT_TRUE(reader->Ack(fake_.Within(0), std::span(got).first(2)));
  EXPECT_EQ(Publish(*bus_, 5, 8), (Outcomes{kAccepted, kAccepted, kFull}));
  EXPECT_EQ(Payloads(Take(*reader)), (Texts{"5", "6"}));
}

TEST_F(MemoryBus, TheSlowestLivingGroupDecidesWhatIsKept) {
  const auto fast = Join(*bus_, "fast");
  const auto slow = Join(*bus_, "slow");
  Publish(*bus_, 0, 3);
  ASSERT_TRUE(fast->Ack(fake_.Within(0), Take(*fast)));
  EXPECT_EQ(Publish(*bus_, 3, 4), Outcomes{kFull});
  ASSERT_TRUE(slow->Ack(fake_.Within(0), Take(*slow)));
  EXPECT_EQ(Publish(*bus_, 3, 4), Outcomes{kAccepted});
}

TEST_F(MemoryBus, WithoutReadersTheLastMessagesAreKept) {
  EXPECT_EQ(std::ranges::count(Publish(*bus_, 0, 10), kAccepted), 10);
  EXPECT_EQ(Payloads(Take(*Join(*bus_, "g"))), (Texts{"7", "8", "9"}));
}

TEST_F(MemoryBus, WithoutReadersTheOldestOfAllPartitionsGivesWay) {
  for (int i = 0; i < 12; ++i) Publish(*bus_, i, i + 1, "key" + std::to_string(i));
  auto payloads = Payloads(Take(*Join(*bus_, "g")));
  std::ranges::sort(payloads);
  EXPECT_EQ(payloads, (Texts{"10", "11", "9"}));
}

TEST_F(MemoryBus, AGroupThatAllHaveLeftDoesNotStopTheLiving) {
  Join(*bus_, "gone");
  const auto living = Join(*bus_, "living");
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(Publish(*bus_, i, i + 1), Outcomes{kAccepted}) << i;
    ASSERT_TRUE(living->Ack(fake_.Within(0), Take(*living)));
  }
  EXPECT_EQ(Payloads(Take(*Join(*bus_, "gone"))), (Texts{"2", "3", "4"}));
}

TEST_F(MemoryBus, WhatAllGroupsHaveAcknowledgedIsDropped) {
  const auto reader = Join(*bus_, "g");
  Publish(*bus_, 0, 3);
  ASSERT_TRUE(reader->Ack(fake_.Within(0), Take(*reader)));
  EXPECT_TRUE(Take(*Join(*bus_, "late")).empty());
}

TEST_F(MemoryBus, AChangeOfMembersRedeliversWhatWasNotAcknowledged) {
  const auto first = Join(*bus_, "g");
  Publish(*bus_, 0, 3);
  const auto got = Take(*first);
  ASSERT_TRUE(first->Ack(fake_.Within(0), std::span(got).first(1)));
  const auto second = Join(*bus_, "g");
  auto again = Payloads(Take(*first));
  std::ranges::copy(Payloads(Take(*second)), std::back_inserter(again));
  EXPECT_EQ(again, (Texts{"1", "2"})) << "one of the two has the partition, and starts it anew";
}

TEST_F(MemoryBus, AnAcknowledgementOfAMovedPartitionHasNoEffect) {
  auto first = Join(*bus_, "g");
  const auto second = Join(*bus_, "g");
  for (int i = 0; i < 3; ++i) Publish(*bus_, i, i + 1, "key" + std::to_string(i));
  const size_t all = 3;
  auto of_first = Take(*first);
  auto of_second = Take(*second);
  ASSERT_EQ(of_first.size() + of_second.size(), all);
  ASSERT_TRUE(first->Ack(fake_.Within(0), of_second));
  ASSERT_TRUE(second->Ack(fake_.Within(0), of_first));
  first.reset();
  EXPECT_EQ(Take(*second).size(), all);
}

TEST_F(MemoryBus, RefusesPositionsThatAreNone) {
  const auto reader = Join(*bus_, "g");
  Publish(*bus_, 0, 1);
  Delivery delivery = Take(*reader).at(0);
  for (const char* position : {"", "x", "0", "0:", "0:0", "0:0:", "0:0:x", "0:x:1", "0:-1:1",
                               "0:0x:1", "0:0:1x", "99:0:1", "0:99:1", "-1:0:1"}) {
    delivery.position = position;
    const auto acked = reader->Ack(fake_.Within(0), std::span(&delivery, 1));
    ASSERT_FALSE(acked) << position;
    EXPECT_EQ(acked.error().code(), Code::kInvalid);
  }
}

TEST_F(MemoryBus, PollEndsWhenTimeReachesItsDeadline) {
  const auto reader = Join(*bus_, "g");
  const Call call = fake_.Within(5'000);
  bool empty = false;
  const auto thread = fake_.runtime().threads.Start(
      "poll", [&](std::stop_token) { empty = reader->Poll(call, 10)->empty(); });
  ASSERT_TRUE(fake_.clock().AwaitWaiting(1));
  fake_.clock().Advance(4'999);
  ASSERT_TRUE(fake_.clock().AwaitWaiting(1));
  fake_.clock().Advance(1);
  thread->Join();
  EXPECT_TRUE(empty);
}

TEST_F(MemoryBus, PollEndsWhenTheCallerStops) {
  const auto reader = Join(*bus_, "g");
  std::stop_source source;
  const Call call = fake_.Within(5'000, source.get_token());
  const auto thread = fake_.runtime().threads.Start(
      "poll", [&](std::stop_token) { EXPECT_TRUE(reader->Poll(call, 10)->empty()); });
  ASSERT_TRUE(fake_.clock().AwaitWaiting(1));
  source.request_stop();
  thread->Join();
  EXPECT_TRUE(reader->Poll(call, 10)->empty()) << "also if it was asked to stop before";
}

TEST_F(MemoryBus, PollGoesOnWhenSomethingIsPublished) {
  const auto reader = Join(*bus_, "g");
  Texts got;
  const Call call = fake_.Within(5'000);
  const auto thread = fake_.runtime().threads.Start(
      "poll", [&](std::stop_token) { got = Payloads(*reader->Poll(call, 10)); });
  ASSERT_TRUE(fake_.clock().AwaitWaiting(1));
  Publish(*bus_, 0, 1);
  thread->Join();
  EXPECT_EQ(got, Texts{"0"});
}

}  // namespace
}  // namespace a4c
