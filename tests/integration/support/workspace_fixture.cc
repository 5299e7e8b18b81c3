#include "tests/integration/support/workspace_fixture.h"

#include <unistd.h>

#include <filesystem>

#include "a4c/sinks.h"

namespace a4cd {

void WorkspaceTest::StartWith(const std::string& yaml) {
  StartApp("roles: [api, worker, sync, poller]\nwork: {idle_period: 20ms, capacity_wait: 100ms}\n" +
           yaml);
  Make("dev-1");
}

void WorkspaceTest::Make(const std::string& name, const std::string& more,
                         const std::string& command) {
  Post("/v1/workspaces", R"({"name":")" + name + R"(","command":)" + command + more + "}");
  EXPECT_TRUE(Eventually([&] {
    return Get("/v1/workspaces/" + name).body["actual"].Text() == "running";
  })) << Get("/v1/jobs").text;
}

bool WorkspaceTest::Eventually(const std::function<bool()>& condition) {
  static const a4c::Runtime runtime = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
  const auto waiter = runtime.threads.NewWaiter();
  const int64_t until_ms = runtime.clock.MonotonicMs() + 60'000;
  while (!condition()) {
    if (runtime.clock.MonotonicMs() >= until_ms) return false;
    a4c::Waiter::Lock lock(*waiter);
    waiter->Wait(runtime.clock.MonotonicMs() + 20);
  }
  return true;
}

void LocalWorkspaceTest::StartLocal(const std::string& settings) {
  directory_ = testing::TempDir() + "a4c_workspace_test_" + std::to_string(getpid());
  std::filesystem::create_directories(directory_);
  std::filesystem::permissions(directory_, std::filesystem::perms(0755));
  const std::string user = geteuid() == 0 ? "run_as_user: nobody, " : "";
  StartWith("hosts: {plugin: host-local, config: {" + user + settings +
            "servers: [{id: one, path: '" + directory_ + "/one', disk: 1GiB}]}}\n");
}

void LocalWorkspaceTest::TearDown() {
  Send("DELETE", "/v1/workspaces/dev-1");
  EXPECT_TRUE(Eventually([&] { return Get("/v1/workspaces/dev-1").status == 404; }));
  WorkspaceTest::TearDown();
  std::filesystem::remove_all(directory_);
}

}  // namespace a4cd
