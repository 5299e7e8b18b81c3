// Units that run on a server without a record go for good, when an operator names them.
#include <algorithm>

#include "a4c/leases.h"
#include "apps/a4cd/executors/workspace_unit.h"
#include "apps/a4cd/jobs/snapshot.h"
#include "tests/integration/support/hooked_store.h"
#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

// Both of November 2024.
constexpr const char* kId = "01932000-0000-7000-9cb1-bc91eff7f76c";
constexpr const char* kOtherId = "01932000-0000-7000-9cb1-bc91eff7f76d";
constexpr int64_t kEpoch = 40;
constexpr int64_t kPurgeAgeMs = 600'000;
const a4c::MemoryHostOptions kServers{.servers = {{.id = "one", .disk_total_bytes = 10 * kGiB},
                                                  {.id = "two", .disk_total_bytes = 10 * kGiB}}};

Json PurgePayload(const std::vector<std::string>& units, bool is_dry = false) {
  Json payload(Json::Object{{"host", "one"}});
  Json list(Json::Array{});
  for (const std::string& unit : units) list.Append(unit);
  payload.AppendMember("units", std::move(list));
  if (is_dry) payload.AppendMember("dry_run", true);
  return payload;
}

class HostPurge : public ::testing::Test {
 protected:
  void SetUp() override { world_.Step("hosts"); }

  // As another store has left it there.
  static Unit Made(const std::string& name, std::map<std::string, std::string> labels) {
    return {.host = "one",
            .name = name,
            .epoch = kEpoch,
            .labels = std::move(labels),
            .spec = {.command = {"sleep", "infinity"}, .disk_bytes = kGiB}};
  }
  static Unit MadeOf(const std::string& id, const std::string& tenant = kTenant) {
    return Made(UnitName(id), {{kWorkspaceLabel, id}, {kTenantLabel, tenant}});
  }
  // Old enough.
  std::string Put(const Unit& unit) {
    const auto made = world_.memory_hosts->Ensure(world_.Within(), unit);
    EXPECT_TRUE(made) << made.error().ToString();
    world_.fake.clock().Advance(kPurgeAgeMs);
    return unit.name;
  }
  std::string Unclaimed(const std::string& id = kId, const std::string& tenant = kTenant) {
    return Put(MadeOf(id, tenant));
  }

  Job Purge(const std::vector<std::string>& units, bool is_dry = false) {
    const Job job = world_.Submit("host.purge", PurgePayload(units, is_dry));
    world_.Work();
    return world_.GetJob(job.id);
  }
  // What came of the unit: "stays: why".
  static std::string Of(const Job& job, const std::string& unit) {
    for (const Json& one : job.result["units"].Items()) {
      if (one["unit"].Text() != unit) continue;
      const std::string& reason = one["reason"].Text();
      return one["result"].Text() + (reason.empty() ? "" : ": " + reason);
    }
    return "untold: " + job.message;
  }
  void WorkOnce(Instance& instance) {
    const auto loops = instance.worker.NewWorkLoops();
    const auto worker = std::ranges::find(
        loops, "worker-1", [](const auto& loop) { return std::string_view(loop->name()); });
    ASSERT_NE(worker, loops.end());
    EXPECT_TRUE((*worker)->Step(world_.Within()));
  }
  bool IsThere(const std::string& unit) {
    return std::ranges::count(world_.Units("one"), unit, &UnitStatus::name) == 1;
  }

  World world_{kServers};
};

TEST_F(HostPurge, WithoutNamesNothingGoesAndWhatThereIsIsTold) {
  const std::string unit = Unclaimed();
  Unclaimed(kOtherId, "other");
  world_.Submit("workspace.create", CreatePayload("mine"));
  const Job job = Purge({});
  ASSERT_EQ(job.state, JobState::kSucceeded) << job.message;
  EXPECT_EQ(job.result["unclaimed_count"].Int(), 2) << job.result.ToString();
  const Json& first = job.result["unclaimed"].Items().at(0);
  EXPECT_EQ(first["unit"].Text(), unit);
  EXPECT_EQ(first["workspace"].Text(), kId);
  EXPECT_EQ(first["tenant"].Text(), kTenant);
  EXPECT_EQ(first["actual"].Text(), "running");
  EXPECT_EQ(first["disk_used_bytes"].Int(), kGiB);
  EXPECT_TRUE(first["started_at"].IsText());
  EXPECT_EQ(first.Find("stays"), nullptr) << first.ToString();
  EXPECT_TRUE(IsThere(unit));
}

