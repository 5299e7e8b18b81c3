#include "leftovers.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

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
