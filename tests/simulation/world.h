// The world of one seed: instances of the service over shared back ends, clients, and what befalls
// them. First faults and promises of safety, then none and the promise that all becomes searchable.
#pragma once

#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/collection.h"
#include "tests/simulation/cluster.h"
#include "tests/simulation/history.h"
#include "tests/simulation/history_file.h"
#include "tests/simulation/scheduler.h"

namespace a4c::simulation {

// What a seed is about.
struct Scenario {
  std::string name;
  int instances = 2;
  int clients = 3;
  int operations = 10;       // of each client
  int64_t pause_ms = 1'500;  // at most, between them
  bool bus = true;
  bool crashes = false;           // and wiped topics, and members of the group that only take
  bool failovers = false;         // to the standby: nothing acknowledged is lost
  bool lossy = false;             // the standby lags
  int64_t fate_pause_ms = 5'000;  // at most, between what befalls them
  bool dies_in_hand = false;      // at last an instance dies with a row in hand, and stays away
  bool purges = false;            // goes on until tombstones are forgotten
  bool rebuilds = false;          // the index is built anew, again and again
  Faults faults = {};
};
Scenario ScenarioOf(uint64_t seed);
// A ground is a family of scenarios in which some faults are sought rather than met: see kGrounds.
// Empty: all that there is.
Scenario ScenarioOf(uint64_t seed, std::string_view ground);
inline constexpr std::array<std::string_view, 9> kGrounds = {
    "app",        // the application: see app/app_world.h
    "crowd",      // many clients at once on a slow store, on few records
    "failover",   // every seed, and often
    "hand",       // dies_in_hand
    "lossy",      // every seed has a lossy failover, and often
    "overtaken",  // the application, whose writes often take effect after the lease of their holder
    "outage",     // the index is often away, and documents are tried again
    "purge",      // every seed, without failovers
    "rebuild"};   // every seed, without failovers

struct Outcome {
  uint64_t seed = 0;
  std::string scenario;
  std::string failure;  // empty: all promises were kept
  uint64_t trace_hash = 0;
  int64_t steps = 0;
};
struct RunOptions {
  std::string ground = {};
  bool trace = false;
  std::FILE* history = nullptr;  // what clients asked for and were told, one JSON object a line
};
Outcome RunSeed(uint64_t seed, const RunOptions& options = {});

class Instance;

class World {
 public:
  World(Simulation& simulation, const Scenario& scenario, uint64_t seed, std::FILE* history);
  ~World();
  void Run();

  Simulation& simulation() { return simulation_; }
  const Scenario& scenario() const { return scenario_; }
  Cluster& cluster() { return cluster_; }
  History& history() { return history_; }
  HistoryFile& history_file() { return history_file_; }
  uint64_t seed() const { return seed_; }
  // One that is up; null: none is.
  Instance* AnyInstance();
  void RunClient(int number);

 private:
  void Operate(size_t slot, const std::stop_token& stop);
  void Befall(const std::stop_token& stop);
  void CrashOne();
  void TakeHints();
  void IndexOutage();
  void DieInHand();
  void TurnToIndex();
  void RebuildOnce();
  void CheckCalm();
  void Finish();

  Simulation& simulation_;
  const Scenario scenario_;
  const uint64_t seed_;
  Cluster cluster_;
  History history_;
  HistoryFile history_file_;
  SimRuntime runtime_;
  std::vector<std::unique_ptr<Instance>> instances_;
  std::vector<std::unique_ptr<Thread>> operators_;
  double found_by_pollers_ = 0;
  double healed_ = 0;
  double drift_ = 0;
};

// One life of an instance: gone with a crash, and another one takes its place.
class Instance {
 public:
  Instance(World& world, size_t slot, uint64_t seed);
  ~Instance();
  // False: it crashed.
  bool Boot();
  void StopLoops();

  Process& process() { return process_; }
  Database& database() { return *database_; }
  SimRuntime& runtime() { return runtime_; }
  bool up() const { return up_ && !process_.crashed; }

 private:
  void Start(std::unique_ptr<Loop> loop, int64_t pause_ms_max);
  void Drive(Loop& loop, int64_t pause_ms_max, const std::stop_token& stop);

  World& world_;
  Process process_;
  SimRuntime runtime_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Bus> bus_;
  std::unique_ptr<SearchIndex> index_;
  std::unique_ptr<Database> database_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::vector<std::unique_ptr<Thread>> threads_;
  bool up_ = false;
};

}  // namespace a4c::simulation