TEST_F(HostPurge, OnlyTheNamedGoWithAllThatTheyKeepWhosesoeverTheyAre) {
  const std::string mine = Unclaimed();
  const std::string others = Unclaimed(kOtherId, "other");
  const std::string third = Unclaimed("01932000-0000-7000-9cb1-bc91eff7f76e");
  const Job job = Purge({mine, others});
  ASSERT_EQ(job.state, JobState::kSucceeded) << job.message;
  EXPECT_EQ(Of(job, mine), "gone");
  EXPECT_EQ(Of(job, others), "gone");
  EXPECT_EQ(job.result["bytes"].Int(), 2 * kGiB);
  EXPECT_FALSE(IsThere(mine));
  EXPECT_FALSE(IsThere(others));
  EXPECT_TRUE(IsThere(third));
  const Job again = Purge({mine});
  EXPECT_EQ(again.state, JobState::kSucceeded) << again.message;
  EXPECT_EQ(Of(again, mine), "gone: there is no such unit");
}

TEST_F(HostPurge, WhoWaitsSeesHowFarItIs) {
  const std::string unit = Unclaimed();
  Json seen;
  world_.hosts.before_remove = [&]() -> Result<void> {
    const auto page = world_.instance.jobs.List(world_.Within(), kTenant, {});
    if (page) seen = page->jobs.at(0).progress;
    return {};
  };
  const Job done = Purge({unit});
  EXPECT_EQ(seen["text"].Text(), "0 of 1 units");
  EXPECT_TRUE(done.progress.IsNull()) << done.progress.ToString();
}

TEST_F(HostPurge, WhoeverWasAtItComesTooLate) {
  const std::string unit = Unclaimed();
  ASSERT_EQ(Purge({unit}).state, JobState::kSucceeded);
  const auto late = world_.memory_hosts->Ensure(world_.Within(), MadeOf(kId));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), a4c::Code::kConflict) << late.error().ToString();
  const auto record = world_.Find(WorkspaceRef(kTenant, kId));
  ASSERT_TRUE(record);
  EXPECT_TRUE(record->tombstone);
}

TEST_F(HostPurge, WhatALivingRecordNamesStays) {
  world_.Submit("workspace.create", CreatePayload("mine"));
  world_.Work();
  const std::string host = world_.GetWorkspace("mine")->host;
  const std::string unit = UnitName(world_.GetWorkspace("mine")->id);
  world_.fake.clock().Advance(kPurgeAgeMs);
  Json payload = PurgePayload({unit});
  payload.Set("host", host);
  const Job submitted = world_.Submit("host.purge", std::move(payload));
  world_.Work();
  const Job job = world_.GetJob(submitted.id);
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_EQ(Of(job, unit), "stays: a record names it");
  EXPECT_NE(job.message.find("1 of 1 units were not purged: " + unit), std::string::npos)
      << job.message;
  EXPECT_EQ(world_.Units(host).size(), 1u);
}

// As while it is moved.
TEST_F(HostPurge, WhatALivingRecordOfAnotherServerNamesStays) {
  Json payload = CreatePayload("mine");
  payload.Set("host", "two");
  world_.Submit("workspace.create", std::move(payload));
  world_.Work();
  const std::string unit = Unclaimed(world_.GetWorkspace("mine")->id);
  EXPECT_EQ(Purge({}).result["unclaimed_count"].Int(), 0);
  EXPECT_EQ(Of(Purge({unit}), unit), "stays: a record names it");
  EXPECT_TRUE(IsThere(unit));
}

// Another instance makes a workspace between the job's claim and its look at the server.
TEST_F(HostPurge, AWorkspaceThatIsMadeMeanwhileStays) {
  Instance other(world_.fake.runtime(), *world_.store, world_.hosts, {});
  std::string unit;
  bool has_begun = false;
  world_.hosts.before_list = [&](const Call&, const std::string&) -> Result<void> {
    if (std::exchange(has_begun, true)) return {};
    Json payload = CreatePayload("late");
    payload.Set("host", "one");
    unit = UnitName(world_.Submit("workspace.create", std::move(payload)).workspace);
    WorkOnce(other);
    return {};
  };
  EXPECT_EQ(Purge({}).result["unclaimed_count"].Int(), 0);
  EXPECT_TRUE(has_begun);
  EXPECT_TRUE(IsThere(unit));
}

