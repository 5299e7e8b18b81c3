// a4cd as a process whose log file is rotated.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/integration/support/ran.h"
#include "tests/integration/support/spawn.h"
#include "tests/integration/support/workspace_fixture.h"

namespace a4cd {
namespace {

class LogRotation : public WorkspaceTest {
 protected:
  void SetUp() override {}  // it is a process of its own
  LogRotation() { std::filesystem::create_directories(directory_); }
  ~LogRotation() override {
    if (child_ > 0 && !ended_) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
    std::filesystem::remove_all(directory_);
  }

  void Start(const std::string& log_file) {
    std::ofstream(directory_ + "/a4cd.yaml")
        << "roles: [api]\nplugin_directories: ['" A4C_PLUGIN_DIRECTORY "']\n"
        << "store: {plugin: store-memory}\nsearch: {plugin: none}\nhosts: {plugin: none}\n"
        << "api: {listen: '127.0.0.1:0'}\nlog: {file: '" << log_file << "'}\n"
        << "drain: {not_ready: 0s}\n";
    child_ = Spawn({.path = A4C_SERVICE,
                    .arguments = {"--config=" + directory_ + "/a4cd.yaml"},
                    .environment = {{"HOME", directory_}},
                    .files = {"/dev/null", "/dev/null", directory_ + "/errors"}});
    ASSERT_GT(child_, 0);
  }
  bool Says(const std::string& file, const std::string& text) const {
    return Eventually([&] {
             return ended() || ReadAll(directory_ + "/" + file).find(text) != std::string::npos;
           }) &&
           !ended_;
  }
  bool ended() const {
    if (!ended_) ended_ = waitpid(child_, &status_, WNOHANG) == child_;
    return ended_;
  }
  // Its exit code.
  int End() {
    kill(child_, SIGTERM);
    EXPECT_TRUE(Eventually([&] { return ended(); }));
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : -1;
  }

  const std::string directory_ =
      ::testing::TempDir() + "a4c_log_rotation_test_" + std::to_string(getpid());
  pid_t child_ = -1;
  mutable bool ended_ = false;
  mutable int status_ = 0;
};

TEST_F(LogRotation, AFileThatWasMovedAwayIsFollowedByANewOne) {
  Start(directory_ + "/log");
  ASSERT_TRUE(Says("log", "listening")) << ReadAll(directory_ + "/errors");
  std::filesystem::rename(directory_ + "/log", directory_ + "/log.1");
  ASSERT_EQ(kill(child_, SIGHUP), 0);
  ASSERT_TRUE(Says("log", "the log file was opened again"));
  ASSERT_EQ(kill(child_, SIGHUP), 0);
  EXPECT_EQ(End(), 0);
  EXPECT_NE(ReadAll(directory_ + "/log").find("\"drained\""), std::string::npos);
  EXPECT_EQ(ReadAll(directory_ + "/log.1").find("\"drained\""), std::string::npos);
}

TEST_F(LogRotation, OnStandardErrorASighupEndsNothing) {
  Start("-");
  ASSERT_TRUE(Says("errors", "listening"));
  ASSERT_EQ(kill(child_, SIGHUP), 0);
  EXPECT_TRUE(Says("errors", "the log is standard error"));
  EXPECT_EQ(End(), 0);
}

}  // namespace
}  // namespace a4cd
