// Groups: each gets everything, its members share it, and where it starts.
#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "tests/conformance/bus/bus_fixture.h"

namespace a4c::conformance {
namespace {

using Texts = std::vector<std::string>;

std::set<std::string> Distinct(const Texts& texts) {
  return {texts.begin(), texts.end()};
}

// What two members got of one round of messages.
struct Round {
  Texts first;
  Texts second;
  size_t deliveries() const { return first.size() + second.size(); }
  size_t distinct() const {
    auto all = Distinct(first);
    all.insert(second.begin(), second.end());
    return all.size();
  }
};

std::vector<Delivery> PollAndAck(Subscription& subscription, int64_t timeout_ms, int max) {
  auto deliveries = subscription.Poll(Within(timeout_ms), max);
  if (!deliveries) return {};
  Ack(subscription, *deliveries);
  return *std::move(deliveries);
}

void PollAndAck(Subscription& subscription, Texts& got) {
  std::ranges::copy(Payloads(PollAndAck(subscription, 200, 1000)), std::back_inserter(got));
}

// Publishes n messages and lets both members poll until all have come, and then once more each.
Round OneRound(Bus& bus, const std::string& topic, Subscription& first, Subscription& second,
               int n) {
  PublishAll(bus, ManyKeys(topic, n, Unique("round")));
  Round round;
  const Call patience = Within(60'000);
  while (round.distinct() < static_cast<size_t>(n) && !patience.Expired()) {
    PollAndAck(first, round.first);
    PollAndAck(second, round.second);
  }
  PollAndAck(first, round.first);
  PollAndAck(second, round.second);
  return round;
}

// Rounds until both members take part. Messages of a round may come twice while members join.
bool Settle(Bus& bus, const std::string& topic, Subscription& first, Subscription& second) {
  const Call patience = Within(60'000);
  while (!patience.Expired()) {
    const Round round = OneRound(bus, topic, first, second, 40);
    if (!round.first.empty() && !round.second.empty() && round.deliveries() == 40) return true;
  }
  return false;
}

TEST(BusGroups, EachGetsEverything) {
  const auto bus = Make<Bus>();
  const std::string topic = Unique("groups");
  const auto one = Join(*bus, topic, "one");
  const auto two = Join(*bus, topic, "two");
  PublishAll(*bus, ManyKeys(topic, 100));
  const auto of_one = Take(*one, 100);
  Ack(*one, of_one);
  const auto of_two = Take(*two, 100);
  EXPECT_EQ(Distinct(Payloads(of_one)).size(), 100U);
  EXPECT_EQ(Distinct(Payloads(of_two)).size(), 100U);
}

TEST(BusGroups, MembersShareAndEachMessageGoesToOneOfThem) {
  const auto bus = Make<Bus>();
  const std::string topic = Unique("members");
  const auto first = Join(*bus, topic, "g");
  const auto second = Join(*bus, topic, "g");
  ASSERT_TRUE(Settle(*bus, topic, *first, *second));
  const Round round = OneRound(*bus, topic, *first, *second, 200);
  EXPECT_EQ(round.distinct(), 200U);
  EXPECT_EQ(round.deliveries(), 200U);
  EXPECT_FALSE(round.first.empty());
  EXPECT_FALSE(round.second.empty());
}

// The members take turns at a few messages each: one queue for both would spread a key over them.
TEST(BusGroups, OfOneKeyAllGoesToOneMemberInOrder) {
  constexpr int kKeys = 20;
  constexpr int kPerKey = 6;
  const auto bus = Make<Bus>();
  const std::string topic = Unique("keys");
  const auto first = Join(*bus, topic, "g");
  const auto second = Join(*bus, topic, "g");
  ASSERT_TRUE(Settle(*bus, topic, *first, *second));
  for (int k = 0; k < kKeys; ++k) {
    PublishAll(*bus, Numbered(topic, "of" + std::to_string(k), kPerKey));
  }
  std::map<std::string, std::map<const Subscription*, Texts>> got;
  size_t count = 0;
  const Call patience = Within(60'000);
  while (count < size_t{kKeys} * kPerKey && !patience.Expired()) {
    for (Subscription* const member : {first.get(), second.get()}) {
      for (const Delivery& delivery : PollAndAck(*member, 20, 3)) {
        if (!delivery.message.key.starts_with("of")) continue;  // left over from settling
        got[delivery.message.key][member].push_back(delivery.message.payload);
        ++count;
      }
    }
  }
  EXPECT_EQ(got.size(), size_t{kKeys});
  for (const auto& [key, by_member] : got) {
    EXPECT_EQ(by_member.size(), 1U) << key << " went to both";
    EXPECT_EQ(by_member.begin()->second, (Texts{"0", "1", "2", "3", "4", "5"})) << key;
  }
}

TEST(BusGroups, AMemberThatLeavesHandsItsShareOver) {
  const auto bus = Make<Bus>();
  const std::string topic = Unique("leaving");
  auto first = Join(*bus, topic, "g");
  const auto second = Join(*bus, topic, "g");
  ASSERT_TRUE(Settle(*bus, topic, *first, *second));
  first.reset();
  PublishAll(*bus, ManyKeys(topic, 100, "after"));
  const auto got =
      TakeUntil(*second, [](const auto& all) { return Distinct(Payloads(all)).size() >= 100; });
  EXPECT_EQ(Distinct(Payloads(got)).size(), 100U);
}

TEST(BusStartAt, EarliestBeginsWithWhatIsThere) {
  const auto bus = Make<Bus>();
  const std::string topic = Unique("earliest");
  PublishAll(*bus, Numbered(topic, "k", 5));
  const auto reader = Join(*bus, topic, "g", StartAt::kEarliest);
  PublishAll(*bus, Numbered(topic, "k", 5, 5));
  EXPECT_EQ(Payloads(Take(*reader, 10)), (Texts{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}));
}

TEST(BusStartAt, LatestBeginsWithWhatIsPublishedAfterSubscribing) {
  const auto bus = Make<Bus>();
  const std::string topic = Unique("latest");
  PublishAll(*bus, Numbered(topic, "k", 5));
  const auto reader = Join(*bus, topic, "g", StartAt::kLatest);
  PublishAll(*bus, Numbered(topic, "k", 5, 5));
  EXPECT_EQ(Payloads(Take(*reader, 5)), (Texts{"5", "6", "7", "8", "9"}));
  EXPECT_TRUE(Rest(*reader).empty());
}

TEST(BusStartAt, DoesNotMoveAGroupThatHasAPosition) {
  const auto bus = Make<Bus>();
  const std::string topic = Unique("position");
  PublishAll(*bus, Numbered(topic, "k", 2));
  Join(*bus, topic, "g", StartAt::kLatest);  // leaves at once, without having polled
  PublishAll(*bus, Numbered(topic, "k", 2, 2));
  {
    const auto reader = Join(*bus, topic, "g", StartAt::kLatest);
    const auto got = Take(*reader, 2);
    EXPECT_EQ(Payloads(got), (Texts{"2", "3"}));
    Ack(*reader, got);
  }
  const auto reader = Join(*bus, topic, "g", StartAt::kEarliest);
  PublishAll(*bus, Numbered(topic, "k", 1, 4));
  EXPECT_EQ(Payloads(Take(*reader, 1)), Texts{"4"});
}

TEST(BusSubscribe, RefusesWhatIsNoTopicOrGroup) {
  const auto bus = Make<Bus>();
  for (const char* topic : {"", "Upper", "dot.ted"}) {
    const auto reader = bus->Subscribe(Within(), topic, "g", StartAt::kEarliest);
    ASSERT_FALSE(reader) << topic;
    EXPECT_EQ(reader.error().code(), Code::kInvalid) << reader.error().ToString();
  }
  const auto reader = bus->Subscribe(Within(), Unique("topic"), "", StartAt::kEarliest);
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code(), Code::kInvalid) << reader.error().ToString();
}

}  // namespace
}  // namespace a4c::conformance
