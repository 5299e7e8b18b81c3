// Polling: waits for something, for the deadline or for stop, and no longer.
#include "tests/conformance/bus/bus_fixture.h"

namespace a4c::conformance {
namespace {

TEST(BusPoll, OfAnEmptyTopicIsEmptyAtTheDeadline) {
  const auto bus = Make<Bus>();
  const auto reader = Join(*bus, Unique("empty"), "g");
  const Call call = Within(300);
  const auto got = reader->Poll(call, 10);
  ASSERT_TRUE(got) << got.error().ToString();
  EXPECT_TRUE(got->empty());
  EXPECT_TRUE(call.Expired());
}

TEST(BusPoll, PastItsDeadlineReturnsAtOnce) {
  const auto bus = Make<Bus>();
  const auto reader = Join(*bus, Unique("late"), "g");
  const Call generous = Within(20'000);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(reader->Poll(Within(0), 10));
  EXPECT_FALSE(generous.Expired());
}

TEST(BusPoll, EndsSoonAfterTheCallerAsksItToStop) {
  const auto bus = Make<Bus>();
  const auto reader = Join(*bus, Unique("stopped"), "g");
  const Call generous = Within(60'000);
  const auto thread = TheRuntime().threads.Start("poller", [&](std::stop_token stop) {
    const auto got = reader->Poll(Call::Within(TheRuntime().clock, 600'000, stop), 10);
    EXPECT_TRUE(got && got->empty());
  });
  thread->RequestStop();
  thread->Join();
  EXPECT_FALSE(generous.Expired());
}

TEST(BusPoll, WaitsForATopicThatDoesNotExistYet) {
  const auto bus = Make<Bus>();
  const std::string topic = Unique("not-yet");
  const auto reader = Join(*bus, topic, "g");
  EXPECT_TRUE(reader->Poll(Within(100), 10)->empty());
  const auto thread = TheRuntime().threads.Start(
      "publisher", [&](std::stop_token) { PublishAll(*bus, Numbered(topic, "k", 1)); });
  EXPECT_EQ(Payloads(Take(*reader, 1)), std::vector<std::string>{"0"});
}

TEST(BusPoll, GivesAtMostAsManyAsAskedForAndAtLeastOneMessage) {
  const auto bus = Make<Bus>();
  const std::string topic = Unique("some");
  const auto reader = Join(*bus, topic, "g");
  PublishAll(*bus, Numbered(topic, "k", 10));
  std::vector<std::string> all;
  const Call patience = Within(60'000);
  while (all.size() < 10 && !patience.Expired()) {
    const auto got = reader->Poll(Within(1'000), 3);
    ASSERT_TRUE(got) << got.error().ToString();
    ASSERT_LE(got->size(), 3U);
    for (const std::string& payload : Payloads(*got)) all.push_back(payload);
  }
  EXPECT_EQ(all, (std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}));
}

TEST(BusPoll, RefusesToGiveNone) {
  const auto bus = Make<Bus>();
  const auto reader = Join(*bus, Unique("none"), "g");
  const auto got = reader->Poll(Within(100), 0);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), Code::kInvalid);
}

}  // namespace
}  // namespace a4c::conformance
