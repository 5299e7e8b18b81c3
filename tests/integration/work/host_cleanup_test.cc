// What host.cleanup takes from a server, and when the loop asks for it.
#include "apps/a4cd/jobs/snapshot.h"
#include "tests/integration/support/work_fixture.h"
#include "tests/support/recording_sinks.h"
#include "tests/support/tar.h"

namespace a4cd::testing {
namespace {

constexpr const char* kImage = "registry.local/busybox:1";
constexpr int64_t kDayMs = 24 * 3'600'000LL;

// Does something of the test's before an image goes.
class HookedCleanup final : public a4c::HostCleanup {
 public:
  explicit HookedCleanup(a4c::HostCleanup& inner) : inner_(inner) {}
  Result<a4c::HostUse> Survey(const Call& call, const std::string& host) override {
    Result<a4c::HostUse> use = inner_.Survey(call, host);
    if (after_survey) after_survey();
    if (use) use->items.insert(use->items.end(), volumes.begin(), volumes.end());
    return use;
  }
  Result<void> DiscardImage(const Call& call, const std::string& host,
                            const std::string& id) override {
    if (before_discard) before_discard();
    return inner_.DiscardImage(call, host, id);
  }
  std::function<void()> after_survey;
  std::function<void()> before_discard;
  std::vector<a4c::HostItem> volumes;  // found besides

 private:
  a4c::HostCleanup& inner_;
};

class HostCleanupJob : public ::testing::Test {
 protected:
  void SetUp() override { world_.hosts.cleanup = &cleanup_; }

  void Build(const std::string& tag) {
    std::string tar = TarOf({{"Dockerfile", "FROM busybox:local\nLABEL of=" + tag + "\n"}});
    const auto built = world_.memory_hosts->As<a4c::HostImages>()->Build(
        world_.Within(), {.host = "one", .tag = tag},
        [&]() -> Result<std::string> { return std::exchange(tar, {}); }, [](std::string_view) {});
    ASSERT_TRUE(built) << built.error().ToString();
  }
  void Pull() {
    const auto pulled = world_.memory_hosts->As<a4c::HostImageSupply>()->Pull(
        world_.Within(), "one", kImage, [](std::string_view) {});
    ASSERT_TRUE(pulled) << pulled.error().ToString();
  }
  bool HasImage() {
    const auto found =
        world_.memory_hosts->As<a4c::HostImageSupply>()->Find(world_.Within(), "one", kImage);
    EXPECT_TRUE(found);
    return found && found->has_value();
  }
  std::string Create(const std::string& name, int64_t disk, const std::string& image = "") {
    Json payload = CreatePayload(name, disk);
    if (!image.empty()) payload.Set("image", image);
    std::string id = world_.Submit("workspace.create", std::move(payload)).workspace;
    world_.Work();
    return id;
  }
  Job Clean(bool is_dry = false) {
    Json payload(Json::Object{{"host", "one"}});
    if (is_dry) payload.Set("dry_run", true);
    const Job job = world_.Submit("host.cleanup", std::move(payload));
    world_.Work();
    Job done = world_.GetJob(job.id);
    EXPECT_EQ(done.state, JobState::kSucceeded) << done.message;
    return done;
  }
  void Pass(int64_t ms) { world_.fake.clock().Advance(ms); }

