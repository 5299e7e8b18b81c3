// A store that was restored from a backup gives out epochs that its servers have seen.
#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

constexpr int64_t kSeen = 40;  // far more than a job has attempts

class RestoredStore : public ::testing::Test {
 protected:
  void SetUp() override {
    world_.Step("hosts");
    const Job created = world_.Submit("workspace.create", CreatePayload("dev-1"));
    world_.Work();
    ASSERT_EQ(world_.GetJob(created.id).state, JobState::kSucceeded);
    unit_.name = UnitName(world_.GetWorkspace("dev-1")->id);
    ASSERT_TRUE(world_.memory_hosts->Ensure(world_.Within(), unit_));
  }

  // Its first attempt does it: the user sees nothing of the epochs.
  void Obeys(const char* step) {
    const Job job = world_.SubmitFor(step, "dev-1");
    world_.Work();
    const Job done = world_.GetJob(job.id);
    EXPECT_EQ(done.state, JobState::kSucceeded) << step << ": " << done.message;
    EXPECT_EQ(done.attempts, 1) << step;
  }

  World world_{kOneServer};
  Unit unit_{.host = "one", .name = "", .epoch = kSeen, .claim = "of-what-the-backup-lacks"};
};

TEST_F(RestoredStore, ItsJobsGoAboveTheEpochThatTheServerHasSeen) {
  for (const char* step : {"workspace.stop", "workspace.start", "workspace.delete"}) Obeys(step);
  EXPECT_TRUE(world_.Units("one").empty());
  EXPECT_EQ(world_.Committed("one"), 0);
}

TEST_F(RestoredStore, SoTheyDoWhereTheUnitIsGoneAndOnlyItsEpochIsKept) {
  ASSERT_TRUE(world_.memory_hosts->Remove(world_.Within(), "one", unit_.name, {kSeen + 1, "gone"}));
  Obeys("workspace.start");
  EXPECT_EQ(world_.Units("one").at(0).epoch, kSeen + 2);
  Obeys("workspace.delete");
}

TEST_F(RestoredStore, AHolderWhoseLeaseIsAnothersGoesAboveNobody) {
  const std::string workspace = world_.GetWorkspace("dev-1")->id;
  world_.hosts.before_ensure = [&](const Unit& unit) -> Result<void> {
    const RecordRef lease = a4c::LeaseRef("job", kTenant, WorkspaceSubject(workspace));
    const a4c::Commit taken{.also = {a4c::Put{.ref = lease, .quiet = {{"epoch", unit.epoch + 1}}}}};
    A4C_CHECK(world_.instance.database.Write(world_.Within(), taken));
    return {};
  };
  const Job job = world_.SubmitFor("workspace.stop", "dev-1");
  world_.Step("worker-1");
  EXPECT_NE(world_.GetJob(job.id).state, JobState::kSucceeded);
  EXPECT_EQ(world_.Units("one").at(0).epoch, kSeen);
  EXPECT_EQ(world_.Units("one").at(0).state, a4c::UnitState::kRunning);
}

}  // namespace
}  // namespace a4cd::testing
