// What a workspace asks of its server: held when it is placed, moved and drained.
#include "a4c/clock.h"
#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

const a4c::MemoryHostOptions kThree{
    .servers = {{.id = "arm", .disk_total_bytes = 400 * kGiB, .arch = "arm64"},
                {.id = "one", .disk_total_bytes = 100 * kGiB},
                {.id = "two", .disk_total_bytes = 10 * kGiB}}};

Json Asking(const std::string& name, Json constraints) {
  Json payload = CreatePayload(name);
  payload.AppendMember("constraints", std::move(constraints));
  return payload;
}
const Json kAmd64 = Json::Object{{"arch", "amd64"}};
const Json kGpu = Json::Object{{"labels", Json::Object{{"gpu", "yes"}}}};

class ConstrainedWork : public ::testing::Test {
 protected:
  ConstrainedWork() {
    // Their records are made by the first look at them.
    EXPECT_TRUE(world_.instance.worker.disks().Refresh(world_.Within()));
  }

  void Label(const std::string& server, const std::map<std::string, std::string>& labels) {
    const auto record = world_.Find(HostRef(server));
    ASSERT_TRUE(record);
    auto host = HostRecordOf(*record, 0);
    ASSERT_TRUE(host);
    host->labels = labels;
    ASSERT_TRUE(world_.instance.database.Write(
        world_.Within(), {.changes = {{.ref = HostRef(server),
                                       .body = HostBody(*host),
                                       .expect = a4c::Expect::Rev(record->rev)}}}));
  }
  Job Create(const std::string& name, const Json& constraints) {
    const Job job = world_.Submit("workspace.create", Asking(name, constraints));
    world_.Work();
    return world_.GetJob(job.id);
  }

  World world_{kThree};
};

TEST_F(ConstrainedWork, OnlyServersOfTheArchitectureAreTaken) {
  const Job job = Create("dev-1", kAmd64);
  ASSERT_EQ(job.state, JobState::kSucceeded) << job.message;
  EXPECT_EQ(job.host, "one") << "the emptiest disk is of an arm64";
  const Json& listed = job.placement["servers"].Items().back();
  EXPECT_EQ(listed["id"].Text(), "arm");
  EXPECT_EQ(listed["reason"].Text(), "arch");
  EXPECT_EQ(listed["detail"].Text(), "it is arm64, and amd64 is asked for");
  EXPECT_EQ(job.placement["request"]["constraints"]["arch"].Text(), "amd64");
  EXPECT_EQ(world_.GetWorkspace(job.workspace)->constraints.arch, "amd64");
}

TEST_F(ConstrainedWork, WithoutTheLabelAJobWaitsForItAndSaysSo) {
  Job job = Create("dev-1", kGpu);
  EXPECT_EQ(job.state, JobState::kPending);
  EXPECT_EQ(job.reason, reason::kNoCapacity);
  EXPECT_EQ(job.message,
            "none of 3 servers fits: 3 labels (asked for: label gpu=yes); it is placed once a "
            "server is given these labels");
  Label("two", {{"gpu", "yes"}});
  world_.WorkAfter(6'000);
  job = world_.GetJob(job.id);
  ASSERT_EQ(job.state, JobState::kSucceeded) << job.message;
  EXPECT_EQ(job.host, "two");
}

TEST_F(ConstrainedWork, AnArchitectureThatNobodyHasIsNotWaitedFor) {
  const Job job = Create("dev-1", Json::Object{{"arch", "riscv64"}});
  EXPECT_NE(job.message.find("3 arch (asked for: arch riscv64); waiting cannot help"),
            std::string::npos)
      << job.message;
}

TEST_F(ConstrainedWork, AMoveKeepsToThem) {
  Label("one", {{"gpu", "yes"}});
  const Job made = Create("dev-1", kGpu);
  ASSERT_EQ(made.host, "one");
  for (const bool with_volume : {false, true}) {
    const Job move = world_.Submit("workspace.move", Json::Object{{"workspace", made.workspace},
                                                                  {"with_volume", with_volume}});
    world_.Work();
    const Job waiting = world_.GetJob(move.id);
    EXPECT_EQ(waiting.reason, reason::kNoCapacity) << waiting.message;
    EXPECT_NE(waiting.message.find("labels"), std::string::npos) << waiting.message;
    EXPECT_EQ(world_.GetWorkspace(made.workspace)->host, "one");
    EXPECT_EQ(world_.Units("one").at(0).state, a4c::UnitState::kRunning);
    ASSERT_TRUE(world_.Cancel(move.id));
  }
  Label("two", {{"gpu", "yes"}});
  const Job move = world_.Submit(
      "workspace.move", Json::Object{{"workspace", made.workspace}, {"with_volume", true}});
  world_.Work();
  ASSERT_EQ(world_.GetJob(move.id).state, JobState::kSucceeded) << world_.GetJob(move.id).message;
  EXPECT_EQ(world_.GetWorkspace(made.workspace)->host, "two");
}

// Both before a worker came by.
TEST_F(ConstrainedWork, AMoveThatWasAskedForBeforeThereWasAServerMoves) {
  const Job made = world_.Submit(
      "workspace.create", Json::Object{{"name", "dev-1"}, {"command", Json::Array{"sleep"}}});
  const Job move = world_.Submit("workspace.move", Json::Object{{"workspace", made.workspace}});
  world_.Work();
  ASSERT_EQ(world_.GetJob(move.id).state, JobState::kSucceeded) << world_.GetJob(move.id).message;
  const std::string host = world_.GetWorkspace(made.workspace)->host;
  EXPECT_FALSE(host.empty());
  EXPECT_NE(host, world_.GetJob(made.id).host);
}

}  // namespace
}  // namespace a4cd::testing