  World world_{kOneServer};
  HookedCleanup cleanup_{*world_.memory_hosts->As<a4c::HostCleanup>()};
};

TEST_F(HostCleanupJob, AnUnusedImageGoesOnceItIsOld) {
  Pull();
  Pass(6 * kDayMs);
  EXPECT_EQ(Clean().result["images_removed"].Int(), 0);
  EXPECT_TRUE(HasImage());
  Pass(2 * kDayMs);
  const Job job = Clean();
  EXPECT_EQ(job.result["images_removed"].Int(), 1) << job.result.ToString();
  EXPECT_EQ(job.result["bytes"].Int(), 1 << 20);
  EXPECT_EQ(job.result["items"].Items()[0]["name"].Text(), kImage);
  EXPECT_FALSE(HasImage());
}

TEST_F(HostCleanupJob, ADryRunTellsAndTakesNothing) {
  Pull();
  Pass(8 * kDayMs);
  const Job job = Clean(true);
  EXPECT_EQ(job.result["images_removed"].Int(), 1);
  EXPECT_EQ(job.result["bytes"].Int(), 1 << 20);
  EXPECT_TRUE(job.result["dry_run"].Bool());
  EXPECT_TRUE(HasImage());
}

TEST_F(HostCleanupJob, AVolumeOfADeletedWorkspaceGoesInEarnestAndNotInADryRun) {
  const std::string id = Create("dev-1", kGiB);
  world_.SubmitFor("workspace.delete", id);
  world_.Work();
  ASSERT_TRUE(world_.Units("one").empty());
  cleanup_.volumes = {
      {.kind = a4c::HostItem::Kind::kVolume, .id = "v", .unit = UnitName(id), .bytes = 7}};
  int removals = 0;
  world_.hosts.before_remove = [&]() -> Result<void> {
    ++removals;
    return {};
  };
  EXPECT_EQ(Clean(true).result["volumes_removed"].Int(), 1);
  EXPECT_EQ(removals, 0);
  const Job job = Clean();
  EXPECT_EQ(job.result["volumes_removed"].Int(), 1) << job.result.ToString();
  EXPECT_EQ(job.result["bytes"].Int(), 7);
  EXPECT_EQ(removals, 1);
}

// Its container has gone, and nothing but its name tells whose the volume is.
TEST_F(HostCleanupJob, AVolumeOfADeletedSnapshotGoesAndThatOfALivingOneStays) {
  const std::string id = Create("dev-1", kGiB);
  const auto snap = [&] {
    const Job job = world_.Submit("workspace.snapshot", Json::Object{{"workspace", id}});
    world_.Work();
    EXPECT_EQ(world_.GetJob(job.id).state, JobState::kSucceeded);
    return job.payload["snapshot"].Text();
  };
  const std::string deleted = snap();
  const std::string living = snap();
  world_.Submit("snapshot.delete", Json::Object{{"snapshot", deleted}});
  world_.Work();
  cleanup_.volumes = {{.kind = a4c::HostItem::Kind::kVolume,
                       .id = "v",
                       .unit = SnapshotUnitName(deleted),
                       .bytes = 7},
                      {.kind = a4c::HostItem::Kind::kVolume,
                       .id = "w",
                       .unit = SnapshotUnitName(living),
                       .bytes = 7}};
  const Job job = Clean();
  EXPECT_EQ(job.result["volumes_removed"].Int(), 1) << job.result.ToString();
  EXPECT_EQ(job.result["bytes"].Int(), 7);
}

TEST_F(HostCleanupJob, AVolumeOfALivingWorkspaceOrOfNobodyStays) {
  const std::string id = Create("dev-1", kGiB);
  cleanup_.volumes = {
      {.kind = a4c::HostItem::Kind::kVolume, .id = "v", .unit = UnitName(id), .bytes = 7},
      {.kind = a4c::HostItem::Kind::kVolume, .id = "w", .unit = "a4c-nobody", .bytes = 7}};
  const Job job = Clean();
  EXPECT_EQ(job.result["volumes_removed"].Int(), 0) << job.result.ToString();
  EXPECT_EQ(job.result["unclaimed"].Int(), 2);
  EXPECT_EQ(world_.Units("one").size(), 1u);
}

TEST_F(HostCleanupJob, AnImageThatALivingWorkspaceNamesStays) {
  Pull();
  Create("waits", 100 * kGiB, kImage);  // never placed
  Pass(30 * kDayMs);
  EXPECT_EQ(Clean().result["images_removed"].Int(), 0);
  EXPECT_TRUE(HasImage());
}

// dockerd calls it "hello:latest".
TEST_F(HostCleanupJob, AnImageThatALivingWorkspaceNamesWithoutItsVersionStays) {
  Build("hello:latest");
  int number = 0;
  for (const std::string name : {"hello", "docker.io/hello", "docker.io/library/hello:latest"}) {
    SCOPED_TRACE(name);
    const std::string id = Create("waits-" + std::to_string(++number), 100 * kGiB, name);
    Pass(30 * kDayMs);
    EXPECT_EQ(Clean().result["images_removed"].Int(), 0);
    world_.SubmitFor("workspace.delete", id);
    world_.Work();
  }
}

TEST_F(HostCleanupJob, OneThatAWorkspaceNamesMeanwhileStays) {
  Pull();
  Pass(30 * kDayMs);
  cleanup_.after_survey = [&] {
    Json payload = CreatePayload("late", kGiB);
    payload.Set("image", kImage);
    world_.Submit("workspace.create", std::move(payload));
    cleanup_.after_survey = nullptr;
  };
  EXPECT_EQ(Clean().result["images_removed"].Int(), 0);
  EXPECT_TRUE(HasImage());
}

// Both are to go; while the first goes, a workspace names each of them.
TEST_F(HostCleanupJob, OneThatAWorkspaceNamesAfterThePlanStays) {
  Pull();
  Build("app:1");
  Pass(30 * kDayMs);
  cleanup_.before_discard = [&] {
    cleanup_.before_discard = nullptr;
    for (const std::string image : {kImage, "app:1"}) {
      Json payload = CreatePayload("late-" + image.substr(0, 3), kGiB);
      payload.Set("image", image);
      world_.Submit("workspace.create", std::move(payload));
    }
  };
  EXPECT_EQ(Clean(true).result["images_removed"].Int(), 2);
  EXPECT_EQ(Clean().result["images_removed"].Int(), 1);
}

TEST_F(HostCleanupJob, ItsAgeIsCountedFromTheLastWorkspaceThatNamedIt) {
  Pull();
  const std::string id = Create("dev-1", kGiB, kImage);
  Pass(30 * kDayMs);
  world_.SubmitFor("workspace.delete", id);
  world_.Work();
  Pass(kDayMs);
  EXPECT_EQ(Clean().result["images_removed"].Int(), 0);
  Pass(7 * kDayMs);
  EXPECT_EQ(Clean().result["images_removed"].Int(), 1);
}

TEST_F(HostCleanupJob, AFullDiskGivesUpYoungerImagesAndSaysSo) {
  Pull();
  Create("big", 8 * kGiB + 600 * (1 << 20));
  Pass(2 * 3'600'000);
  world_.Step("hosts");
  const Job job = Clean();
  EXPECT_TRUE(job.result["pressed"].Bool()) << job.result.ToString();
  EXPECT_EQ(job.result["images_removed"].Int(), 1);
  EXPECT_EQ(world_.Units("one").size(), 1u) << "a living workspace was removed";
}

TEST_F(HostCleanupJob, TheLoopAsksForAFullServerOnceInAWhile) {
  Create("big", 8 * kGiB + 600 * (1 << 20));
  world_.Step("hosts");
  const auto cleanups = [&] {
    const auto page = world_.instance.jobs.List(world_.Within(), "default", {});
    EXPECT_TRUE(page);
    return page ? page->jobs.size() : 0;
  };
  world_.Step("cleanup");
  world_.Step("cleanup");
  EXPECT_EQ(cleanups(), 1u);
  const auto warnings = [&] { return world_.fake.log().CountOf("disk is nearly full"); };
  EXPECT_EQ(warnings(), 1) << "it is told at every look";
  Pass(10 * 60'000);
  world_.Step("hosts");
  world_.Step("cleanup");
  EXPECT_EQ(cleanups(), 2u);
  EXPECT_EQ(warnings(), 2);
}

TEST_F(HostCleanupJob, TheLoopGoesRoundAllServersAtTheTurnOfAPeriod) {
  world_.Step("hosts");
  world_.Step("cleanup");
  const auto count = [&] {
    const auto page = world_.instance.jobs.List(world_.Within(), "default", {});
    return page ? page->jobs.size() : 0;
  };
  EXPECT_EQ(count(), 0u) << "not at each start";
  Pass(kDayMs);
  world_.Step("hosts");
  world_.Step("cleanup");
  world_.Step("cleanup");
  EXPECT_EQ(count(), 1u);
}

}  // namespace
}  // namespace a4cd::testing
