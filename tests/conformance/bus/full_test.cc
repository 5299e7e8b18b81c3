// A full queue: said per message, never waited for, and over once there is room.
#include <algorithm>
#include <set>

#include "tests/conformance/bus/bus_fixture.h"

namespace a4c::conformance {
namespace {

constexpr int kFlood = 400'000;  // four times the largest queue that a conformance config may set

struct Flood {
  std::set<int> accepted;
  int full = 0;
  size_t calls_not_whole = 0;
};

// Publishes numbers in large calls until one is answered kFull, or kFlood were not enough.
Flood FillUp(Bus& bus, const std::string& topic) {
  constexpr int kPerCall = 50'000;
  Flood flood;
  for (int from = 0; from < kFlood && flood.full == 0; from += kPerCall) {
    const auto messages = Numbered(topic, "k", kPerCall, from);
    const auto outcomes = bus.Publish(Within(), messages);
    if (!outcomes || outcomes->size() != messages.size()) {
      ++flood.calls_not_whole;
      continue;
    }
    for (int i = 0; i < kPerCall; ++i) {
      if ((*outcomes)[static_cast<size_t>(i)] == PublishOutcome::kFull) {
        ++flood.full;
      } else {
        flood.accepted.insert(from + i);
      }
    }
  }
  return flood;
}

TEST(BusFull, IsSaidPerMessageAndWhatWasAcceptedArrivesAndNothingElse) {
  const auto bus = Make<Bus>();
  const std::string topic = Unique("full");
  const auto reader = Join(*bus, topic, "g");
  const Call generous = Within(60'000);
  const Flood flood = FillUp(*bus, topic);
  EXPECT_FALSE(generous.Expired()) << "publishing waited";
  EXPECT_EQ(flood.calls_not_whole, 0U);
  ASSERT_GT(flood.full, 0) << "the config of a conformance run bounds the queue to 100,000";
  ASSERT_FALSE(flood.accepted.empty());

  std::set<int> arrived;
  const Call patience = Within(120'000);
  while (arrived.size() < flood.accepted.size() && !patience.Expired()) {
    const auto got = reader->Poll(Within(1'000), 10'000);
    ASSERT_TRUE(got) << got.error().ToString();
    for (const std::string& payload : Payloads(*got)) arrived.insert(std::stoi(payload));
    Ack(*reader, *got);
  }
  EXPECT_TRUE(arrived == flood.accepted)
      << arrived.size() << " arrived, " << flood.accepted.size() << " were accepted";

  PublishAll(*bus, Numbered(topic, "k", 1, kFlood));
  const auto got = Take(*reader, 1);
  ASSERT_EQ(got.size(), 1U) << "there is room again";
  EXPECT_EQ(got[0].message.payload, std::to_string(kFlood));
}

}  // namespace
}  // namespace a4c::conformance
