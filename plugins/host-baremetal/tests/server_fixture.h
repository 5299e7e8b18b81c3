// What the tests on real servers share.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "a4c/host_extensions.h"
#include "a4c/host_images.h"
#include "baremetal_config.h"
#include "baremetal_host_provider.h"
#include "baremetal_keys.h"
#include "docker/docker_connection.h"
#include "ssh/ssh_session.h"
#include "tests/test_runtime.h"

namespace a4c::baremetal {

inline std::string Word(const std::string& prefix) {
  return prefix + "-" + std::to_string(TestRuntime().random.Next() % 1'000'000'000);
}

// Servers from the file that this variable names, on which there is the image A4C_TEST_IMAGE.
class ServerTest : public ::testing::Test {
 protected:
  explicit ServerTest(const char* variable = "A4C_TEST_BAREMETAL_HOSTS") : variable_(variable) {}

  void SetUp() override {
    const char* file = std::getenv(variable_);
    if (file == nullptr) {
      const bool required = std::getenv("CI") != nullptr || std::getenv("A4C_REQUIRE_SERVERS");
      if (required) FAIL() << variable_ << " is not set";
      GTEST_SKIP() << variable_ << " is not set";
    }
    auto config = CheckConfig(ConfigValue::Map({{"servers_file", ConfigValue::Scalar(file)},
                                                {"cluster", ConfigValue::Scalar(Word("test"))},
                                                {"stop_timeout", ConfigValue::Scalar("1s")}}),
                              kBaremetalKeys);
    ASSERT_TRUE(config) << config.error().ToString();
    auto options = ReadBaremetalConfig(*config);
    ASSERT_TRUE(options) << options.error().ToString();
    options_ = *std::move(options);
    provider_ = NewBaremetalHostProvider(TestRuntime(), options_);
    const char* image = std::getenv("A4C_TEST_IMAGE");
    unit_ = {.host = options_.servers[0].id,
             .name = Word("unit"),
             .epoch = 1,
             .spec = {.image = image == nullptr ? "busybox:local" : image,
                      .command = {"sleep", "600"},
                      .memory_bytes = 64 << 20}};
  }
  void TearDown() override {
    if (provider_ == nullptr) return;
    const auto removed = provider_->Remove(Soon(), unit_.host, unit_.name, 1'000'000);
    EXPECT_TRUE(removed) << removed.error().ToString();
  }

  // What a server's dockerd answers, asked past the provider.
  std::string Ask(const DockerRequest& request, size_t at = 0) {
    auto session = ConnectSsh(Soon(), Target(at));
    EXPECT_TRUE(session) << session.error().ToString();
    auto channel = (*session)->OpenSocket(Soon(), options_.servers[at].docker_socket);
    EXPECT_TRUE(channel) << channel.error().ToString();
    DockerConnection docker(*std::move(channel), 1 << 20);
    auto reply = docker.Exchange(Soon(), request);
    EXPECT_TRUE(reply) << reply.error().ToString();
    return reply ? reply->body : "";
  }
  // The container as dockerd shows it.
  Json Inspect(const std::string& name) {
    auto json = ParseJson(Ask({.method = "GET", .target = "/containers/" + name + "/json"}));
    EXPECT_TRUE(json) << json.error().ToString();
    return json ? *std::move(json) : Json();
  }
  bool IsThere() {
    const auto listed = provider_->List(Soon(), unit_.host);
    EXPECT_TRUE(listed) << listed.error().ToString();
    return listed && std::ranges::count(*listed, unit_.name, &UnitStatus::name) == 1;
  }
  std::string Output(std::vector<std::string> command) {
    std::string output;
    const auto code = provider_->As<HostExec>()->Run(
        Soon(), {.host = unit_.host, .unit = unit_.name, .command = std::move(command)},
        [&](std::string_view piece) { output += piece; });
    EXPECT_TRUE(code) << code.error().ToString();
    return output;
  }
  SshTarget Target(size_t at = 0) const {
    const ServerOptions& server = options_.servers[at];
    return {.address = server.address,
            .port = server.port,
            .user = server.user,
            .host_key_fingerprint = server.host_key_fingerprint,
            .private_key_path = server.private_key_path};
  }

  const char* const variable_;
  BaremetalOptions options_;
  std::unique_ptr<HostProvider> provider_;
  Unit unit_;
};

}  // namespace a4c::baremetal
