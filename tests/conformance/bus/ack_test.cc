// What was acknowledged is not delivered again, what was not is.
#include <algorithm>

#include "tests/conformance/bus/bus_fixture.h"

namespace a4c::conformance {
namespace {

using Texts = std::vector<std::string>;

TEST(BusAck, WhatWasNotAcknowledgedComesAgain) {
  const auto bus = Make<Bus>();
  const std::string topic = Unique("again");
  PublishAll(*bus, Numbered(topic, "k", 10));
  EXPECT_EQ(Take(*Join(*bus, topic, "g"), 10).size(), 10U);
  EXPECT_EQ(Payloads(Take(*Join(*bus, topic, "g"), 10)),
            (Texts{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}));
}

TEST(BusAck, WhatWasAcknowledgedDoesNotComeAgainAndTheRestDoes) {
  const auto bus = Make<Bus>();
  const std::string topic = Unique("acked");
  auto reader = Join(*bus, topic, "g");
  PublishAll(*bus, Numbered(topic, "k", 10));
  const auto got = Take(*reader, 10);
  ASSERT_EQ(got.size(), 10U);
  Ack(*reader, std::span(got).first(4));
  reader = nullptr;
  reader = Join(*bus, topic, "g");
  EXPECT_EQ(Payloads(Take(*reader, 6)), (Texts{"4", "5", "6", "7", "8", "9"}));
}

TEST(BusAck, OfEverythingLeavesNothing) {
  const auto bus = Make<Bus>();
  const std::string topic = Unique("all-acked");
  auto reader = Join(*bus, topic, "g");
  PublishAll(*bus, ManyKeys(topic, 200));
  const auto got = Take(*reader, 200);
  ASSERT_EQ(got.size(), 200U);
  for (const Delivery& delivery : got) Ack(*reader, std::span(&delivery, 1));
  reader = nullptr;
  EXPECT_TRUE(Rest(*Join(*bus, topic, "g")).empty());
}

TEST(BusAck, OfADeliveryCoversThoseBeforeItOrIsAloneAsDeclared) {
  const auto bus = Make<Bus>();
  const std::string topic = Unique("cumulative");
  auto reader = Join(*bus, topic, "g");
  PublishAll(*bus, Numbered(topic, "k", 5));  // one key: one partition
  const auto got = Take(*reader, 5);
  ASSERT_EQ(got.size(), 5U);
  Ack(*reader, std::span(got).subspan(2, 1));
  reader = nullptr;
  reader = Join(*bus, topic, "g");
  const Texts expected = Absent("cumulative_ack") ? Texts{"0", "1", "3", "4"} : Texts{"3", "4"};
  EXPECT_EQ(Payloads(Take(*reader, expected.size())), expected);
}

TEST(BusAck, InAnyOrderAndTwiceNeverGoesBack) {
  const auto bus = Make<Bus>();
  const std::string topic = Unique("backwards");
  auto reader = Join(*bus, topic, "g");
  PublishAll(*bus, Numbered(topic, "k", 5));
  auto got = Take(*reader, 5);
  ASSERT_EQ(got.size(), 5U);
  std::ranges::reverse(got);
  Ack(*reader, got);
  for (const Delivery& delivery : got) Ack(*reader, std::span(&delivery, 1));
  reader = nullptr;
  EXPECT_TRUE(Rest(*Join(*bus, topic, "g")).empty());
}

TEST(BusAck, OfOneGroupIsNotThatOfAnother) {
  const auto bus = Make<Bus>();
  const std::string topic = Unique("apart");
  const auto one = Join(*bus, topic, "one");
  const auto two = Join(*bus, topic, "two");
  PublishAll(*bus, Numbered(topic, "k", 5));
  Ack(*one, Take(*one, 5));
  EXPECT_EQ(Take(*two, 5).size(), 5U);
}

TEST(BusAck, OfASubscriptionThatIsGoneMovesNothingOnItsSuccessor) {
  const auto bus = Make<Bus>();
  const std::string topic = Unique("successor");
  PublishAll(*bus, Numbered(topic, "k", 5));
  auto reader = Join(*bus, topic, "g");
  const auto got = Take(*reader, 5);
  ASSERT_EQ(got.size(), 5U);
  reader = nullptr;
  reader = Join(*bus, topic, "g");
  // Its turn begins as that of the first did, and it has got as far.
  ASSERT_EQ(Take(*reader, 5).size(), 5U);
  Ack(*reader, got);
  reader = nullptr;
  EXPECT_EQ(Payloads(Take(*Join(*bus, topic, "g"), 5)), (Texts{"0", "1", "2", "3", "4"}));
}

TEST(BusAck, OfNothingIsNothing) {
  const auto bus = Make<Bus>();
  EXPECT_TRUE(Join(*bus, Unique("nothing"), "g")->Ack(Within(), {}));
}

TEST(BusAck, RefusesWhatIsNoDeliveryOfThisTopic) {
  const auto bus = Make<Bus>();
  const std::string topic = Unique("foreign");
  const auto reader = Join(*bus, topic, "g");
  Delivery delivery{{topic, "k", "v"}, "no position"};
  auto acked = reader->Ack(Within(), std::span(&delivery, 1));
  ASSERT_FALSE(acked);
  EXPECT_EQ(acked.error().code(), Code::kInvalid) << acked.error().ToString();

  PublishAll(*bus, Numbered(topic, "k", 1));
  auto got = Take(*reader, 1);
  ASSERT_EQ(got.size(), 1U);
  got[0].message.topic = Unique("other");
  acked = reader->Ack(Within(), got);
  ASSERT_FALSE(acked);
  EXPECT_EQ(acked.error().code(), Code::kInvalid) << acked.error().ToString();
}

}  // namespace
}  // namespace a4c::conformance
