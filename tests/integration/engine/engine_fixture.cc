#include "tests/integration/engine/engine_fixture.h"

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "a4c/sinks.h"
#include "apps/a4cd/jobs/workspace.h"

namespace a4cd {
namespace {

constexpr const char* kNeeded[] = {"A4C_TEST_BAREMETAL_HELPER_HOSTS", "A4C_TEST_BAREMETAL_SOCKET",
                                   "A4C_TEST_BAREMETAL_FAULT"};

std::string NewWord() {
  const a4c::Runtime runtime = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
  return std::to_string(runtime.random.Next() % 1'000'000'000);
}

}  // namespace

void OverEngine::SetUp() {
  for (const char* variable : kNeeded) {
    if (std::getenv(variable) != nullptr) continue;
    const bool required = std::getenv("CI") != nullptr || std::getenv("A4C_REQUIRE_SERVERS");
    if (required) FAIL() << variable << " is not set";
    GTEST_SKIP() << variable << " is not set";
  }
  cluster_ = "engine-" + NewWord();
  data_ = testing::TempDir() + "a4c_" + cluster_;
}

void OverEngine::TearDown() {
  WorkspaceTest::TearDown();
  std::filesystem::remove_all(data_);
}

void OverEngine::StartOn(const std::string& directory, const std::string& yaml) {
  const std::string path = data_ + "/" + directory;
  std::filesystem::create_directories(path);
  StartApp(
      "roles: [api, worker, sync, poller]\n"
      "store: {plugin: store-sqlite, config: {path: '" +
      path +
      "/store.db'}}\n"
      "search: {plugin: search-sqlite, config: {path: '" +
      path +
      "/search.db'}}\n"
      "hosts: {plugin: host-baremetal, config: {servers_file: '" +
      std::getenv("A4C_TEST_BAREMETAL_HELPER_HOSTS") + "', cluster: " + cluster_ +
      ", stop_timeout: 1s}, timeout: 1m}\n" + yaml);
}

std::string OverEngine::OnServer(const std::string& command) {
  const std::string line =
      std::string(std::getenv("A4C_TEST_BAREMETAL_FAULT")) + " enter 1 " + command + " 2>&1";
  FILE* pipe = popen(line.c_str(), "r");
  if (pipe == nullptr) return "no process can be started";
  std::string output;
  std::array<char, 4096> piece{};
  while (const size_t count = fread(piece.data(), 1, piece.size(), pipe)) {
    output.append(piece.data(), count);
  }
  pclose(pipe);
  return output;
}

std::string OverEngine::Logged() const {
  std::string text;
  for (const a4c::testing::LogEntry& entry : log_.Entries()) {
    text += entry.event;
    for (const auto& [name, value] : entry.fields)
      text.append(" ").append(name).append("=").append(value);
    text += "\n";
  }
  return text;
}

void EngineTest::TearDown() {
  if (app_ != nullptr) {
    const Answer all = Get("/v1/workspaces");
    for (const a4c::Json& workspace : all.body["items"].Items()) {
      Succeeds({"workspace", "delete", workspace["id"].Text(), "--wait"});
    }
  }
  CliOver::TearDown();
}

std::string EngineTest::Succeeds(const std::vector<std::string>& arguments,
                                 const std::string& input) {
  const Ran ran = Run(arguments, input);
  EXPECT_EQ(ran.exit_code, 0) << arguments[0] << " " << arguments[1] << ": " << ran.err << ran.out;
  return ran.out;
}

void EngineTest::MakeThere(const std::string& name, std::vector<std::string> flags,
                           const std::string& script) {
  std::vector<std::string> arguments = {"workspace", "create",        name,       "--wait",
                                        "--image",   "busybox:local", "--host",   kServer,
                                        "--disk",    "16MiB",         "--memory", "32MiB"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  arguments.insert(arguments.end(), {"--", "sh", "-c", script});
  Succeeds(arguments);
  ASSERT_EQ(ActualOf(name), "running") << Get("/v1/jobs").text;
}

std::string EngineTest::ActualOf(const std::string& workspace) {
  return Get("/v1/workspaces/" + workspace).body["actual"].Text();
}

std::string EngineTest::UnitOf(const std::string& workspace) {
  return UnitName(Get("/v1/workspaces/" + workspace).body["id"].Text());
}

Ran EngineTest::Inspect(const std::string& unit, const std::string& format) {
  return Run({"-H", std::string("unix://") + std::getenv("A4C_TEST_BAREMETAL_SOCKET"), "inspect",
              "--format", format, unit},
             "", "docker");
}

pid_t EngineTest::Stay(const std::vector<std::string>& arguments) const {
  return Start(arguments, kNowhere);
}

void EngineTest::Leave(pid_t who) {
  kill(who, SIGKILL);
  waitpid(who, nullptr, 0);
}

}  // namespace a4cd
