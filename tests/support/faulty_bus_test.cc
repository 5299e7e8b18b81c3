#include "tests/support/faulty_bus.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "a4c/memory.h"
#include "tests/support/fake_clock.h"

namespace a4c::testing {
namespace {

using Texts = std::vector<std::string>;

class FaultyBusTest : public ::testing::Test {
 protected:
  static std::vector<Message> Messages(int keys, int per_key) {
    std::vector<Message> messages;
    for (int i = 0; i < per_key; ++i) {
      for (int k = 0; k < keys; ++k) {
        messages.push_back({"t", "k" + std::to_string(k), std::to_string(i)});
      }
    }
    return messages;
  }
  FaultyBus& With(FaultScript script) {
    policy_ = NewScriptedFaults(fake_.runtime(), std::move(script));
    bus_ = std::make_unique<FaultyBus>(*inner_, *policy_, fake_.runtime());
    return *bus_;
  }
  std::unique_ptr<Subscription> Join(Bus& bus) {
    return *bus.Subscribe(fake_.Within(0), "t", "g", StartAt::kEarliest);
  }
  Texts Take(Subscription& subscription) {
    Texts payloads;
    const auto got = subscription.Poll(fake_.Within(0), 1'000);
    for (const Delivery& delivery : *got) payloads.push_back(delivery.message.payload);
    return payloads;
  }

  FakeRuntime fake_{1, Passing::kAtWaits};
  std::unique_ptr<Bus> inner_ =
      NewMemoryBus(fake_.runtime(), {.queue_messages_max = 100, .partitions = 1});
  std::unique_ptr<FaultPolicy> policy_;
  std::unique_ptr<FaultyBus> bus_;
};

TEST_F(FaultyBusTest, ADroppedPublishIsSaidToBeAccepted) {
  FaultyBus& bus = With({{"Bus.Publish", {{Fault::kDrop}}}});
  const auto reader = Join(bus);
  const auto outcomes = bus.Publish(fake_.Within(0), Messages(1, 2));
  EXPECT_EQ(*outcomes, std::vector<PublishOutcome>(2, PublishOutcome::kAccepted));
  EXPECT_TRUE(Take(*reader).empty());
}

TEST_F(FaultyBusTest, ADuplicatedPublishArrivesTwice) {
  FaultyBus& bus = With({{"Bus.Publish", {{Fault::kDuplicate}}}});
  const auto reader = Join(bus);
  EXPECT_TRUE(bus.Publish(fake_.Within(0), Messages(1, 2)));
  EXPECT_EQ(Take(*reader), (Texts{"0", "1", "0", "1"}));
}

TEST_F(FaultyBusTest, AReorderedPublishKeepsTheOrderOfEachKey) {
  FaultyBus& bus = With({{"Bus.Publish", {{.fault = Fault::kReorder, .bits = 5}}}});
  const auto reader = Join(bus);
  const auto messages = Messages(4, 10);
  EXPECT_TRUE(bus.Publish(fake_.Within(0), messages));
  const auto got = *reader->Poll(fake_.Within(0), 1'000);
  ASSERT_EQ(got.size(), messages.size());
  std::map<std::string, int> next;
  bool same_order = true;
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(std::stoi(got[i].message.payload), next[got[i].message.key]++);
    same_order &= got[i].message.key == messages[i].key;
  }
  EXPECT_FALSE(same_order);
}

TEST_F(FaultyBusTest, OutcomesOfAReorderedPublishBelongToTheirMessages) {
  FaultyBus& bus = With({{"Bus.Publish", {{.fault = Fault::kReorder, .bits = 5}}}});
  const auto reader = Join(bus);
  const auto messages = Messages(60, 2);  // 20 more than the queue takes
  const auto outcomes = *bus.Publish(fake_.Within(0), messages);
  std::map<std::pair<std::string, std::string>, PublishOutcome> expected;
  for (size_t i = 0; i < messages.size(); ++i) {
    expected[{messages[i].key, messages[i].payload}] = outcomes[i];
  }
  const auto got = *reader->Poll(fake_.Within(0), 1'000);
  for (const Delivery& delivery : got) {
    const auto found = expected.find({delivery.message.key, delivery.message.payload});
    ASSERT_NE(found, expected.end());
    EXPECT_EQ(found->second, PublishOutcome::kAccepted);
    expected.erase(found);
  }
  for (const auto& [message, outcome] : expected) EXPECT_EQ(outcome, PublishOutcome::kFull);
  EXPECT_EQ(expected.size(), 20U);
}

TEST_F(FaultyBusTest, ARebalanceBringsBackWhatWasNotAcknowledged) {
  FaultyBus& bus = With({{"Subscription.Poll", {{}, {Fault::kRebalance}}}});
  const auto reader = Join(bus);
  EXPECT_TRUE(bus.Publish(fake_.Within(0), Messages(1, 3)));
  const auto got = *reader->Poll(fake_.Within(0), 1'000);
  ASSERT_EQ(got.size(), 3U);
  ASSERT_TRUE(reader->Ack(fake_.Within(0), std::span(got).first(1)));
  EXPECT_EQ(Take(*reader), (Texts{"1", "2"}));
}

TEST_F(FaultyBusTest, ALostAcknowledgementLetsTheDeliveryComeAgain) {
  FaultyBus& bus = With({{"Subscription.Ack", {{Fault::kDrop}}}});
  auto reader = Join(bus);
  EXPECT_TRUE(bus.Publish(fake_.Within(0), Messages(1, 1)));
  ASSERT_TRUE(reader->Ack(fake_.Within(0), *reader->Poll(fake_.Within(0), 10)));
  reader = nullptr;
  EXPECT_EQ(Take(*Join(bus)), Texts{"0"});
}

TEST_F(FaultyBusTest, AnAcknowledgementCanBeDoneAndNotBeKnown) {
  FaultyBus& bus = With({{"Subscription.Ack", {{Fault::kUnknownAfter}}}});
  auto reader = Join(bus);
  EXPECT_TRUE(bus.Publish(fake_.Within(0), Messages(1, 1)));
  const auto acked = reader->Ack(fake_.Within(0), *reader->Poll(fake_.Within(0), 10));
  EXPECT_EQ(acked.error().code(), Code::kUnknownOutcome);
  reader = nullptr;
  EXPECT_TRUE(Take(*Join(bus)).empty());
}

TEST_F(FaultyBusTest, CallsFail) {
  FaultyBus& bus = With({{"Bus.Publish", {{Fault::kError}}},
                         {"Bus.Flush", {{Fault::kError}}},
                         {"Bus.Subscribe", {{Fault::kError}}},
                         {"Subscription.Poll", {{Fault::kError}}}});
  EXPECT_EQ(bus.Publish(fake_.Within(0), Messages(1, 1)).error().code(), Code::kUnavailable);
  EXPECT_EQ(bus.Flush(fake_.Within(0)).error().code(), Code::kUnavailable);
  const auto refused = bus.Subscribe(fake_.Within(0), "t", "g", StartAt::kEarliest);
  EXPECT_EQ(refused.error().code(), Code::kUnavailable);
  const auto reader = Join(bus);
  EXPECT_EQ(reader->Poll(fake_.Within(0), 1).error().code(), Code::kUnavailable);
  EXPECT_TRUE(Take(*reader).empty()) << "what was refused was not published";
}

}  // namespace
}  // namespace a4c::testing
