// What is published arrives, byte for byte, or is refused as a whole.
#include <algorithm>

#include "tests/conformance/bus/bus_fixture.h"

namespace a4c::conformance {
namespace {

using namespace std::string_literals;

// True if the headers that were published are there, in their order; a bus may have added others.
bool HasInOrder(const Message& got, const Message& published) {
  auto at = got.headers.begin();
  for (const auto& header : published.headers) {
    at = std::find(at, got.headers.end(), header);
    if (at == got.headers.end()) return false;
    ++at;
  }
  return true;
}

class BusRoundTrip : public testing::TestWithParam<Message> {};

TEST_P(BusRoundTrip, ArrivesByteForByte) {
  const auto bus = Make<Bus>();
  Message message = GetParam();
  message.topic = Unique("round-trip");
  const auto reader = Join(*bus, message.topic, "g");
  PublishAll(*bus, std::span(&message, 1));
  const auto got = Take(*reader, 1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].message.topic, message.topic);
  EXPECT_EQ(got[0].message.key, message.key);
  EXPECT_TRUE(got[0].message.payload == message.payload) << got[0].message.payload.size();
  EXPECT_TRUE(HasInOrder(got[0].message, message));
  EXPECT_FALSE(got[0].position.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Messages, BusRoundTrip,
    testing::Values(
        Message{"", "key", "payload", {{"b", "1"}, {"a", "2"}, {"b", "3"}, {"empty", ""}}},
        Message{"", "nul \0 inside"s, "\0\xff\xfe\0"s, {{"binary", "\0\x01\xff"s}}},
        Message{"", "key", ""}, Message{"", "", "no key"},
        Message{"", std::string(256, 'k'), std::string(100'000, '\xe9')},
        Message{"", "key", std::string(500 << 10, 'x'), {{"large", std::string(4 << 10, 'h')}}}));

TEST(BusPublish, GivesOneOutcomePerMessage) {
  const auto bus = Make<Bus>();
  const auto messages = Numbered(Unique("outcomes"), "k", 7);
  const auto outcomes = bus->Publish(Within(), messages);
  ASSERT_TRUE(outcomes) << outcomes.error().ToString();
  EXPECT_EQ(*outcomes, std::vector<PublishOutcome>(7, PublishOutcome::kAccepted));
}

TEST(BusPublish, OfNothingIsNothing) {
  const auto bus = Make<Bus>();
  const auto outcomes = bus->Publish(Within(), {});
  ASSERT_TRUE(outcomes) << outcomes.error().ToString();
  EXPECT_TRUE(outcomes->empty());
}

TEST(BusPublish, WithOneMessageThatIsNoMessagePublishesNone) {
  const auto bus = Make<Bus>();
  const std::string topic = Unique("refused");
  const auto reader = Join(*bus, topic, "g");
  std::vector<Message> bad(3, Message{topic, "k", "with a bad one"});
  for (const std::string& name : {""s, "Upper"s, "dot.ted"s, "sla/sh"s, std::string(201, 'a')}) {
    bad[1].topic = name;
    const auto outcomes = bus->Publish(Within(), bad);
    ASSERT_FALSE(outcomes) << name;
    EXPECT_EQ(outcomes.error().code(), Code::kInvalid) << outcomes.error().ToString();
  }
  bad[1] = {topic, "k", std::string(32 << 20, 'x')};
  const auto outcomes = bus->Publish(Within(), bad);
  ASSERT_FALSE(outcomes);
  EXPECT_EQ(outcomes.error().code(), Code::kInvalid) << outcomes.error().ToString();

  PublishAll(*bus, Numbered(topic, "k", 1));
  EXPECT_EQ(Payloads(Take(*reader, 1)), std::vector<std::string>{"0"});
}

TEST(BusPublish, GoesToTheTopicsNamed) {
  const auto bus = Make<Bus>();
  const std::string prefix = Unique("many");
  std::vector<Message> messages;
  for (int i = 0; i < 12; ++i) {
    const std::string topic = prefix + "_" + std::to_string(i);
    for (Message& message : Numbered(topic, topic, 3)) messages.push_back(std::move(message));
  }
  PublishAll(*bus, messages);
  for (int i = 0; i < 12; ++i) {
    const std::string topic = prefix + "_" + std::to_string(i);
    const auto got = Take(*Join(*bus, topic, "g"), 3);
    EXPECT_EQ(Payloads(got), (std::vector<std::string>{"0", "1", "2"})) << topic;
    for (const Delivery& delivery : got) EXPECT_EQ(delivery.message.key, topic);
  }
}

TEST(BusFlush, LeavesNothingQueued) {
  const auto bus = Make<Bus>();
  PublishAll(*bus, ManyKeys(Unique("flushed"), 500));
  const auto queued = bus->Flush(Within());
  ASSERT_TRUE(queued) << queued.error().ToString();
  EXPECT_EQ(*queued, 0);
}

TEST(BusInstances, ShareTheBackEndOrSayThatTheyDoNot) {
  const auto one = Make<Bus>();
  const auto other = Make<Bus>();
  const std::string topic = Unique("instances");
  const auto reader = Join(*other, topic, "g");
  PublishAll(*one, ManyKeys(topic, 20));
  if (Absent("shared_instances")) {
    EXPECT_TRUE(Rest(*reader).empty());
  } else {
    EXPECT_EQ(Take(*reader, 20).size(), 20U);
  }
}

}  // namespace
}  // namespace a4c::conformance
