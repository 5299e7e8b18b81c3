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

class EngineEnsure : public ::testing::Test {
 protected:
  EngineEnsure()
      : engine_(TestRuntime().threads, (std::filesystem::temp_directory_path() /
                                        ("a4c-ensure-" + std::to_string(getpid()) + ".sock"))
                                           .string()) {
    BaremetalOptions options;
    options.cluster = "test";
    options.servers = {{.id = "one",
                        .address = "unix://" + engine_.path(),
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
    provider_ = NewBaremetalHostProvider(TestRuntime(), options);
  }

  void ExpectRemovedAndMadeAnew() {
    const auto status =
        provider_->Ensure(Call::Within(TestRuntime().clock, 30'000),
                          {.host = "one",
                           .name = "unit-1",
                           .epoch = 1,
                           .spec = {.image = "busybox:local", .command = {"sleep", "600"}}});
    ASSERT_TRUE(status) << status.error().ToString();
    EXPECT_EQ(status->state, UnitState::kRunning);
    const std::string heard = engine_.Heard();
    const size_t removed = heard.find("/containers/c1?force=1");
    ASSERT_NE(removed, std::string::npos);
    EXPECT_NE(heard.find("/containers/create?name=unit-1", removed), std::string::npos);
  }

  FakeEngine engine_;
  std::unique_ptr<HostProvider> provider_;
};

// A kill of dockerd in the middle of a removal leaves a container that it calls dead, and goes on
// calling dead.
TEST_F(EngineEnsure, AContainerWhoseRemovalWasCutShortIsMadeAnew) {
  for (const char* state : {"dead", "removing"}) {
    SCOPED_TRACE(state);
    engine_.SetState(state);
    ExpectRemovedAndMadeAnew();
  }
}

// One in the middle of a start leaves a task that dockerd knows nothing of.
TEST_F(EngineEnsure, AContainerWhoseStartWasCutShortIsMadeAnew) {
  engine_.SetState("created");
  engine_.SetStartError("task c1: already exists");
  ExpectRemovedAndMadeAnew();
}

TEST_F(EngineEnsure, OneWhoseCommandCannotBeRunIsLeftAsItIs) {
  engine_.SetState("created");
  engine_.SetStartError("exec: file c1 already exists");
  const auto status =
      provider_->Ensure(Call::Within(TestRuntime().clock, 30'000),
                        {.host = "one",
                         .name = "unit-1",
                         .epoch = 1,
                         .spec = {.image = "busybox:local", .command = {"sleep", "600"}}});
  EXPECT_FALSE(status);
  EXPECT_EQ(engine_.Heard().find("DELETE "), std::string::npos);
}

}  // namespace
}  // namespace a4c::baremetal
