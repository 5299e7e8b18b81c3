// The command line as a program, against workspaces of an a4cd in this process.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/integration/support/ran.h"
#include "tests/integration/support/spawn.h"
#include "tests/integration/support/workspace_fixture.h"

namespace a4cd {

// The outer side of a pseudo-terminal.
class Screen {
 public:
  explicit Screen(const winsize& size = {})
      : terminal_(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    grantpt(terminal_);
    unlockpt(terminal_);
    Resize(size);
  }
  ~Screen() { close(terminal_); }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // Of its inner side.
  std::string path() const { return ptsname(terminal_); }
  void Resize(const winsize& size) const { EXPECT_EQ(ioctl(terminal_, TIOCSWINSZ, &size), 0); }
  termios Settings() const {
    termios settings{};
    EXPECT_EQ(tcgetattr(terminal_, &settings), 0);
    return settings;
  }
  bool Type(const std::string& keys) const {
    return write(terminal_, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size());
  }
  // Whether it has shown this until now.
  bool Shows(const std::string& text) {
    pollfd entry{terminal_, POLLIN, 0};
    char piece[4096];
    if (poll(&entry, 1, 0) > 0) {
      const ssize_t count = read(terminal_, piece, sizeof(piece));
      if (count > 0) seen_.append(piece, static_cast<size_t>(count));
    }
    return seen_.find(text) != std::string::npos;
  }
  const std::string& seen() const { return seen_; }

 private:
  const int terminal_;
  std::string seen_;
};

template <typename Fixture>
class CliOver : public Fixture {
 protected:
  void SetUp() override {
    Fixture::SetUp();
    home_ = testing::TempDir() + "a4c_cli_sessions_" + std::to_string(getpid());
    std::filesystem::create_directories(home_);
  }
  void TearDown() override {
    Fixture::TearDown();
    std::filesystem::remove_all(home_);
  }

  // In home_; its input, output and errors are these files.
  pid_t Start(const std::vector<std::string>& arguments, const std::array<std::string, 3>& files,
              const std::string& program = A4C_CLI) const {
    return Spawned({.path = program, .arguments = arguments, .files = files});
  }
  pid_t StartOnTerminal(const Screen& screen, const std::vector<std::string>& arguments,
                        const std::string& program = A4C_CLI) const {
    const std::string path = screen.path();
    return Spawned({.path = program,
                    .arguments = arguments,
                    .files = {path, path, path},
                    .on_terminal = true});
  }

  Ran Run(const std::vector<std::string>& arguments, const std::string& input = "",
          const std::string& program = A4C_CLI) {
    const std::array<std::string, 3> files = {home_ + "/.in", home_ + "/.out", home_ + "/.err"};
    std::ofstream(files[0]) << input;
    const pid_t child = Start(arguments, files, program);
    int status = 0;
    waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, ReadAll(files[1]), ReadAll(files[2])};
  }

  std::string home_;
  std::string url_;  // empty: that of the a4cd of this process
  std::string ca_file_;

 private:
  pid_t Spawned(Program program) const {
    const std::string own = "http://127.0.0.1:" + std::to_string(this->port_);
    program.environment = {{"A4C_URL", url_.empty() ? own : url_},
                           {"A4C_CA_FILE", ca_file_},
                           {"A4C_API_KEY_FILE", this->key_file_},
                           {"A4C_CONFIG", home_ + "/config.yaml"},
                           {"HOME", home_}};
    program.folder = home_;
    const pid_t child = Spawn(program);
    EXPECT_GT(child, 0) << program.path << " was not started";
    return child;
  }
};
using CliSessions = CliOver<LocalWorkspaceTest>;
using CliOverMemory = CliOver<WorkspaceTest>;

}  // namespace a4cd
