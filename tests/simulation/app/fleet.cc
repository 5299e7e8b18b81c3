#include "tests/simulation/app/fleet.h"

#include <algorithm>

#include "a4c/host_update.h"
#include "a4c/json.h"
#include "a4c/memory.h"
#include "apps/a4cd/executors/workspace_unit.h"
#include "apps/a4cd/jobs/job_service.h"
#include "apps/a4cd/placement/reservations.h"

namespace a4c::simulation {
namespace {

MemoryHostOptions OptionsOf(const std::vector<std::string>& servers) {
  MemoryHostOptions options{.servers = {}};
  for (const std::string& id : servers) {
    options.servers.push_back({id, kServerDisk, kServerMemory, kServerCpu});
  }
  return options;
}

std::vector<std::string> NamesOf(int servers) {
  std::vector<std::string> names;
  for (int i = 1; i <= servers; ++i) names.push_back("s" + std::to_string(i));
  return names;
}

}  // namespace

Fleet::Fleet(Simulation& simulation, Cluster& cluster, int servers)
    : simulation_(simulation),
      cluster_(cluster),
      runtime_(simulation, nullptr, 2),
      servers_(NamesOf(servers)),
      hosts_(NewMemoryHostProvider(runtime_.runtime(), OptionsOf(servers_))) {}

Result<std::vector<Host>> Fleet::Hosts() {
  const Simulation::Still still;
  A4C_TRY(std::vector<Host> hosts, hosts_->Hosts(cluster_.call()));
  for (Host& host : hosts) {
    host.reachable = !IsAway(host.id);
    if (!host.reachable) host.reason = "it is away";
  }
  return hosts;
}

Result<UnitStatus> Fleet::Ensure(const Unit& unit) {
  const Simulation::Still still;
  const bool is_new = !Has(unit.host, unit.name);
  Result<UnitStatus> status = hosts_->Ensure(cluster_.call(), unit);
  if (!status) {
    simulation_.Note("ensure " + unit.name + ": " + status.error().ToString());
    return status;
  }
  if (is_new) specs_[unit.host + "/" + unit.name] = unit.spec;
  CheckRuns(unit);
  CheckCapacity(unit.host);
  return status;
}

Result<UnitStatus> Fleet::Update(const Unit& unit) {
  const Simulation::Still still;
  Result<UnitStatus> status = hosts_->As<HostUpdate>()->Update(cluster_.call(), unit);
  if (!status) {
    simulation_.Note("update " + unit.name + ": " + status.error().ToString());
    return status;
  }
  UnitSpec& spec = specs_[unit.host + "/" + unit.name];
  const int64_t disk_bytes = std::max(spec.disk_bytes, unit.spec.disk_bytes);
  spec = unit.spec;
  spec.disk_bytes = disk_bytes;
  CheckRuns(unit);
  CheckCapacity(unit.host);
  return status;
}

Result<void> Fleet::Remove(const std::string& host, const std::string& name, const Fence& fence) {
  const Simulation::Still still;
  const bool is_there = Has(host, name);
  A4C_CHECK(hosts_->Remove(cluster_.call(), host, name, fence));
  if (is_there) CheckRemoval(host, name);
  specs_.erase(host + "/" + name);
  return {};
}

Result<std::vector<UnitStatus>> Fleet::List(const std::string& host) {
  const Simulation::Still still;
  return hosts_->List(cluster_.call(), host);
}

void Fleet::SetAway(const std::string& host, bool is_away) {
  simulation_.Note(host + (is_away ? " is away" : " is back"));
  if (is_away) {
    away_.insert(host);
  } else {
    away_.erase(host);
  }
}

bool Fleet::Has(const std::string& host, const std::string& name) {
  return specs_.contains(host + "/" + name);
}

void Fleet::PlantForeign(const std::string& host, const std::string& workspace) {
  const Simulation::Still still;
  const Unit unit{.host = host,
                  .name = a4cd::UnitName(workspace),
                  .epoch = 3,
                  .labels = {{a4cd::kWorkspaceLabel, workspace}, {a4cd::kTenantLabel, "acme"}},
                  .spec = {.command = {"sleep", "infinity"},
                           .memory_bytes = kGiB,
                           .cpu_millis = 100,
                           .disk_bytes = 10 * kGiB}};
  if (!hosts_->Ensure(cluster_.call(), unit)) simulation_.Record("no foreign unit could be made");
  foreign_.insert(host + "/" + unit.name);
  specs_[host + "/" + unit.name] = unit.spec;
}

std::optional<Record> Fleet::Stored(const RecordRef& ref) {
  const auto found = cluster_.Get(std::span(&ref, 1));
  return found ? found->records[0] : std::nullopt;
}

void Fleet::CheckRuns(const Unit& unit) {
  const std::string workspace = unit.labels.at(a4cd::kWorkspaceLabel);
  const std::optional<Record> reserved = Stored(a4cd::ReservationRef(unit.host, workspace));
  const auto room = reserved ? ParseJson(reserved->body) : Error(Code::kNotFound, "absent");
  if (!room) {
    return simulation_.Record(unit.name + " was brought up on " + unit.host +
                              " without a reservation");
  }
  const UnitSpec& spec = specs_.at(unit.host + "/" + unit.name);
  if ((*room)["disk_bytes"].Int() < spec.disk_bytes ||
      (*room)["memory_bytes"].Int() < spec.memory_bytes ||
      (*room)["cpu_millis"].Int() < spec.cpu_millis) {
    simulation_.Record(unit.name + " on " + unit.host + " is larger than its reservation");
  }
}

void Fleet::CheckCapacity(const std::string& host) {
  UnitSpec sum;
  for (const auto& [name, spec] : specs_) {
    if (!name.starts_with(host + "/")) continue;
    sum.disk_bytes += spec.disk_bytes;
    sum.memory_bytes += foreign_.contains(name) ? 0 : spec.memory_bytes;
    sum.cpu_millis += foreign_.contains(name) ? 0 : spec.cpu_millis;
  }
  if (sum.disk_bytes > kServerDisk || sum.memory_bytes > kServerMemory ||
      sum.cpu_millis > kServerCpu) {
    simulation_.Record(host + " has more than it has room for");
  }
}

void Fleet::CheckRemoval(const std::string& host, const std::string& name) {
  if (foreign_.contains(host + "/" + name)) {
    return simulation_.Record(name + " was removed for the absence of a record");
  }
  const std::optional<Record> record =
      Stored(a4cd::WorkspaceRef("acme", name.substr(a4cd::UnitName("").size())));
  const auto workspace = record ? a4cd::WorkspaceOf(*record) : Error(Code::kNotFound, "absent");
  if (workspace && (record->tombstone || workspace->desired == "deleted")) return;
  simulation_.Record(name + " was removed, and nobody has deleted it");
}

void Fleet::CheckOnlyForeign() {
  std::set<std::string> left;
  for (const std::string& host : servers_) {
    const auto units = List(host);
    if (!units) return simulation_.Fail("the units of " + host + " cannot be listed");
    for (const UnitStatus& unit : *units) left.insert(host + "/" + unit.name);
  }
  for (const std::string& unit : foreign_) {
    if (left.erase(unit) == 0) simulation_.Fail("the foreign unit " + unit + " is gone");
  }
  if (!left.empty()) simulation_.Fail("an orphan: " + *left.begin());
}

}  // namespace a4c::simulation
