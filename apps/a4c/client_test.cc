#include "apps/a4c/client.h"

#include <gtest/gtest.h>

#include "a4c/sinks.h"
#include "tests/support/silent_names.h"

namespace a4c_cli {
namespace {

const a4c::Runtime& TheRuntime() {
  static const a4c::Runtime runtime = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
  return runtime;
}

TEST(Client, NameServersThatAreSilentEndWithTheTimeThatWasGiven) {
  const a4c::testing::SilentNames silent;
  for (const char* url : {"http://a4cd.silent.test:7070", "https://a4cd.silent.test"}) {
    const auto client = NewClient({.url = url, .api_key = "", .timeout_ms = 20}, TheRuntime());
    ASSERT_TRUE(client);
    const auto reply = (*client)->Send({.method = "GET", .path = "/livez"});
    ASSERT_FALSE(reply) << url;
    EXPECT_EQ(reply.error().code(), a4c::Code::kTimeout);
    EXPECT_NE(reply.error().message().find(url), std::string::npos) << reply.error().ToString();
    EXPECT_NE(reply.error().hint().find("/etc/resolv.conf"), std::string::npos);
    EXPECT_FALSE((*client)->Switch("/v1/sessions", "a4c"));
    EXPECT_FALSE((*client)->Upload({.method = "PUT", .path = "/v1/images"}, 0,
                                   [] { return std::string(); }));
  }
}

}  // namespace
}  // namespace a4c_cli
