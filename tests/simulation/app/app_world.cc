#include "tests/simulation/app/app_world.h"

#include <algorithm>
#include <set>
#include <utility>

#include "apps/a4cd/jobs/kinds.h"
#include "apps/a4cd/placement/reservations.h"
#include "tests/simulation/nasty.h"

namespace a4c::simulation {
namespace {

// Within which all jobs end once there are no faults: leases, retries, and servers that are asked
// again, several times over.
constexpr int64_t kJobsEndMs = 240'000;
constexpr int64_t kLookMs = 2'000;
// In which servers that were away are asked again, and the reconcilers go round often enough for
// what they have to see twice.
constexpr int64_t kReconciledMs = 30'000;

a4cd::WorkerOptions OptionsOf() {
  a4cd::WorkerOptions options;
  options.work = {.lease_ms = 6'000,
                  .idle_period_ms = 1'500,
                  .watch_period_ms = 1'500,
                  .retry_wait_ms = 500,
                  .retry_wait_max_ms = 4'000,
                  .capacity_wait_ms = 2'500,
                  .run_timeout_ms = 40'000,
                  .store_timeout_ms = 4'000};
  options.disks = {.period_ms = 6'000,
                   .host_timeout_ms = 3'000,
                   .patience_ms = 1'000,
                   .apart_wait_max_ms = 6'000};
  options.reconciler = {
      .period_ms = 5'000, .host_timeout_ms = 3'000, .patience_ms = 1'000, .hosts_at_once = 2};
  return options;
}

}  // namespace

AppScenario AppScenarioOf(uint64_t seed, bool overtaken) {
  testing::SeededRandom random(seed ^ 0xa99);
  const auto below = [&random](uint64_t bound) {
    return static_cast<int>(testing::Below(random, bound));
  };
  AppScenario scenario;
  scenario.instances = 2 + below(2);
  scenario.servers = 1 + below(3);
  scenario.users = 2 + below(2);
  scenario.operations = 4 + below(5);
  scenario.pause_ms = below(2) == 0 ? 1'000 : 6'000;
  scenario.writers_commit_alone = below(4) != 0;
  if (overtaken) {
    scenario.name = "overtaken";
    scenario.instances = 3;
    scenario.servers = 1;
    scenario.faults = {.late = 150, .late_ms_max = 15'000, .slow = 100, .slow_ms_max = 6'000};
    return scenario;
  }
  if (seed % 10 == 0) return scenario;
  scenario.crashes = below(2) == 0;
  scenario.failovers = below(4) == 0;
  scenario.servers_away = below(3) == 0;
  scenario.faults = {.error = below(2) * below(40),
                     .unknown = 20 + below(80),
                     .late = below(2) * below(60),
                     .slow = 5 + below(40),
                     .slow_ms_max = below(2) == 0 ? 50 : 3'000,
                     .crash = scenario.crashes ? below(150) : 0};
  return scenario;
}

AppInstance::AppInstance(AppWorld& world, size_t slot, uint64_t seed)
    : world_(world),
      process_{.name = "i" + std::to_string(slot)},
      runtime_(world.simulation(), &process_, seed,
               static_cast<int64_t>(world.simulation().Below(20'000)) - 10'000),
      store_(NewNastyStore(world.cluster(), process_)),
      hosts_(NewNastyHosts(world.cluster(), world.fleet(), process_)),
      ids_(runtime_.runtime().clock, runtime_.runtime().random),
      database_(std::make_unique<Database>(
          Backends{.store = *store_}, runtime_.runtime(),
          DatabaseOptions{
              .group_commit = {.flushers = world.scenario().writers_commit_alone ? 1'000 : 1}})),
      jobs_(*database_, runtime_.runtime(), ids_) {}

AppInstance::~AppInstance() {
  const Simulation::Still still;
  loops_.reset();
  singletons_.reset();
  worker_.reset();
  database_.reset();
}

void AppInstance::Boot() {
  const Simulation::In in(world_.simulation(), &process_);
  while (!database_->Open(Call::Within(runtime_.clock(), 10'000), a4cd::AllCollections())) {
    world_.simulation().Sleep(200);
  }
  worker_.emplace(*database_, *store_, *hosts_, jobs_, ids_, runtime_.runtime(), OptionsOf());
  loops_.emplace(runtime_.runtime());
  singletons_.emplace(
      *database_, *store_, runtime_.runtime(), process_.name,
      a4cd::SingletonOptions{.lease_ms = 9'000, .look_period_ms = 3'000, .retry_wait_ms = 2'000});
  for (auto& loop : worker_->NewWorkLoops()) loops_->Start("worker", std::move(loop));
  for (auto& loop : worker_->NewSingletons()) {
    loops_->Start("worker", singletons_->Wrap(std::move(loop)));
  }
  loops_->Start("hosts", worker_->NewEnrolmentLoop());
  up_ = true;
}

void AppInstance::StopLoops() {
  loops_->Stop();
}

AppWorld::AppWorld(Simulation& simulation, const AppScenario& scenario, uint64_t seed)
    : simulation_(simulation),
      scenario_(scenario),
      seed_(seed),
      cluster_(simulation, scenario.faults),
      fleet_(simulation, cluster_, scenario.servers),
      watcher_(simulation, cluster_, fleet_, scenario.writers_commit_alone),
      runtime_(simulation, nullptr, seed),
      instances_(static_cast<size_t>(scenario.instances)) {
  cluster_.watcher = &watcher_;
}

AppWorld::~AppWorld() {
  operators_.clear();
  cluster_.Drain();
}

AppInstance* AppWorld::AnyInstance() {
  std::vector<AppInstance*> up;
  for (const auto& instance : instances_) {
    if (instance != nullptr && instance->up()) up.push_back(instance.get());
  }
  return up.empty() ? nullptr : up[simulation_.Below(up.size())];
}

void AppWorld::Operate(size_t slot, const std::stop_token& stop) {
  for (uint64_t life = 1; !stop.stop_requested(); ++life) {
    instances_[slot] = std::make_unique<AppInstance>(*this, slot, seed_ * 1000 + slot * 100 + life);
    AppInstance& instance = *instances_[slot];
    try {
      instance.Boot();
      while (!stop.stop_requested() && !instance.process().crashed) simulation_.Sleep(250);
      if (!instance.process().crashed) instance.StopLoops();
    } catch (const Crashed&) {
    }
    while (instance.process().inside > 0) simulation_.Sleep(10);
    instances_[slot].reset();
    if (!stop.stop_requested()) simulation_.Sleep(static_cast<int64_t>(simulation_.Below(3'000)));
  }
}

void AppWorld::Befall(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    simulation_.Sleep(500 + static_cast<int64_t>(simulation_.Below(5'000)));
    if (stop.stop_requested()) return;
    const uint64_t what = simulation_.Below(4);
    AppInstance* const instance = AnyInstance();
    if (what == 0 && scenario_.crashes && instance != nullptr) {
      simulation_.Note("crash of " + instance->process().name);
      instance->process().crashed = true;
    }
    if (what == 1 && scenario_.failovers) cluster_.FailOver(0);
    if (what == 2 && instance != nullptr) {
      // Wrong by half a minute at most: jobs are due by the clock of who made them.
      SimClock& clock = instance->runtime().clock();
      const int64_t wrong_ms = static_cast<int64_t>(simulation_.Below(60'000)) - 30'000;
      clock.Jump(cluster_.StoreTimeMs() + wrong_ms - clock.NowMs());
    }
    if (what == 3 && scenario_.servers_away) {
      const std::string& server = fleet_.servers()[simulation_.Below(fleet_.servers().size())];
      fleet_.SetAway(server, !fleet_.IsAway(server));
    }
  }
}

void AppWorld::Run() {
  fleet_.PlantForeign(fleet_.servers().front(), "0197a4c0-0000-7000-8000-000000000001");
  for (size_t slot = 0; slot < instances_.size(); ++slot) {
    operators_.push_back(runtime_.runtime().threads.Start(
        "operator", [this, slot](const std::stop_token& stop) { Operate(slot, stop); }));
  }
  std::vector<std::unique_ptr<Thread>> users;
  for (int number = 0; number < scenario_.users; ++number) {
    users.push_back(runtime_.runtime().threads.Start(
        "user" + std::to_string(number),
        [this, number](const std::stop_token&) { RunUser(number); }));
  }
  std::unique_ptr<Thread> fate = runtime_.runtime().threads.Start(
      "fate", [this](const std::stop_token& stop) { Befall(stop); });
  for (const auto& user : users) user->Join();
  fate.reset();
  simulation_.Sleep(0);  // unwinds, if the run has failed
  simulation_.Note("no more faults");
  cluster_.faults = {};
  for (const std::string& server : fleet_.servers()) fleet_.SetAway(server, false);
  cluster_.Drain();
  Finish();
}

std::vector<Record> AppWorld::All(const std::string& kind) {
  auto page = cluster_.Scan({.kind = kind, .limit = 10'000});
  if (!page) simulation_.Fail("the " + kind + "s cannot be read");
  return page ? std::move(page->records) : std::vector<Record>();
}

// Whether they have ended, or wait for room that there is not: themselves, or behind one of the
// same subject. Behind any, also a create: clocks differ, so that a start may be older than it.
bool AppWorld::CheckJobs(bool all_end, std::string& waits_for) {
  std::vector<a4cd::Job> jobs;
  std::set<std::string> without_room;
  for (const Record& record : All("job")) {
    auto job = a4cd::JobOf(record);
    if (!job) simulation_.Fail("no job: " + record.ref.key.id);
    if (job->state == a4cd::JobState::kPending && job->reason == a4cd::reason::kNoCapacity) {
      without_room.insert(job->subject);
    }
    jobs.push_back(*std::move(job));
  }
  for (const a4cd::Job& job : jobs) {
    if (job.finished()) continue;
    const bool waits = job.state == a4cd::JobState::kPending && without_room.contains(job.subject);
    if (waits && !all_end) continue;
    waits_for = job.type + " " + job.id + ": " + std::string(a4cd::JobStateName(job.state)) + ", " +
                job.reason + ", " + job.message;
    return false;
  }
  return true;
}

void AppWorld::WaitForJobs(bool all_end) {
  std::string waits_for;
  for (int64_t waited_ms = 0; waited_ms < kJobsEndMs; waited_ms += kLookMs) {
    simulation_.Sleep(kLookMs);
    if (CheckJobs(all_end, waits_for)) return;
  }
  simulation_.Fail("a job does not end: " + waits_for);
}

// Of each living workspace that has a server there is one reservation, and no other; what runs has
// one.
void AppWorld::CheckReservations() {
  std::set<std::string> reserved;
  for (const Record& record : All("reservation")) reserved.insert(record.ref.key.id);
  std::set<std::string> units;
  for (const std::string& server : fleet_.servers()) {
    const auto listed = fleet_.List(server);
    if (!listed) simulation_.Fail("the units of " + server + " cannot be listed");
    for (const UnitStatus& unit : *listed) units.insert(server + "/" + unit.name);
  }
  for (const Record& record : All("workspace")) {
    const auto workspace = a4cd::WorkspaceOf(record);
    if (!workspace || workspace->host.empty()) continue;
    if (reserved.erase(workspace->host + "/" + workspace->id) == 0) {
      simulation_.Fail("no reservation for " + workspace->id);
    }
    if (workspace->actual == "running" &&
        !units.contains(workspace->host + "/" + a4cd::UnitName(workspace->id))) {
      simulation_.Fail("called running, and not there: " + workspace->id);
    }
  }
  if (!reserved.empty()) simulation_.Fail("a reservation of nothing: " + *reserved.begin());
}

void AppWorld::DeleteAll() {
  for (int round = 1; !All("workspace").empty(); ++round) {
    if (round > 5) simulation_.Fail("a workspace cannot be deleted");
    for (const Record& record : All("workspace")) {
      a4cd::JobDraft draft;
      draft.type = "workspace.delete";
      draft.payload = Json::Object{{"workspace", record.ref.key.id}};
      Ask(*this, "last-" + std::to_string(round) + record.ref.key.id,
          [&draft](a4cd::JobService& jobs, const Call& call) {
            return jobs.PrepareCreate(call, kUser, draft);
          });
    }
    for (const Record& record : All("job")) {
      const auto job = a4cd::JobOf(record);
      if (!job || job->type != "workspace.delete" || !job->finished()) continue;
      if (job->state == a4cd::JobState::kSucceeded) continue;
      Ask(*this, "again-" + std::to_string(round) + job->id,
          [id = job->id](a4cd::JobService& jobs, const Call& call) -> Result<a4cd::PreparedWrite> {
            A4C_TRY(const a4cd::Job failed, jobs.Get(call, "acme", id));
            return jobs.PrepareRetry(kUser, failed);
          });
    }
    WaitForJobs(true);
  }
}

void AppWorld::Finish() {
  WaitForJobs(false);
  simulation_.Sleep(kReconciledMs);
  CheckReservations();
  for (const std::string& id : jobs_) {
    const RecordRef ref = a4cd::JobRef("acme", id);
    const auto found = cluster_.Get(std::span(&ref, 1));
    if (!found || !found->records[0]) simulation_.Fail("acknowledged, and gone: job " + id);
  }
  simulation_.Note("all is deleted");
  DeleteAll();
  simulation_.Sleep(kReconciledMs);
  CheckReservations();
  fleet_.CheckOnlyForeign();
  for (const auto& instance_operator : operators_) instance_operator->RequestStop();
  for (const auto& instance_operator : operators_) instance_operator->Join();
}

}  // namespace a4c::simulation
