#include "tests/simulation/world.h"

#include <algorithm>
#include <utility>

#include "tests/simulation/app/app_world.h"
#include "tests/simulation/nasty.h"

namespace a4c::simulation {
namespace {

constexpr int kPollLoops = 2;  // as a4cd has by default
constexpr int64_t kTombstoneKeepMs = 10 * 60'000;
// All is searchable so long after the last fault: a poll period, a due time, a refresh.
constexpr int64_t kSearchableMs = 36'500;
// With the records that a failover took back from under the index, which only the digests find.
constexpr int64_t kVerifyPeriodMs = 60'000;
constexpr int64_t kVerifyPauseMs = 10'000;
constexpr int64_t kRepairedMs = 100'000;
constexpr int64_t kRejectionsMs = 110'000;
// A rebuild whose instance was lost is taken over, and proven in two rounds of the pollers.
constexpr int64_t kRebuiltMs = 10 * 60'000;
constexpr int64_t kShortStallMs = 500;

// The longest that DieInHand waits for a row to be taken: a due time and a period.
constexpr int64_t kTakenMs = 35'000;

DatabaseOptions OptionsOf(uint64_t seed) {
  testing::SeededRandom random(seed ^ 0x5eed);
  DatabaseOptions options;
  options.group_commit.flushers = testing::Below(random, 4) == 0 ? 2 : 1;
  options.group_commit.group_batches_max = testing::Below(random, 2) == 0 ? 2 : 512;
  options.sync_batch_max = testing::Below(random, 2) == 0 ? 3 : 500;
  options.rejections_max = 3;
  options.tombstone_keep_ms = kTombstoneKeepMs;
  options.verify_period_ms = kVerifyPeriodMs;
  // Of some seeds a rebuild is given up for little, whatever it is at.
  if (testing::Below(random, 2) == 0) options.rebuild_stall_ms = kShortStallMs;
  return options;
}

Faults FaultsOf(testing::SeededRandom& random) {
  const auto some = [&random](int most) {
    return testing::Below(random, 2) == 0
               ? 0
               : static_cast<int>(testing::Below(random, static_cast<uint64_t>(most) + 1));
  };
  return {.error = some(60),
          .unknown = some(80),
          .late = some(40),
          .slow = some(80),
          .slow_ms_max = testing::Below(random, 2) == 0 ? 50 : 3'000,
          .hint_lost = some(300),
          .hint_twice = some(100),
          .document_retry = some(150),
          .refreshed_early = some(300),
          .crash = some(300)};
}

}  // namespace

Scenario ScenarioOf(uint64_t seed) {
  testing::SeededRandom random(seed ^ 0x5ce4a210);
  Scenario scenario{.name = "calm"};
  scenario.instances = 2 + static_cast<int>(testing::Below(random, 2));
  scenario.clients = 2 + static_cast<int>(testing::Below(random, 3));
  scenario.operations = 6 + static_cast<int>(testing::Below(random, 8));
  static constexpr int64_t kPausesMs[] = {8'000, 1'500, 30};
  scenario.pause_ms = kPausesMs[testing::Below(random, 3)];
  scenario.purges = testing::Below(random, 4) == 0;
  if (seed % 10 == 0) return scenario;
  scenario.faults = FaultsOf(random);
  scenario.bus = testing::Below(random, 5) != 0;
  scenario.crashes = testing::Below(random, 2) == 0;
  if (!scenario.crashes) scenario.faults.crash = 0;
  scenario.name = "faults";
  if (seed % 10 == 1) scenario.lossy = true, scenario.name = "lossy failover";
  if (seed % 10 == 2 || seed % 10 == 3) {
    scenario.failovers = true;
    scenario.fate_pause_ms = 1'500;
    scenario.name = "failover";
    scenario.faults.unknown = std::max(scenario.faults.unknown, 60);
  }
  return scenario;
}

Scenario ScenarioOf(uint64_t seed, std::string_view ground) {
  // A seed with faults and without failovers, to begin with.
  Scenario scenario = ScenarioOf(ground.empty() ? seed : seed * 10 + 4);
  if (ground.empty()) return scenario;
  scenario.name = ground;
  if (ground == "crowd") {
    scenario.clients = 8;
    scenario.operations = 12;
    scenario.pause_ms = 30;
    scenario.faults.slow = 300;
    scenario.faults.slow_ms_max = 50;
  } else if (ground == "failover" || ground == "lossy") {
    scenario.failovers = ground == "failover";
    scenario.lossy = ground == "lossy";
    scenario.clients = 4;
    scenario.operations = 16;
    scenario.pause_ms = 400;
    scenario.fate_pause_ms = 1'000;
    scenario.faults.unknown = std::max(scenario.faults.unknown, 60);
  } else if (ground == "hand") {
    scenario.instances = 2;
    scenario.bus = true;
    scenario.dies_in_hand = true;
    scenario.faults.hint_lost = 1000;
  } else if (ground == "outage") {
    scenario.faults.document_retry = 300;
    scenario.fate_pause_ms = 2'000;
  } else if (ground == "purge") {
    scenario.purges = true;
  } else if (ground == "rebuild") {
    scenario.rebuilds = true;
    scenario.faults.document_retry = std::max(scenario.faults.document_retry, 150);
    scenario.faults.slow = std::max(scenario.faults.slow, 60);
    scenario.operations = 20;
    scenario.pause_ms = 4'000;
    scenario.fate_pause_ms = 3'000;
  }
  return scenario;
}

Outcome RunSeed(uint64_t seed, const RunOptions& options) {
  Simulation simulation({.seed = seed, .trace = options.trace});
  if (options.ground == "app" || options.ground == "overtaken") {
    const bool overtaken = options.ground == "overtaken";
    simulation.Run([&] { AppWorld(simulation, AppScenarioOf(seed, overtaken), seed).Run(); });
    return {seed, options.ground, simulation.failure(), simulation.trace_hash(),
            simulation.steps()};
  }
  const Scenario scenario = ScenarioOf(seed, options.ground);
  simulation.Run([&] {
    World world(simulation, scenario, seed, options.history);
    world.Run();
  });
  return {seed, scenario.name, simulation.failure(), simulation.trace_hash(), simulation.steps()};
}

Instance::Instance(World& world, size_t slot, uint64_t seed)
    : world_(world),
      process_{.name = "i" + std::to_string(slot)},
      runtime_(world.simulation(), &process_, seed,
               static_cast<int64_t>(world.simulation().Below(20'000)) - 10'000),
      store_(NewNastyStore(world.cluster(), process_)),
      bus_(NewNastyBus(world.cluster(), process_)),
      index_(NewNastyIndex(world.cluster(), process_)),
      database_(
          std::make_unique<Database>(Backends{.store = *store_,
                                              .bus = world.scenario().bus ? bus_.get() : nullptr,
                                              .index = index_.get()},
                                     runtime_.runtime(), OptionsOf(world.seed()))) {}

Instance::~Instance() {
  const Simulation::Still still;
  threads_.clear();
  loops_.clear();
  database_.reset();
}

bool Instance::Boot() {
  const Simulation::In in(world_.simulation(), &process_);
  for (;;) {
    const auto opened = database_->Open(Call::Within(runtime_.clock(), 10'000),
                                        {{.kind = PhotoKind(), .searchable = true}});
    if (opened) break;
    world_.simulation().Sleep(200);
  }
  if (world_.scenario().bus) Start(database_->NewSyncLoop("photo"), 0);
  for (int part = 0; part < kPollLoops; ++part) {
    Start(database_->NewPollLoop("photo", part, kPollLoops), 60'000);
  }
  Start(database_->NewPurgeLoop("photo"), 20'000);
  if (world_.scenario().failovers || world_.scenario().lossy) {
    Start(database_->NewVerifyLoop("photo"), kVerifyPauseMs);
  }
  if (world_.scenario().rebuilds) {
    Start(database_->NewRebuildLoop("photo"), 1'000);
    Start(database_->NewRepairLoop("photo"), 1'000);
  }
  up_ = true;
  return true;
}

void Instance::Start(std::unique_ptr<Loop> loop, int64_t pause_ms_max) {
  Loop& driven = *loop;
  loops_.push_back(std::move(loop));
  threads_.push_back(runtime_.runtime().threads.Start(
      driven.name(), [this, &driven, pause_ms_max](const std::stop_token& stop) {
        Drive(driven, pause_ms_max, stop);
      }));
}

void Instance::Drive(Loop& loop, int64_t pause_ms_max, const std::stop_token& stop) {
  Simulation& simulation = world_.simulation();
  while (!stop.stop_requested()) {
    const auto next = loop.Step(Call::Within(runtime_.clock(), 10'000, stop));
    if (!next) simulation.Note(loop.name() + ": " + next.error().ToString());
    simulation.Sleep(next ? std::min(*next, pause_ms_max)
                          : 500 + static_cast<int64_t>(simulation.Below(500)));
  }
}

void Instance::StopLoops() {
  for (const auto& thread : threads_) thread->RequestStop();
  for (const auto& thread : threads_) thread->Join();
}

World::World(Simulation& simulation, const Scenario& scenario, uint64_t seed, std::FILE* history)
    : simulation_(simulation),
      scenario_(scenario),
      seed_(seed),
      cluster_(simulation, scenario.faults),
      history_(simulation, cluster_),
      history_file_(simulation, history),
      runtime_(simulation, nullptr, seed),
      instances_(static_cast<size_t>(scenario.instances)) {
  cluster_.rebuilds = scenario.rebuilds;
}

World::~World() {
  operators_.clear();
  cluster_.Drain();
}

Instance* World::AnyInstance() {
  std::vector<Instance*> up;
  for (const auto& instance : instances_) {
    if (instance != nullptr && instance->up()) up.push_back(instance.get());
  }
  return up.empty() ? nullptr : up[simulation_.Below(up.size())];
}

// Keeps one instance running: after a crash, another one starts on the same back ends.
void World::Operate(size_t slot, const std::stop_token& stop) {
  for (uint64_t life = 1; !stop.stop_requested(); ++life) {
    instances_[slot] = std::make_unique<Instance>(*this, slot, seed_ * 1000 + slot * 100 + life);
    Instance& instance = *instances_[slot];
    try {
      instance.Boot();
      while (!stop.stop_requested() && !instance.process().crashed) simulation_.Sleep(100);
      if (!instance.process().crashed) instance.StopLoops();
    } catch (const Crashed&) {
    }
    while (instance.process().inside > 0) simulation_.Sleep(10);
    found_by_pollers_ += instance.runtime().metrics().CountOf("a4c_poll_found_total");
    healed_ += instance.runtime().metrics().CountOf("a4c_sync_healed_total");
    const bool for_good = instance.process().for_good;
    instances_[slot].reset();
    if (for_good) return;
    if (!stop.stop_requested()) simulation_.Sleep(static_cast<int64_t>(simulation_.Below(3'000)));
  }
}

void World::CrashOne() {
  Instance* const instance = AnyInstance();
  if (instance == nullptr) return;
  simulation_.Note("crash of " + instance->process().name);
  instance->process().crashed = true;
}

// A member of the consumers' group that takes hints and does nothing with them, for a while.
void World::TakeHints() {
  simulation_.Note("a consumer that only takes");
  const std::shared_ptr<Bus> bus = cluster_.bus();
  std::unique_ptr<Subscription> member;
  for (int turn = 0; turn < 3; ++turn) {
    {
      const Simulation::Still still;
      const Call now = Call::Within(runtime_.clock(), 0);
      if (member == nullptr) {
        auto joined = bus->Subscribe(now, "photo-sync", "a4c-sync", StartAt::kEarliest);
        if (joined) member = *std::move(joined);
      }
      if (member != nullptr) (void)member->Poll(now, 100);
    }
    simulation_.Sleep(static_cast<int64_t>(simulation_.Below(1'000)));
  }
  const Simulation::Still still;
  member.reset();
}

// The index takes no document for a while.
void World::IndexOutage() {
  simulation_.Note("the index is out");
  const int before = cluster_.faults.document_retry;
  cluster_.faults.document_retry = 1000;
  simulation_.Sleep(static_cast<int64_t>(simulation_.Below(6'000)));
  cluster_.faults.document_retry = before;
}

void World::Befall(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    simulation_.Sleep(100 + static_cast<int64_t>(
                                simulation_.Below(static_cast<uint64_t>(scenario_.fate_pause_ms))));
    if (stop.stop_requested()) return;
    const uint64_t what = simulation_.Below(6);
    if (what == 5) IndexOutage();
    if (what == 0 && scenario_.crashes) CrashOne();
    if (what == 1 && scenario_.bus) cluster_.WipeTopics();
    if (what == 2 && scenario_.bus) TakeHints();
    if ((what == 3 || what == 4) && scenario_.failovers) cluster_.FailOver(0);
    if (what == 3 && scenario_.lossy) cluster_.FailOver(1 + simulation_.Below(5));
    if ((what == 3 || what == 4) && scenario_.rebuilds) TurnToIndex();
    if (what == 4) {
      if (Instance* instance = AnyInstance()) {
        instance->runtime().clock().Jump(static_cast<int64_t>(simulation_.Below(60'000)) - 30'000);
      }
    }
  }
}

// An operator starts a rebuild, mostly; or a repair, or gives a rebuild up, or clears up after it.
void World::TurnToIndex() {
  Instance* const instance = AnyInstance();
  if (instance == nullptr) return;
  const Call call = Call::Within(instance->runtime().clock(), 5'000);
  const uint64_t what = simulation_.Below(8);
  try {
    const Simulation::In in(simulation_, &instance->process());
    Database& database = instance->database();
    const auto told = [this](const char* which, const auto& result) {
      simulation_.Note(std::string(which) + ": " + (result ? "yes" : result.error().ToString()));
    };
    if (what < 5) told("rebuild", database.StartTask(call, "photo", SyncWork::kRebuild));
    if (what == 5) told("repair", database.StartTask(call, "photo", SyncWork::kRepair));
    if (what == 6) told("cancel", database.CancelTask(call, "photo", SyncWork::kRebuild));
    if (what == 7) told("drop old", database.DropOldGenerations(call, "photo"));
  } catch (const Crashed&) {
  }
}

// What is under way ends well without faults, and so does one more.
void World::RebuildOnce() {
  Instance* const instance = AnyInstance();
  if (instance == nullptr) return simulation_.Fail("no instance is up");
  const Simulation::In in(simulation_, &instance->process());
  const int64_t until_ms = cluster_.StoreTimeMs() + kRebuiltMs;
  int started = 0;
  while (cluster_.StoreTimeMs() < until_ms) {
    const Call call = Call::Within(instance->runtime().clock(), 60'000);
    const auto found = instance->database().FindTask(call, "photo", SyncWork::kRebuild);
    const bool runs = found && *found && (*found)->state == SyncTask::State::kRunning;
    const bool good = found && *found && (*found)->state == SyncTask::State::kSucceeded;
    if (started > 0 && good) return;
    if (!runs && started++ == 0)
      (void)instance->database().StartTask(call, "photo", SyncWork::kRebuild);
    simulation_.Sleep(1'000);
  }
  simulation_.Fail("a rebuild has not ended well");
}

void World::Run() {
  for (size_t slot = 0; slot < instances_.size(); ++slot) {
    operators_.push_back(runtime_.runtime().threads.Start(
        "operator", [this, slot](const std::stop_token& stop) { Operate(slot, stop); }));
  }
  std::vector<std::unique_ptr<Thread>> clients;
  for (int number = 0; number < scenario_.clients; ++number) {
    clients.push_back(runtime_.runtime().threads.Start(
        "client" + std::to_string(number),
        [this, number](const std::stop_token&) { RunClient(number); }));
  }
  std::unique_ptr<Thread> fate;
  if (scenario_.name != "calm") {
    fate = runtime_.runtime().threads.Start("fate",
                                            [this](const std::stop_token& stop) { Befall(stop); });
  }
  for (const auto& client : clients) client->Join();
  fate.reset();
  if (scenario_.dies_in_hand) DieInHand();
  simulation_.Sleep(0);  // unwinds, if the run has failed
  simulation_.Note("no more faults");
  cluster_.faults = {};
  cluster_.Drain();
  Finish();
}

// The last fault: a poller is lost with a row in hand, and nobody starts its instance again.
void World::DieInHand() {
  simulation_.Note("the next poller that takes a row dies");
  cluster_.faults.crash = 0;
  cluster_.next_taker_dies = true;
  for (int64_t waited_ms = 0; cluster_.next_taker_dies && waited_ms < kTakenMs; waited_ms += 100) {
    simulation_.Sleep(100);
  }
  cluster_.next_taker_dies = false;
}

void World::Finish() {
  const bool failed_over = cluster_.failovers() > 0;
  simulation_.Sleep(failed_over ? kRepairedMs : kSearchableMs);
  history_.CheckLog();
  history_.CheckOutbox(false);
  history_.CheckEqual(false);
  simulation_.Sleep(0);
  const bool poison = std::ranges::any_of(history_.attempts(), &Attempt::poison);
  if (poison) simulation_.Sleep(kRejectionsMs);
  history_.CheckOutbox(true);
  if (scenario_.rebuilds) {
    RebuildOnce();
    history_.CheckEqual(false);
    simulation_.Sleep(0);
  }
  if (scenario_.purges) {
    simulation_.Note("tombstones are old");
    simulation_.Sleep(kTombstoneKeepMs + 60'000);
    history_.CheckEqual(true);
    simulation_.Sleep(0);
  }
  for (const auto& instance_operator : operators_) instance_operator->RequestStop();
  for (const auto& instance_operator : operators_) instance_operator->Join();
  CheckCalm();
}

void World::CheckCalm() {
  if (scenario_.name == "calm" && found_by_pollers_ > 0) {
    simulation_.Fail("pollers found " + std::to_string(found_by_pollers_) + " without a fault");
  }
  if (cluster_.failovers() == 0 && healed_ > 0) {
    simulation_.Fail("records were healed though the store lost nothing");
  }
}

}  // namespace a4c::simulation
