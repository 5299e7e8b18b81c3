// Units that run on a server without a record become workspaces again.
#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

constexpr const char* kId = "01a204e2-ad0d-7000-9cb1-bc91eff7f76c";
class Adoption : public ::testing::Test {
 protected:
  void SetUp() override { world_.Step("hosts"); }

  // As another store has left it there, at a high epoch.
  std::string Unclaimed(const std::string& id = kId, const std::string& tenant = kTenant) {
    const a4c::Unit unit{.host = "one",
                         .name = UnitName(id),
                         .epoch = 40,
                         .labels = {{"a4c.workspace", id}, {"a4c.tenant", tenant}},
                         .spec = {.command = {"sh", "-c", "echo kept > note; sleep infinity"},
                                  .env = {{"NAME", "value"}},
                                  .disk_bytes = kGiB}};
    EXPECT_TRUE(world_.memory_hosts->Ensure(world_.Within(), unit));
    return unit.name;
  }
  Job Adopt(const std::string& unit, const std::string& name) {
    Json units(Json::Object{});
    if (!unit.empty()) units.AppendMember(unit, name);
    const Job job =
        world_.Submit("host.adopt", Json::Object{{"host", "one"}, {"units", std::move(units)}});
    world_.Work();
    return world_.GetJob(job.id);
  }

  World world_{kOneServer};
};

TEST_F(Adoption, AUnitBecomesAWorkspaceWithItsRoomAndIsNotTouched) {
  const std::string unit = Unclaimed();
  const int64_t started_ms = world_.Units("one").at(0).started_at_ms;
  const Job job = Adopt(unit, "dev-1");
  ASSERT_EQ(job.state, JobState::kSucceeded) << job.message;
  EXPECT_EQ(job.result["adopted"].Items().at(0)["workspace"].Text(), kId);
  const auto workspace = world_.GetWorkspace("dev-1");
  ASSERT_TRUE(workspace);
  EXPECT_EQ(workspace->id, kId);
  EXPECT_EQ(workspace->host, "one");
  EXPECT_EQ(workspace->desired, "running");
  EXPECT_EQ(workspace->env.at("NAME"), "value");
  EXPECT_EQ(workspace->disk_bytes, kGiB);
  EXPECT_EQ(world_.Committed("one"), kGiB);
  EXPECT_EQ(world_.Units("one").at(0).started_at_ms, started_ms);
}

TEST_F(Adoption, ValuesOfSecretsAreNotWrittenDown) {
  const a4c::Unit unit{
      .host = "one",
      .name = UnitName(kId),
      .epoch = 40,
      .labels = {{"a4c.workspace", kId},
                 {"a4c.tenant", kTenant},
                 {"a4c.secrets", R"({"TOKEN":"token"})"}},
      .spec = {.command = {"sleep", "infinity"}, .env = {{"NAME", "value"}, {"TOKEN", "hunter2"}}}};
  ASSERT_TRUE(world_.memory_hosts->Ensure(world_.Within(), unit));
  ASSERT_EQ(Adopt(unit.name, "dev-1").state, JobState::kSucceeded);
  const auto workspace = world_.GetWorkspace("dev-1");
  EXPECT_EQ(workspace->secrets.at("TOKEN"), "token");
  EXPECT_EQ(workspace->env, (std::map<std::string, std::string>{{"NAME", "value"}}));
}

TEST_F(Adoption, ItObeysItsRecordFromThenOnWhateverItsEpochWas) {
  Adopt(Unclaimed(), "dev-1");
  for (const char* step : {"workspace.stop", "workspace.start", "workspace.delete"}) {
    const Job job = world_.SubmitFor(step, kId);
    world_.Work();
    EXPECT_EQ(world_.GetJob(job.id).state, JobState::kSucceeded) << world_.GetJob(job.id).message;
  }
  EXPECT_TRUE(world_.Units("one").empty());
  EXPECT_EQ(world_.Committed("one"), 0);
}

TEST_F(Adoption, WithoutANameNothingIsTakenOverAndWhatThereIsIsTold) {
  const std::string unit = Unclaimed();
  Unclaimed("01a204e2-ad0d-7000-9cb1-bc91eff7f76d", "other");
  world_.Submit("workspace.create", CreatePayload("mine"));
  world_.Work();
  const Job job = Adopt("", "");
  ASSERT_EQ(job.state, JobState::kSucceeded) << job.message;
  const auto& found = job.result["unclaimed"].Items();
  ASSERT_EQ(found.size(), 1u) << "neither another tenant's, nor one that has a record";
  EXPECT_EQ(found[0]["unit"].Text(), unit);
  EXPECT_EQ(found[0]["actual"].Text(), "running");
  EXPECT_FALSE(world_.GetWorkspace(kId));
}

TEST_F(Adoption, AnotherTenantsIsNotFound) {
  const Job job = Adopt(Unclaimed(kId, "other"), "dev-1");
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_NE(job.message.find("the tenant has no unit"), std::string::npos) << job.message;
}

TEST_F(Adoption, TheSameAgainIsNoConflictButOneThatHasARecordIs) {
  const std::string unit = Unclaimed();
  Adopt(unit, "dev-1");
  EXPECT_EQ(Adopt(unit, "dev-1").state, JobState::kSucceeded);
  EXPECT_EQ(world_.Committed("one"), kGiB);
  const Job other = Adopt(unit, "dev-2");
  EXPECT_EQ(other.state, JobState::kFailed);
  EXPECT_NE(other.message.find("it is workspace dev-1 already, on server one"), std::string::npos)
      << other.message;
}

TEST_F(Adoption, ANameThatIsTakenIsAConflictThatSaysSo) {
  world_.Submit("workspace.create", CreatePayload("dev-1"));
  world_.Work();
  const Job job = Adopt(Unclaimed(), "dev-1");
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_NE(job.message.find("a workspace is called dev-1 already"), std::string::npos)
      << job.message;
  EXPECT_EQ(world_.Committed("one"), kGiB);
}

TEST_F(Adoption, OneWhoseWorkspaceWasDeletedIsNotBroughtBack) {
  const std::string unit = Unclaimed();
  Adopt(unit, "dev-1");
  world_.SubmitFor("workspace.delete", kId);
  world_.Work();
  const a4c::Unit late{.host = "one",
                       .name = unit,
                       .epoch = 1'000,
                       .labels = {{"a4c.workspace", kId}, {"a4c.tenant", kTenant}},
                       .spec = {.command = {"sleep", "600"}}};
  ASSERT_TRUE(world_.memory_hosts->Ensure(world_.Within(), late));
  const Job job = Adopt(unit, "dev-1");
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_NE(job.message.find("was deleted"), std::string::npos) << job.message;
}

TEST_F(Adoption, WithoutRoomForItNothingIsWritten) {
  world_.Submit("workspace.create", CreatePayload("big", 8 * kGiB));
  world_.Work();
  const Job job = Adopt(Unclaimed(), "dev-1");
  // The disk's watermark is nine tenths of ten.
  EXPECT_EQ(job.state, JobState::kSucceeded) << job.message;
  const std::string other = Unclaimed("01a204e2-ad0d-7000-9cb1-bc91eff7f76d");
  const Job refused = Adopt(other, "dev-2");
  EXPECT_EQ(refused.state, JobState::kFailed);
  EXPECT_NE(refused.message.find("its room cannot be reserved"), std::string::npos)
      << refused.message;
  EXPECT_FALSE(world_.GetWorkspace("dev-2"));
}

}  // namespace
}  // namespace a4cd::testing
