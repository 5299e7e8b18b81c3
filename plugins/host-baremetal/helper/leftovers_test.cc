#include "leftovers.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "temporary_directory.h"

namespace a4c::helper {
namespace {

namespace fs = std::filesystem;

const std::string kContainer(64, 'a');
const std::string kAnother(64, 'b');

// A /proc of our own, with real processes in it.
class HelperLeftovers : public ::testing::Test {
 protected:
  pid_t Start(const std::string& group, char state = 'S') {
    const pid_t pid = fork();
    if (pid == 0) {
      while (true) pause();
    }
    const fs::path directory = fs::path(proc_.path()) / std::to_string(pid);
    fs::create_directory(directory);
    std::ofstream(directory / "cgroup") << "0::" << group << "\n";
    std::ofstream(directory / "stat") << pid << " (a ) Z) " << state << " 1 1";
    return pid;
  }
  // By words that are divided as the kernel divides them.
  pid_t StartAs(std::string words) {
    const pid_t pid = Start("/");
    for (char& c : words) {
      if (c == ' ') c = '\0';
    }
    if (!words.empty()) words += '\0';
    std::ofstream(fs::path(proc_.path()) / std::to_string(pid) / "cmdline") << words;
    return pid;
  }
  // What the kernel does once it has ended; the signal that ended it.
  int Reap(pid_t pid) const {
    int status = 0;
    waitpid(pid, &status, 0);
    fs::remove_all(fs::path(proc_.path()) / std::to_string(pid));
    return WTERMSIG(status);
  }

  const TemporaryDirectory proc_;
};

TEST_F(HelperLeftovers, OfAContainerAreKilledAndThoseOfOthersAreNot) {
  const pid_t with_cgroupfs = Start("/docker/" + kContainer);
  const pid_t with_systemd = Start("/system.slice/docker-" + kContainer + ".scope/init");
  const pid_t of_another = Start("/docker/" + kAnother);
  const pid_t of_nobody = Start("/");
  std::jthread kernel([&] {
    EXPECT_EQ(Reap(with_cgroupfs), SIGKILL);
    EXPECT_EQ(Reap(with_systemd), SIGKILL);
  });
  const auto ended = EndProcessesOf(kContainer, proc_.path());
  EXPECT_TRUE(ended) << ended.error().message();
  for (const pid_t pid : {of_another, of_nobody}) {
    EXPECT_EQ(waitpid(pid, nullptr, WNOHANG), 0) << "it was killed";
    kill(pid, SIGTERM);
    EXPECT_EQ(Reap(pid), SIGTERM);
  }
}

// containerd starts programs of the same name that clean up after one.
TEST_F(HelperLeftovers, OfTheKeepersOfContainersTheOneOfThisIsKilled) {
  const std::string address = " -address /run/containerd.sock";
  const std::string shim = "/usr/bin/containerd-shim-runc-v2 -namespace moby";
  const pid_t keeper = StartAs(shim + " -id " + kContainer + address);
  const std::vector<pid_t> others = {
      StartAs(shim + " -id " + kAnother + address),
      StartAs(shim + address + " -id " + kContainer + " -bundle /b delete"),
      StartAs("/usr/bin/editor -id " + kContainer + address), StartAs("")};
  EndShimOf(kContainer, proc_.path());
  kill(keeper, SIGTERM);
  EXPECT_EQ(Reap(keeper), SIGKILL);
  for (const pid_t pid : others) {
    kill(pid, SIGTERM);
    EXPECT_EQ(Reap(pid), SIGTERM);
  }
}

TEST_F(HelperLeftovers, AZombieIsGone) {
  const pid_t pid = Start("/docker/" + kContainer, 'Z');
  EXPECT_TRUE(EndProcessesOf(kContainer, proc_.path()));
  EXPECT_EQ(waitpid(pid, nullptr, WNOHANG), 0);
  kill(pid, SIGTERM);
  Reap(pid);
}

TEST(HelperContainerId, IsAWholeOne) {
  EXPECT_TRUE(IsContainerId(kContainer));
  for (const std::string& text : {std::string(), std::string("aaaa"), std::string(64, 'g'),
                                  std::string(63, 'a') + "/", std::string(65, 'a')}) {
    EXPECT_FALSE(IsContainerId(text)) << text;
  }
}

}  // namespace
}  // namespace a4c::helper
