#include "apps/a4cd/config/trusted_proxies.h"

#include <gtest/gtest.h>

namespace a4cd {
namespace {

std::string Client(const std::vector<std::string>& trusted, const std::string& peer,
                   const std::string& forwarded_for) {
  const auto proxies = TrustedProxies::Parse(trusted);
  return proxies ? proxies->ClientOf(Poco::Net::IPAddress(peer), forwarded_for)
                 : proxies.error().message();
}

TEST(TrustedProxies, ByDefaultWhatAClientSaysOfItselfCountsForNothing) {
  EXPECT_EQ(Client({}, "192.0.2.1", "203.0.113.9"), "192.0.2.1");
}

TEST(TrustedProxies, TheGatewaysWordIsTaken) {
  EXPECT_EQ(Client({"192.0.2.1"}, "192.0.2.1", "203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(Client({"192.0.2.0/24"}, "192.0.2.77", " 2001:db8::1 "), "2001:db8::1");
  EXPECT_EQ(Client({"192.0.2.0/24"}, "192.0.3.1", "203.0.113.9"), "192.0.3.1");
  EXPECT_EQ(Client({"fd00::/8"}, "fd12::1", "203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(Client({"fd00::/8"}, "fe80::1", "203.0.113.9"), "fe80::1");
  EXPECT_EQ(Client({"0.0.0.0/0"}, "192.0.2.1", ""), "192.0.2.1");
}

TEST(TrustedProxies, OfSeveralProxiesTheNearestThatIsNotOursIsTheClient) {
  EXPECT_EQ(Client({"10.0.0.0/8"}, "10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2"), "203.0.113.9");
  EXPECT_EQ(Client({"10.0.0.0/8"}, "10.0.0.1", "10.0.0.3,10.0.0.2"), "10.0.0.3");
}

TEST(TrustedProxies, AnAddressOfIpv4IsKnownInTheFormOfIpv6) {
  EXPECT_EQ(Client({"10.0.0.0/8"}, "::ffff:10.0.0.1", "::ffff:203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(Client({}, "::ffff:10.0.0.1", ""), "10.0.0.1");
}

TEST(TrustedProxies, WhatIsNoAddressLeavesThePeer) {
  for (const char* wrong : {"unknown", "203.0.113.9:443", "203.0.113.9,", ",", "<script>"}) {
    EXPECT_EQ(Client({"10.0.0.1"}, "10.0.0.1", wrong), "10.0.0.1") << wrong;
  }
}

TEST(TrustedProxies, WhatIsNoNetworkIsRefused) {
  for (const char* wrong : {"", "gateway", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "::/129"}) {
    EXPECT_FALSE(TrustedProxies::Parse({wrong})) << wrong;
  }
}

}  // namespace
}  // namespace a4cd