// Between the look at the records and the commit, as of a workspace that is adopted.
TEST_F(HostPurge, WhatARecordNamesAtTheLastMomentStays) {
  const std::string unit = Unclaimed();
  HookedStore store(*world_.store);
  Instance purger(world_.fake.runtime(), store, world_.hosts, {});
  bool has_come = false;
  store.before_apply = [&](std::span<const a4c::WriteBatch> batches) {
    const bool is_verdict = std::ranges::any_of(batches, [](const a4c::WriteBatch& batch) {
      return std::ranges::any_of(batch.ops, [](const a4c::Op& op) {
        const auto* put = std::get_if<a4c::Put>(&op);
        return put != nullptr && put->ref == WorkspaceRef(kTenant, kId);
      });
    });
    if (!is_verdict || std::exchange(has_come, true)) return;
    Workspace workspace;
    workspace.name = "adopted";
    workspace.host = "one";
    const a4c::WriteBatch come{
        {a4c::Put{.ref = WorkspaceRef(kTenant, kId), .body = WorkspaceBody(workspace)}}};
    ASSERT_TRUE(world_.store->Apply(world_.Within(), std::span(&come, 1)));
  };
  const Job job = world_.Submit("host.purge", PurgePayload({unit}));
  WorkOnce(purger);
  EXPECT_TRUE(has_come);
  EXPECT_EQ(Of(world_.GetJob(job.id), unit), "stays: a record names unit " + unit);
  EXPECT_TRUE(IsThere(unit));
  EXPECT_FALSE(world_.Find(WorkspaceRef(kTenant, kId))->tombstone);
}

TEST_F(HostPurge, WhatIsNoWorkspacesAndNoSnapshotsStays) {
  const std::string unit = Put(Made("somebodys", {{"team", "blue"}}));
  const std::string named = Put(Made("ws-of-two", {{kWorkspaceLabel, kId}, {kTenantLabel, "x"}}));
  const Json listed = Purge({}).result;
  EXPECT_EQ(listed["unclaimed_count"].Int(), 2);
  EXPECT_TRUE(listed["unclaimed"].Items().at(0)["stays"].IsText()) << listed.ToString();
  const Job job = Purge({unit, named});
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_EQ(Of(job, unit).find("stays: its labels name neither"), 0u) << Of(job, unit);
  EXPECT_EQ(Of(job, named).find("stays: its labels name neither"), 0u) << Of(job, named);
  EXPECT_TRUE(IsThere(unit));
  EXPECT_TRUE(IsThere(named));
}

