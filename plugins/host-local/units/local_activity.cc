// HostActivity: what the processes that carry a unit's mark use.
#include "a4c/host_activity.h"
#include "supervisor/local_processes.h"
#include "units/local_servers.h"

namespace a4c::local {
namespace {

class LocalActivity final : public HostActivity {
 public:
  explicit LocalActivity(LocalServers& servers) : servers_(servers) {}

  Result<std::vector<UnitActivity>> Read(const Call& call, const std::string& host,
                                         const std::vector<std::string>& units) override {
    A4C_TRY(const std::shared_ptr<LocalServer> server, servers_.Find(call, host));
    std::map<std::string, ProcessUse> by_mark = UseByValue(kMarkName);
    std::vector<UnitActivity> activity;
    for (const std::string& name : units) {
      A4C_CHECK(CheckUnitName(name));
      A4C_TRY(const auto unit, server->Find(name));
      if (!unit || unit->status.state != UnitState::kRunning) continue;
      const ProcessUse& use = by_mark[unit->record.mark];
      activity.push_back({.name = name,
                          .cpu_ms = use.cpu_ms,
                          .memory_bytes = use.memory_bytes,
                          .processes = use.threads});
    }
    return activity;
  }

 private:
  LocalServers& servers_;
};

}  // namespace

std::unique_ptr<HostActivity> NewLocalActivity(LocalServers& servers) {
  return std::make_unique<LocalActivity>(servers);
}

}  // namespace a4c::local
