#include "a4c/resolve.h"

#include <gtest/gtest.h>

#include "a4c/sinks.h"
#include "tests/support/fake_clock.h"
#include "tests/support/silent_names.h"

namespace a4c {
namespace {

const Runtime& TheRuntime() {
  static const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  return runtime;
}

Call Within(int64_t timeout_ms) {
  return Call::Within(TheRuntime().clock, timeout_ms);
}

TEST(ResolveHost, AnAddressIsAnsweredAsItIs) {
  EXPECT_EQ(*ResolveHost(Within(0), "10.0.0.7"), std::vector<std::string>{"10.0.0.7"});
  EXPECT_EQ(*ResolveHost(Within(0), "::1"), std::vector<std::string>{"::1"});
}

TEST(ResolveHost, ANameBecomesAddressesThatAreNumbers) {
  const auto addresses = ResolveHost(Within(60'000), "localhost");
  ASSERT_TRUE(addresses) << addresses.error().ToString();
  for (const std::string& address : *addresses) {
    EXPECT_TRUE(ResolveHost(Within(0), address)) << address;
  }
}

TEST(ResolveHost, ANameThatIsNotThereIsUnavailable) {
  for (const char* host : {"", "absent.silent.test"}) {
    const auto addresses = ResolveHost(Within(60'000), host);
    ASSERT_FALSE(addresses) << host;
    EXPECT_EQ(addresses.error().code(), Code::kUnavailable) << addresses.error().ToString();
    EXPECT_FALSE(addresses.error().hint().empty());
  }
}

TEST(ResolveHost, SilentNameServersEndWithTheCall) {
  const testing::SilentNames silent;
  const auto addresses = ResolveHost(Within(20), "one.silent.test");
  ASSERT_FALSE(addresses);
  EXPECT_EQ(addresses.error().code(), Code::kTimeout);
  EXPECT_TRUE(addresses.error().retryable());
  EXPECT_EQ(addresses.error().message(), "the name one.silent.test was not resolved in time");
  EXPECT_FALSE(addresses.error().hint().empty());
}

TEST(ResolveHost, ACallerThatGoesDoesNotWait) {
  const testing::SilentNames silent;
  std::stop_source stop;
  stop.request_stop();
  const auto addresses =
      ResolveHost(Call::Within(TheRuntime().clock, 60'000, stop.get_token()), "two.silent.test");
  ASSERT_FALSE(addresses);
  EXPECT_EQ(addresses.error().code(), Code::kCanceled);
}

TEST(ResolveHost, LookupsThatWereGivenUpAreSharedAndBounded) {
  const testing::SilentNames silent;
  for (int i = 0; i < 40; ++i) {
    const std::string host = "host-" + std::to_string(i % 20) + ".silent.test";
    EXPECT_EQ(ResolveHost(Within(5), host).error().code(), Code::kTimeout);
  }
  EXPECT_LE(silent.Asked(), 16);
  EXPECT_TRUE(ResolveHost(Within(0), "127.0.0.1")) << "what asks nobody needs no room";
}

TEST(ResolveHost, RoomComesBackWhenTheNameServersAnswer) {
  {
    const testing::SilentNames silent;
    for (int i = 0; i < 20; ++i) {
      (void)ResolveHost(Within(1), "room-" + std::to_string(i) + ".silent.test");
    }
  }
  const auto addresses = ResolveHost(Within(60'000), "room.silent.test");
  ASSERT_FALSE(addresses);
  EXPECT_EQ(addresses.error().code(), Code::kUnavailable) << "asked, and refused";
}

}  // namespace
}  // namespace a4c
