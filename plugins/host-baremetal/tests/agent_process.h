// For tests: an ssh-agent of OpenSSH, and keys for it.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "ssh/socket.h"
#include "tests/test_runtime.h"

namespace a4c::baremetal {

// In a directory of its own, which goes with it.
class AgentProcess {
 public:
  AgentProcess() {
    char name[] = "/tmp/a4c-agent-XXXXXX";
    dir_ = mkdtemp(name);
    child_ = Start({"ssh-agent", "-D", "-a", path()}, {});
    EXPECT_TRUE(Eventually(20'000, [&] { return bool(ConnectLocal(Soon(), path())); }));
  }
  ~AgentProcess() {
    kill(child_, SIGTERM);
    waitpid(child_, nullptr, 0);
    std::filesystem::remove_all(dir_);
  }
  std::string path() const { return dir_ + "/socket"; }

  // A new key of that type; its file.
  std::string NewKey(const std::string& type) {
    std::string file = dir_ + "/key-" + std::to_string(keys_++);
    Expect({"ssh-keygen", "-q", "-t", type, "-N", "", "-C", "test", "-f", file});
    return file;
  }
  // confirm: somebody would have to agree to each signature, and nobody is there.
  void Add(const std::string& key, bool confirm = false) {
    std::vector<std::string> command = {"ssh-add", "-q"};
    if (confirm) command.emplace_back("-c");
    command.push_back(key);
    Expect(command);
  }

 private:
  static pid_t Start(const std::vector<std::string>& words, const std::string& socket) {
    const pid_t child = fork();
    if (child != 0) return child;
    if (!socket.empty()) setenv("SSH_AUTH_SOCK", socket.c_str(), 1);
    setenv("SSH_ASKPASS", "/bin/false", 1);
    if (freopen("/dev/null", "w", stdout) == nullptr) _exit(126);
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  void Expect(const std::vector<std::string>& words) const {
    int status = 0;
    const pid_t child = Start(words, path());
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0) << words[0];
  }

  std::string dir_;
  pid_t child_ = -1;
  int keys_ = 0;
};

}  // namespace a4c::baremetal
