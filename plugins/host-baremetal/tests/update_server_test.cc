// Another container with the same volume, on real servers.
#include "a4c/host_update.h"
#include "tests/server_fixture.h"

namespace a4c::baremetal {
namespace {

constexpr int64_t kMiB = 1 << 20;

class HelperUpdate : public ServerTest {
 protected:
  HelperUpdate() : ServerTest("A4C_TEST_BAREMETAL_HELPER_HOSTS") {}

  void Write() {
    const auto made = provider_->Ensure(Soon(), unit_);
    ASSERT_TRUE(made) << made.error().ToString();
    Output({"sh", "-c", "echo kept >/workspace/note"});
  }
  // In the name of the next holder.
  Result<UnitStatus> Update(int64_t memory_bytes, int64_t disk_bytes) {
    ++unit_.epoch;
    unit_.spec.memory_bytes = memory_bytes;
    unit_.spec.disk_bytes = disk_bytes;
    return provider_->As<HostUpdate>()->Update(Soon(), unit_);
  }
  int64_t VolumeMiB() {
    return std::atoll(
        Output({"sh", "-c", "df -m /workspace | tail -n 1 | awk '{print $2}'"}).c_str());
  }
};

TEST_F(HelperUpdate, MemoryAndDiskGrowAndTheFilesStay) {
  unit_.spec.disk_bytes = 16 * kMiB;
  Write();
  const int64_t before_mib = VolumeMiB();
  const auto updated = Update(96 * kMiB, 64 * kMiB);
  ASSERT_TRUE(updated) << updated.error().ToString();
  EXPECT_EQ(updated->state, UnitState::kRunning) << updated->reason;
  EXPECT_EQ(Inspect(unit_.name)["HostConfig"]["Memory"].Int(), 96 * kMiB);
  EXPECT_EQ(Output({"cat", "/workspace/note"}), "kept\n");
  EXPECT_GE(VolumeMiB(), before_mib + 40);
}

// As after a kill of a4cd between the two: there is only the volume.
TEST_F(HelperUpdate, AContainerThatIsGoneIsMadeOfItsVolume) {
  unit_.spec.disk_bytes = 16 * kMiB;
  Write();
  Ask({.method = "DELETE", .target = "/containers/" + unit_.name + "?force=1", .effect = true});
  const auto updated = Update(96 * kMiB, 16 * kMiB);
  ASSERT_TRUE(updated) << updated.error().ToString();
  EXPECT_EQ(Output({"cat", "/workspace/note"}), "kept\n");
  Ask({.method = "DELETE", .target = "/containers/" + unit_.name + "?force=1", .effect = true});
  const auto ensured = provider_->Ensure(Soon(), unit_);
  ASSERT_TRUE(ensured) << ensured.error().ToString();
  EXPECT_EQ(Output({"cat", "/workspace/note"}), "kept\n");
}

TEST_F(HelperUpdate, AUnitFromBeforeTheHelperKeepsItsDockerVolume) {
  unit_.spec.disk_bytes = 16 * kMiB;
  BaremetalOptions without = options_;
  for (ServerOptions& server : without.servers) server.helper = false;
  const auto with = std::exchange(provider_, NewBaremetalHostProvider(TestRuntime(), without));
  Write();
  provider_ = NewBaremetalHostProvider(TestRuntime(), options_);
  const auto updated = Update(96 * kMiB, 32 * kMiB);
  ASSERT_TRUE(updated) << updated.error().ToString();
  EXPECT_EQ(Output({"cat", "/workspace/note"}), "kept\n");
  EXPECT_EQ(Inspect(unit_.name)["Mounts"].Items().at(0)["Type"].Text(), "volume");
}

TEST_F(HelperUpdate, ADiskThatDoesNotFitSaysSoAndTheSameSpecBringsItBack) {
  unit_.spec.disk_bytes = 16 * kMiB;
  Write();
  const auto updated = Update(64 * kMiB, int64_t{1} << 42);
  ASSERT_FALSE(updated);
  const auto back = Update(64 * kMiB, 16 * kMiB);
  ASSERT_TRUE(back) << back.error().ToString();
  EXPECT_EQ(back->state, UnitState::kRunning) << back->reason;
  EXPECT_EQ(Output({"cat", "/workspace/note"}), "kept\n");
}

TEST_F(HelperUpdate, WhatTheServerRunsUnitsWithIsTold) {
  const auto hosts = provider_->Hosts(Soon());
  ASSERT_TRUE(hosts) << hosts.error().ToString();
  for (const Host& host : *hosts) {
    ASSERT_TRUE(host.reachable) << host.reason;
    EXPECT_NE(host.arch, "") << host.id;
    for (const char* name : {"docker", "api", "containerd", "runc", "kernel"}) {
      EXPECT_TRUE(host.versions.contains(name)) << host.id << ": " << name;
    }
  }
}

}  // namespace
}  // namespace a4c::baremetal
