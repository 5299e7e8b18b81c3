// The shared back ends as one instance meets them: every call can be slow, fail, lose its answer,
// take effect late, or be the last of its instance, as the seed has it.
#pragma once

#include <memory>
#include <string_view>

#include "tests/simulation/cluster.h"

namespace a4c::simulation {

std::unique_ptr<Store> NewNastyStore(Cluster& cluster, Process& process);
std::unique_ptr<Bus> NewNastyBus(Cluster& cluster, Process& process);
std::unique_ptr<SearchIndex> NewNastyIndex(Cluster& cluster, Process& process);

// What their calls have in common.
class NastyCalls {
 public:
  NastyCalls(Cluster& cluster, Process& process) : cluster_(cluster), process_(process) {}

  bool Chance(int per_mille) { return per_mille > 0 && simulation().Chance(per_mille); }
  // Before the effect, and after it.
  void Before(std::string_view what) {
    simulation().AtBackend(what);
    Pass();
  }
  void After() { Pass(); }
  bool Fails(std::string_view what) {
    if (!Chance(cluster_.faults.error)) return false;
    simulation().Note(std::string(what) + ": error");
    return true;
  }
  Error Unavailable() const { return Error(Code::kUnavailable, "the back end is away"); }
  Error Lost() const { return Error(Code::kUnknownOutcome, "the connection was lost"); }
  int64_t LateMs() {
    return static_cast<int64_t>(
        simulation().Below(static_cast<uint64_t>(cluster_.faults.late_ms_max)));
  }
  Simulation& simulation() { return cluster_.simulation(); }

 private:
  void Pass() {
    const Faults& faults = cluster_.faults;
    if (faults.crash > 0 && simulation().Below(100'000) < static_cast<uint64_t>(faults.crash)) {
      simulation().Note("crash");
      process_.crashed = true;
    }
    if (Chance(faults.slow)) {
      simulation().Sleep(
          static_cast<int64_t>(simulation().Below(static_cast<uint64_t>(faults.slow_ms_max))));
    } else if (simulation().Chance(300)) {
      simulation().Sleep(static_cast<int64_t>(simulation().Below(4)));
    } else {
      simulation().Yield();
    }
  }

 protected:
  Cluster& cluster_;
  Process& process_;
};

}  // namespace a4c::simulation
