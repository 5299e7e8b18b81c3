// Cleanups of a server while its workspaces are made, stopped, started and deleted by another
// worker, in an order from a seed: no living workspace loses its unit or its image.
//
// A4C_TEST_RACES: how many; A4C_TEST_SEED.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "tests/integration/support/work_fixture.h"
#include "tests/support/seeded_random.h"

namespace a4cd::testing {
namespace {

const a4c::MemoryHostOptions kOneServer{.servers = {{.id = "one", .disk_total_bytes = 100 * kGiB}}};
constexpr const char* kImage = "registry.local/busybox:1";
constexpr size_t kWorkspacesMax = 4;

uint64_t Number(const char* variable, uint64_t fallback) {
  const char* text = std::getenv(variable);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

// Lets the other worker go on before and after what a cleanup does.
class RacingCleanup final : public a4c::HostCleanup {
 public:
  RacingCleanup(a4c::HostCleanup& inner, std::function<void()> race)
      : inner_(inner), race_(std::move(race)) {}
  Result<a4c::HostUse> Survey(const Call& call, const std::string& host) override {
    race_();
    Result<a4c::HostUse> use = inner_.Survey(call, host);
    race_();
    return use;
  }
  Result<void> DiscardImage(const Call& call, const std::string& host,
                            const std::string& id) override {
    race_();
    Result<void> done = inner_.DiscardImage(call, host, id);
    if (done) ++discarded;
    return done;
  }
  int64_t discarded = 0;

 private:
  a4c::HostCleanup& inner_;
  const std::function<void()> race_;
};

class CleanupRaces : public ::testing::Test {
 protected:
  void SetUp() override {
    world_.hosts.cleanup = &cleanup_;
    world_.hosts.before_ensure = [&](const Unit&) -> Result<void> {
      Race();
      return {};
    };
    world_.hosts.before_remove = [&]() -> Result<void> {
      Race();
      return {};
    };
    for (auto& loop : other_.worker.NewWorkLoops()) loops_.push_back(std::move(loop));
  }

  // One step of the other worker, not within another one.
  void Race() {
    if (racing_ || random_.Next() % 2 == 0) return;
    racing_ = true;
    const auto step = loops_[0]->Step(world_.Within());
    EXPECT_TRUE(step) << step.error().ToString();
    racing_ = false;
  }

  std::vector<Workspace> Living() {
    const auto page = world_.instance.jobs.ListWorkspaces(world_.Within(), kTenant, "", 100);
    EXPECT_TRUE(page);
    std::vector<Workspace> living;
    for (const Workspace& one : page ? page->workspaces : std::vector<Workspace>()) {
      if (one.desired != "deleted") living.push_back(one);
    }
    return living;
  }

  void SubmitSomething(const std::vector<Workspace>& living) {
    // Now and then there is none, and the image may go.
    if (living.empty() && random_.Next() % 2 == 0) return;
    if (living.empty() || (living.size() < kWorkspacesMax && random_.Next() % 4 == 0)) {
      Json payload = CreatePayload("ws-" + std::to_string(++created_));
      payload.Set("image", kImage);
      world_.Submit("workspace.create", std::move(payload));
      return;
    }
    static constexpr const char* kSteps[] = {"workspace.stop", "workspace.start",
                                             "workspace.delete"};
    world_.SubmitFor(kSteps[std::min<uint64_t>(2, random_.Next() % 5)],
                     living[random_.Next() % living.size()].id);
  }

  void Check() {
    const std::vector<UnitStatus> units = world_.Units("one");
    const auto image =
        world_.memory_hosts->As<a4c::HostImageSupply>()->Find(world_.Within(), "one", kImage);
    for (const Workspace& workspace : Living()) {
      if (workspace.actual != "running" && workspace.actual != "stopped") continue;
      EXPECT_EQ(std::ranges::count(units, UnitName(workspace.id), &UnitStatus::name), 1)
          << workspace.id << " is " << workspace.actual << ", and its unit is gone";
      EXPECT_TRUE(image && *image) << "the image of " << workspace.id << " is gone";
    }
  }

  const uint64_t seed_ = Number("A4C_TEST_SEED", 1);
  a4c::testing::SeededRandom random_{seed_};
  bool racing_ = false;
  int created_ = 0;
  World world_{kOneServer};
  Instance other_{world_.fake.runtime(), *world_.store, world_.hosts, {}};
  RacingCleanup cleanup_{*world_.memory_hosts->As<a4c::HostCleanup>(), [this] { Race(); }};
  std::vector<std::unique_ptr<a4c::Loop>> loops_;
};

TEST_F(CleanupRaces, NoLivingWorkspaceLosesAnything) {
  const uint64_t races = Number("A4C_TEST_RACES", 1'000);
  for (uint64_t i = 0; i < races && !HasFailure(); ++i) {
    SubmitSomething(Living());
    world_.Submit("host.cleanup", Json::Object{{"host", "one"}});
    // Images become old between two looks, jobs that wait for the server become due.
    world_.WorkAfter(random_.Next() % 2 == 0 ? 8 * 24 * 3'600'000LL : 6'000);
    for (int more = 0; more < 3; ++more) world_.WorkAfter(6'000);
    Check();
  }
  EXPECT_GT(cleanup_.discarded, 0) << "nothing was ever cleaned up: no race at all";
  std::printf("%llu races, seed %llu: %lld images were discarded\n",
              static_cast<unsigned long long>(races), static_cast<unsigned long long>(seed_),
              static_cast<long long>(cleanup_.discarded));
}

}  // namespace
}  // namespace a4cd::testing
