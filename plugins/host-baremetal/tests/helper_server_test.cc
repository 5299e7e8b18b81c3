// Against real servers with a4c-host: A4C_TEST_BAREMETAL_HELPER_HOSTS, as
// dev/stack/baremetal/helper writes it.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "a4c/host_activity.h"
#include "tests/server_fixture.h"

namespace a4c::baremetal {
namespace {

constexpr int64_t kLeaseMs = 300;
constexpr int kSleeps = 4;
constexpr int64_t kMiB = 1 << 20;

class HelperServer : public ServerTest {
 protected:
  HelperServer() : ServerTest("A4C_TEST_BAREMETAL_HELPER_HOSTS") {}

  std::unique_ptr<HostProvider> Another() {
    return NewBaremetalHostProvider(TestRuntime(), options_);
  }
  Host FiguresOfTheServer() {
    const auto hosts = provider_->Hosts(Soon());
    EXPECT_TRUE(hosts) << hosts.error().ToString();
    for (const Host& host : *hosts) {
      if (host.id == unit_.host) return host;
    }
    return {};
  }
  int64_t VolumeMiB() {
    return std::atoll(
        Output({"sh", "-c", "df -m /workspace | tail -n 1 | awk '{print $2}'"}).c_str());
  }
};

TEST_F(HelperServer, HasTheCapabilitiesThatNeedIt) {
  const Host host = FiguresOfTheServer();
  EXPECT_TRUE(host.reachable) << host.reason;
  EXPECT_TRUE(host.absent.empty());
  EXPECT_GT(host.inodes_free, 0);
  BaremetalOptions without = options_;
  without.servers[0].helper = false;
  const auto hosts = NewBaremetalHostProvider(TestRuntime(), without)->Hosts(Soon());
  ASSERT_TRUE(hosts);
  for (const Host& other : *hosts) {
    EXPECT_EQ(other.absent.contains("fencing"), other.id == unit_.host);
    EXPECT_EQ(other.absent.contains("disk_limit"), other.id == unit_.host);
    EXPECT_EQ(other.absent.contains("incarnation_check"), other.id == unit_.host);
  }
}

// A process that ensures its unit over and over, with the epoch that it once had, is stopped for
// three lease times, at another moment each time; meanwhile its successor removes the unit.
TEST_F(HelperServer, AHolderThatWasStoppedForThreeLeasesChangesNothingWhenItWakes) {
  for (int round = 0; round < kSleeps; ++round) {
    unit_.name = Word("unit");
    const pid_t holder = fork();
    ASSERT_GE(holder, 0);
    if (holder == 0) {
      // Ends only once it was refused.
      const auto provider = Another();
      const Call patience = Soon(30'000);
      while (!patience.Expired()) {
        unit_.wanted =
            unit_.wanted == UnitWanted::kRunning ? UnitWanted::kStopped : UnitWanted::kRunning;
        const auto status = provider->Ensure(Soon(), unit_);
        if (!status && status.error().code() == Code::kConflict) _exit(0);
        if (!status && !status.error().retryable() && !status.error().unknown_outcome()) _exit(2);
      }
      _exit(3);  // nobody refused it
    }
    Pass(100 + round * 130);
    ASSERT_EQ(kill(holder, SIGSTOP), 0);
    Pass(3 * kLeaseMs);
    const auto removed = provider_->Remove(Soon(), unit_.host, unit_.name, 2);
    EXPECT_TRUE(removed) << removed.error().ToString();
    EXPECT_FALSE(IsThere());
    ASSERT_EQ(kill(holder, SIGCONT), 0);
    int status = 0;
    ASSERT_EQ(waitpid(holder, &status, 0), holder);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    EXPECT_FALSE(IsThere()) << "round " << round << ": the holder that woke made it again";
  }
}

TEST_F(HelperServer, AFullVolumeIsFullInsideAloneAndGrowsAtTheNextStart) {
  unit_.spec.disk_bytes = 32 * kMiB;
  const auto made = provider_->Ensure(Soon(), unit_);
  ASSERT_TRUE(made) << made.error().ToString();
  EXPECT_EQ(Inspect(unit_.name)["Mounts"].Items().size(), 1u);
  const Host before = FiguresOfTheServer();
  const std::string said =
      Output({"sh", "-c", "dd if=/dev/zero of=/workspace/x bs=1M count=64 2>&1"});
  EXPECT_NE(said.find("No space left on device"), std::string::npos) << said;
  const auto use = provider_->As<HostActivity>()->Read(Soon(), unit_.host, {unit_.name});
  ASSERT_TRUE(use && use->size() == 1);
  EXPECT_GT(use->at(0).disk_used_bytes, 16 * kMiB);
  EXPECT_LE(use->at(0).disk_used_bytes, 32 * kMiB);
  const Host after = FiguresOfTheServer();
  EXPECT_LT(after.disk_used_bytes - before.disk_used_bytes, 4 * kMiB)
      << "the room of the volume was taken when it was made";
  const int64_t small = VolumeMiB();
  unit_.spec.disk_bytes = 64 * kMiB;
  // While it runs where the kernel allows that; else it says what to do.
  const auto while_running = provider_->Ensure(Soon(), unit_);
  if (!while_running) {
    EXPECT_EQ(while_running.error().code(), Code::kConflict) << while_running.error().ToString();
    EXPECT_NE(while_running.error().message().find("stop it first"), std::string::npos);
  }
  unit_.wanted = UnitWanted::kStopped;
  ASSERT_TRUE(provider_->Ensure(Soon(), unit_));
  unit_.wanted = UnitWanted::kRunning;
  const auto grown = provider_->Ensure(Soon(), unit_);
  ASSERT_TRUE(grown) << grown.error().ToString();
  EXPECT_EQ(Output({"ls", "/workspace"}), "x\n") << "what was written is there";
  EXPECT_GT(VolumeMiB(), small + 24);
  const auto units = provider_->List(Soon(), unit_.host);
  ASSERT_TRUE(units);
  const auto listed = std::ranges::find(*units, unit_.name, &UnitStatus::name);
  ASSERT_NE(listed, units->end());
  EXPECT_GE(listed->disk_used_bytes, 64 * kMiB);
  ASSERT_TRUE(provider_->Remove(Soon(), unit_.host, unit_.name, 1));
  EXPECT_LT(FiguresOfTheServer().disk_used_bytes, before.disk_used_bytes - 24 * kMiB)
      << "its room was given back";
}

TEST_F(HelperServer, AVolumeThatDoesNotFitIsExhaustedAndLeavesNothing) {
  const Host before = FiguresOfTheServer();
  unit_.spec.disk_bytes = before.disk_total_bytes * 2;
  const auto made = provider_->Ensure(Soon(), unit_);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), Code::kExhausted) << made.error().ToString();
  EXPECT_FALSE(IsThere());
  EXPECT_LT(FiguresOfTheServer().disk_used_bytes, before.disk_used_bytes + 4 * kMiB);
}

TEST_F(HelperServer, TheVolumeIsThereAgainAfterAStop) {
  unit_.spec.disk_bytes = 16 * kMiB;
  ASSERT_TRUE(provider_->Ensure(Soon(), unit_));
  Output({"sh", "-c", "echo kept >/workspace/x"});
  unit_.wanted = UnitWanted::kStopped;
  ASSERT_TRUE(provider_->Ensure(Soon(), unit_));
  unit_.wanted = UnitWanted::kRunning;
  ASSERT_TRUE(Another()->Ensure(Soon(), unit_));
  EXPECT_EQ(Output({"cat", "/workspace/x"}), "kept\n");
}

}  // namespace
}  // namespace a4c::baremetal
