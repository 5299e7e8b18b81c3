// Ensure over a dockerd that is only pretended: the states that a real one shows for a moment only.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "a4c/sinks.h"
#include "baremetal_host_provider.h"
#include "fake_engine.h"

namespace a4c::baremetal {
namespace {

const Runtime& TestRuntime() {
  static const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  return runtime;
}

class EngineEnsure : public ::testing::TestWithParam<const char*> {};

// A kill of dockerd in the middle of a removal leaves a container that it calls dead, and goes on
// calling dead.
TEST_P(EngineEnsure, AContainerWhoseRemovalWasCutShortIsRemovedAndMadeAnew) {
  FakeEngine engine(TestRuntime().threads, (std::filesystem::temp_directory_path() /
                                            ("a4c-ensure-" + std::to_string(getpid()) + ".sock"))
                                               .string());
  engine.SetState(GetParam());
  BaremetalOptions options;
  options.cluster = "test";
  options.servers = {{.id = "one",
                      .address = "unix://" + engine.path(),
                      .user = {},
                      .host_key_fingerprint = {},
                      .private_key_path = {},
                      .docker_socket = {},
                      .disk_path = {}}};
  options.connect_timeout_ms = 5'000;
  options.keepalive_interval_ms = 5'000;
  options.sessions_max = 4;
  options.breaker_failures = 3;
  options.session_idle_max_ms = 60'000;
  options.reply_bytes_max = 1 << 20;
  const auto provider = NewBaremetalHostProvider(TestRuntime(), options);
  const auto status =
      provider->Ensure(Call::Within(TestRuntime().clock, 30'000),
                       {.host = "one",
                        .name = "unit-1",
                        .epoch = 1,
                        .spec = {.image = "busybox:local", .command = {"sleep", "600"}}});
  ASSERT_TRUE(status) << status.error().ToString();
  EXPECT_EQ(status->state, UnitState::kRunning);
  const std::string heard = engine.Heard();
  const size_t removed = heard.find("/containers/c1?force=1");
  ASSERT_NE(removed, std::string::npos);
  EXPECT_GT(heard.find("/containers/create?name=unit-1"), removed);
}

INSTANTIATE_TEST_SUITE_P(, EngineEnsure, ::testing::Values("dead", "removing"));

}  // namespace
}  // namespace a4c::baremetal
