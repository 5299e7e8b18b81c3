// The world of one seed of the application: instances of a4cd without its API (jobs, placement,
// workers, disk service, reconciler, expiry) over a shared store and shared servers, users, and
// what befalls them. First faults, and what AppWatcher and Fleet check; then none: all jobs end,
// reservations are what is on the servers, and after the last delete nothing is left.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "a4c/record.h"
#include "apps/a4cd/jobs/job_service.h"
#include "apps/a4cd/loop_runner.h"
#include "apps/a4cd/upkeep/singletons.h"
#include "apps/a4cd/worker.h"
#include "tests/simulation/app/app_watcher.h"
#include "tests/simulation/app/fleet.h"
#include "tests/simulation/cluster.h"
#include "tests/simulation/scheduler.h"

namespace a4c::simulation {

struct AppScenario {
  std::string name = "app";
  int instances = 2;
  int servers = 2;
  int users = 3;
  int operations = 6;        // of each user
  int64_t pause_ms = 4'000;  // at most, between them
  bool crashes = false;
  bool failovers = false;            // nothing acknowledged is lost
  bool servers_away = false;         // now and then
  bool writers_commit_alone = true;  // see AppWatcher
  Faults faults = {};
};
// overtaken: writes often take effect after the lease of their holder.
AppScenario AppScenarioOf(uint64_t seed, bool overtaken = false);

class AppInstance;

class AppWorld {
 public:
  AppWorld(Simulation& simulation, const AppScenario& scenario, uint64_t seed);
  ~AppWorld();
  void Run();

  Simulation& simulation() { return simulation_; }
  const AppScenario& scenario() const { return scenario_; }
  Cluster& cluster() { return cluster_; }
  Fleet& fleet() { return fleet_; }
  // One that is up; null: none is.
  AppInstance* AnyInstance();
  void RunUser(int number);
  // What a user was told is there; also to be found by the others.
  std::vector<std::string>& workspaces() { return workspaces_; }
  std::vector<std::string>& jobs() { return jobs_; }

 private:
  void Operate(size_t slot, const std::stop_token& stop);
  void Befall(const std::stop_token& stop);
  void Finish();
  void WaitForJobs(bool all_end);
  bool CheckJobs(bool all_end, std::string& waits_for);
  void CheckReservations();
  void DeleteAll();
  std::vector<Record> All(const std::string& kind);

  Simulation& simulation_;
  const AppScenario scenario_;
  const uint64_t seed_;
  Cluster cluster_;
  Fleet fleet_;
  AppWatcher watcher_;
  SimRuntime runtime_;
  std::vector<std::unique_ptr<AppInstance>> instances_;
  std::vector<std::unique_ptr<Thread>> operators_;
  std::vector<std::string> workspaces_;
  std::vector<std::string> jobs_;
};

// One life of an instance.
class AppInstance {
 public:
  AppInstance(AppWorld& world, size_t slot, uint64_t seed);
  ~AppInstance();
  void Boot();
  void StopLoops();

  Process& process() { return process_; }
  Database& database() { return *database_; }
  a4cd::JobService& jobs() { return jobs_; }
  SimRuntime& runtime() { return runtime_; }
  bool up() const { return up_ && !process_.crashed; }

 private:
  AppWorld& world_;
  Process process_;
  SimRuntime runtime_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<HostProvider> hosts_;
  IdSource ids_;
  std::unique_ptr<Database> database_;
  a4cd::JobService jobs_;
  std::optional<a4cd::Worker> worker_;
  std::optional<a4cd::Singletons> singletons_;
  std::optional<a4cd::LoopRunner> loops_;
  bool up_ = false;
};

// A user's request at one instance, decided anew after a conflict: what the API does. Nothing: no
// instance is up, or it crashed, or the outcome is unknown, or it was refused.
using Prepare = std::function<Result<a4cd::PreparedWrite>(a4cd::JobService&, const Call&)>;
std::optional<a4cd::PreparedWrite> Ask(AppWorld& world, const std::string& key,
                                       const Prepare& prepare);
inline const a4cd::Principal kUser{.tenant = "acme", .key_id = "user", .scopes = {"*"}};

}  // namespace a4c::simulation
