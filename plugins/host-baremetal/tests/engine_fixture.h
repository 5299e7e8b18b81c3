// A provider of one server, "one", whose dockerd is only pretended.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "baremetal_host_provider.h"
#include "tests/fake_engine.h"
#include "tests/test_runtime.h"

namespace a4c::baremetal {

class EngineTest : public ::testing::Test {
 protected:
  EngineTest()
      : engine_(TestRuntime().threads, (std::filesystem::temp_directory_path() /
                                        ("a4c-engine-" + std::to_string(getpid()) + ".sock"))
                                           .string()) {
    options_.cluster = "test";
    options_.servers = {{.id = "one",
                         .address = "unix://" + engine_.path(),
                         .user = {},
                         .host_key_fingerprint = {},
                         .private_key_path = {},
                         .docker_socket = {},
                         .disk_path = {}}};
    options_.connect_timeout_ms = 5'000;
    options_.keepalive_interval_ms = 5'000;
    options_.clock_difference_max_ms = 5'000;
    options_.sessions_max = 4;
    options_.streams_max = 1;
    options_.terminals_max = 2;
    options_.breaker_failures = 3;
    options_.session_idle_max_ms = 60'000;
    options_.reply_bytes_max = 1 << 20;
    options_.volume_copy_bytes_max = 1 << 20;
    provider_ = NewBaremetalHostProvider(TestRuntime(), options_);
  }

  FakeEngine engine_;
  BaremetalOptions options_;
  std::unique_ptr<HostProvider> provider_;
};

}  // namespace a4c::baremetal
