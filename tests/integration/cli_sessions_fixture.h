// The command line as a program, against workspaces of an a4cd in this process.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/integration/ran.h"
#include "tests/integration/workspace_fixture.h"

namespace a4cd {

// The outer side of a pseudo-terminal.
class Screen {
 public:
  explicit Screen(int terminal) : terminal_(terminal) {}
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

  // In the child of a fork.
  [[noreturn]] void Become(const std::vector<std::string>& arguments,
                           const char* program = A4C_CLI) const {
    setenv("A4C_URL", ("http://127.0.0.1:" + std::to_string(this->port_)).c_str(), 1);
    setenv("A4C_API_KEY_FILE", this->key_file_.c_str(), 1);
    setenv("A4C_CONFIG", (home_ + "/config.yaml").c_str(), 1);
    setenv("HOME", home_.c_str(), 1);
    std::vector<char*> argv = {const_cast<char*>(program)};
    for (const std::string& argument : arguments)
      argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    if (chdir(home_.c_str()) == 0) execvp(program, argv.data());
    _exit(98);
  }

  Ran Run(const std::vector<std::string>& arguments, const std::string& input = "",
          const char* program = A4C_CLI) {
    const std::string paths[] = {home_ + "/.in", home_ + "/.out", home_ + "/.err"};
    std::ofstream(paths[0]) << input;
    const pid_t child = fork();
    if (child == 0) {
      for (int fd = 0; fd < 3; ++fd) {
        const int opened =
            open(paths[fd].c_str(), fd == 0 ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(opened, fd);
      }
      Become(arguments, program);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, ReadAll(paths[1]), ReadAll(paths[2])};
  }

  std::string home_;
};
using CliSessions = CliOver<LocalWorkspaceTest>;
using CliOverMemory = CliOver<WorkspaceTest>;

}  // namespace a4cd