TEST_F(HostPurge, AYoungUnitStaysUntilItIsOlder) {
  const std::string unit = Unclaimed();
  Unit started = MadeOf(kId);
  started.wanted = a4c::UnitWanted::kStopped;
  ASSERT_TRUE(world_.memory_hosts->Ensure(world_.Within(), started));
  ASSERT_TRUE(world_.memory_hosts->Ensure(world_.Within(), MadeOf(kId)));
  world_.fake.clock().Advance(kPurgeAgeMs - 60'000);
  const Job job = Purge({unit});
  EXPECT_EQ(Of(job, unit).find("stays: it began at 2026-01-01T"), 0u) << Of(job, unit);
  EXPECT_TRUE(IsThere(unit));
  world_.fake.clock().Advance(60'000);
  EXPECT_EQ(Of(Purge({unit}), unit), "gone");
}

TEST_F(HostPurge, ASnapshotGoesLikewiseAndIsAsOldAsItsId) {
  const auto made = [](const std::string& id) {
    Unit unit = Made(SnapshotUnitName(id), {{kSnapshotLabel, id}, {kTenantLabel, kTenant}});
    unit.wanted = a4c::UnitWanted::kStopped;
    return unit;
  };
  const std::string old = Put(made(kId));
  const std::string id = world_.instance.ids.Next();
  ASSERT_TRUE(world_.memory_hosts->Ensure(world_.Within(), made(id)));
  const std::string young = SnapshotUnitName(id);
  const Job job = Purge({old, young});
  EXPECT_EQ(Of(job, old), "gone");
  EXPECT_EQ(Of(job, young).find("stays: it began at"), 0u) << Of(job, young);
  EXPECT_TRUE(world_.Find(SnapshotRef(kTenant, kId))->tombstone);
  const auto late = world_.memory_hosts->Ensure(world_.Within(), made(kId));
  EXPECT_FALSE(late) << "it comes back";
}

TEST_F(HostPurge, ADryRunTellsAndChangesNothing) {
  const std::string unit = Unclaimed();
  const std::string foreign = Put(Made("somebodys", {}));
  const Job job = Purge({unit, foreign}, true);
  EXPECT_EQ(job.state, JobState::kSucceeded) << job.message;
  EXPECT_EQ(Of(job, unit), "would_go");
  EXPECT_EQ(Of(job, foreign).find("stays: "), 0u);
  EXPECT_EQ(job.result["bytes"].Int(), kGiB);
  EXPECT_TRUE(job.result["dry_run"].Bool());
  EXPECT_TRUE(IsThere(unit));
  EXPECT_FALSE(world_.Find(WorkspaceRef(kTenant, kId)));
}

TEST_F(HostPurge, OneThatTheServerDoesNotRemoveIsToldAndGoesLater) {
  const std::string bad = Unclaimed();
  const std::string good = Unclaimed(kOtherId);
  bool has_failed = false;
  world_.hosts.before_remove = [&]() -> Result<void> {
    if (std::exchange(has_failed, true)) return {};
    return a4c::Error(a4c::Code::kUnavailable, "no route to it");
  };
  const Job job = Purge({bad, good});
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_EQ(Of(job, bad), "failed: no route to it; it is marked as deleted, and goes later");
  EXPECT_EQ(Of(job, good), "gone");
  EXPECT_TRUE(IsThere(bad));
  EXPECT_FALSE(IsThere(good));
  world_.Step("hosts");
  world_.Step("reconciler");
  EXPECT_FALSE(IsThere(bad)) << "the reconciler goes by the tombstone";
}

// A holder that stalled, and whose lease another has taken meanwhile.
TEST_F(HostPurge, WhoHasLostItsLeaseRemovesNothing) {
  const std::string unit = Unclaimed();
  bool has_begun = false;
  world_.hosts.before_list = [&](const Call&, const std::string&) -> Result<void> {
    if (std::exchange(has_begun, true)) return {};
    const a4c::Commit taken{.also = {a4c::Put{.ref = a4c::LeaseRef("job", kTenant, "host:one"),
                                              .quiet = {{"epoch", int64_t{1'000}}}}}};
    const auto done = world_.instance.database.Write(world_.Within(), taken);
    EXPECT_TRUE(done && done->outcome == a4c::Committed::Outcome::kApplied);
    return {};
  };
  Purge({unit});
  EXPECT_TRUE(IsThere(unit));
  EXPECT_FALSE(world_.Find(WorkspaceRef(kTenant, kId)));
}

// A delete that another store knows nothing of: the epoch that its lease has had is too low.
TEST_F(HostPurge, WhatIsDeletedButActedOnByALaterHolderGoes) {
  const std::string id = world_.Submit("workspace.create", CreatePayload("mine")).workspace;
  world_.Work();
  world_.SubmitFor("workspace.delete", id);
  world_.Work();
  Unit late = MadeOf(id);
  late.epoch = 1'000;
  const std::string unit = Put(late);
  EXPECT_EQ(Purge({}).result["unclaimed_count"].Int(), 1);
  EXPECT_EQ(Of(Purge({unit}), unit), "gone");
  EXPECT_FALSE(IsThere(unit));
}

TEST_F(HostPurge, WhatWasPurgedIsNotAdopted) {
  const std::string unit = Unclaimed();
  world_.hosts.before_remove = []() -> Result<void> {
    return a4c::Error(a4c::Code::kUnavailable, "no route to it");
  };
  Purge({unit});
  const Job adopt = world_.Submit(
      "host.adopt", Json::Object{{"host", "one"}, {"units", Json::Object{{unit, "dev-1"}}}});
  world_.Work();
  EXPECT_NE(world_.GetJob(adopt.id).message.find("was deleted"), std::string::npos)
      << world_.GetJob(adopt.id).message;
}

}  // namespace
}  // namespace a4cd::testing
