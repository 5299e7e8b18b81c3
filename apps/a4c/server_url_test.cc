#include "apps/a4c/server_url.h"

#include <gtest/gtest.h>

namespace a4c_cli {
namespace {

TEST(ServerUrl, HasASchemeAHostAPortAndAPrefix) {
  const auto plain = ParseServerUrl("http://127.0.0.1:7070");
  ASSERT_TRUE(plain);
  EXPECT_FALSE(plain->tls);
  EXPECT_EQ(plain->host, "127.0.0.1");
  EXPECT_EQ(plain->port, 7070);
  EXPECT_EQ(plain->prefix, "");
  const auto gateway = ParseServerUrl("https://gw.example/of/a%20team/");
  ASSERT_TRUE(gateway);
  EXPECT_TRUE(gateway->tls);
  EXPECT_EQ(gateway->host, "gw.example");
  EXPECT_EQ(gateway->port, 443);
  EXPECT_EQ(gateway->prefix, "/of/a%20team");
  const auto six = ParseServerUrl("https://[::1]:8443");
  ASSERT_TRUE(six);
  EXPECT_EQ(six->host, "::1");
  EXPECT_EQ(six->port, 8443);
}

TEST(ServerUrl, AnythingElseIsRefusedAndNoPasswordIsRepeated) {
  for (const char* url : {"", "gw.example", "ftp://gw.example", "https://", "https://gw/?a=b",
                          "https://gw/#a", "http://gw:port"}) {
    const auto parsed = ParseServerUrl(url);
    ASSERT_FALSE(parsed) << url;
    EXPECT_NE(parsed.error().message().find(url), std::string::npos);
  }
  const auto parsed = ParseServerUrl("https://ada:geheim@gw.example");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().ToString().find("geheim"), std::string::npos);
}

TEST(ServerUrl, KnowsWhatStaysOnThisMachine) {
  for (const char* url : {"http://localhost:1", "http://127.9.9.9:1", "http://[::1]:1"}) {
    EXPECT_TRUE(ParseServerUrl(url)->IsLoopback()) << url;
  }
  for (const char* url : {"http://10.0.0.1:1", "http://localhost.example:1", "http://[::2]:1"}) {
    EXPECT_FALSE(ParseServerUrl(url)->IsLoopback()) << url;
  }
}

}  // namespace
}  // namespace a4c_cli
