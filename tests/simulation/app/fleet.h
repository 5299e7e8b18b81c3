// The servers that all instances share, as they really are, and what must hold of every effect:
// nothing runs without a reservation, no server is over its capacity, and nothing is removed that
// nobody deleted.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "a4c/host_provider.h"
#include "tests/simulation/cluster.h"

namespace a4c::simulation {

inline constexpr int64_t kGiB = int64_t{1} << 30;
inline constexpr int64_t kServerDisk = 50 * kGiB;
inline constexpr int64_t kServerMemory = 8 * kGiB;
inline constexpr int64_t kServerCpu = 8'000;

class Fleet {
 public:
  Fleet(Simulation& simulation, Cluster& cluster, int servers);

  // Each is one step.
  Result<std::vector<Host>> Hosts();
  Result<UnitStatus> Ensure(const Unit& unit);
  Result<UnitStatus> Update(const Unit& unit);
  Result<void> Remove(const std::string& host, const std::string& name, const Fence& fence);
  Result<std::vector<UnitStatus>> List(const std::string& host);

  const std::vector<std::string>& servers() const { return servers_; }
  void SetAway(const std::string& host, bool is_away);
  bool IsAway(const std::string& host) const { return away_.contains(host); }
  bool Has(const std::string& host, const std::string& name);

  // A unit of which no record says whose it is: of a store that was restored, or another cluster's.
  void PlantForeign(const std::string& host, const std::string& workspace);
  // At the end: nothing but the foreign units is left, and they are.
  void CheckOnlyForeign();

 private:
  void CheckRuns(const Unit& unit);
  void CheckCapacity(const std::string& host);
  void CheckRemoval(const std::string& host, const std::string& name);
  std::optional<Record> Stored(const RecordRef& ref);

  Simulation& simulation_;
  Cluster& cluster_;
  SimRuntime runtime_;
  std::vector<std::string> servers_;
  std::unique_ptr<HostProvider> hosts_;
  std::set<std::string> away_;
  std::map<std::string, UnitSpec> specs_;  // "<host>/<unit>", as made
  std::set<std::string> foreign_;          // "<host>/<unit>"
};

// One instance's way to them; see nasty.h.
std::unique_ptr<HostProvider> NewNastyHosts(Cluster& cluster, Fleet& fleet, Process& process);

}  // namespace a4c::simulation
