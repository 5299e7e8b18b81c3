// HostUpdate: a unit's directory gets another spec, and keeps its files.
#include "a4c/host_update.h"
#include "units/local_servers.h"

namespace a4c::local {
namespace {

class LocalUpdate final : public HostUpdate {
 public:
  explicit LocalUpdate(LocalServers& servers) : servers_(servers) {}

  Result<UnitStatus> Update(const Call& call, const Unit& unit) override {
    A4C_CHECK(CheckUnit(unit));
    A4C_TRY(const std::shared_ptr<LocalServer> server, servers_.Find(call, unit.host));
    return server->Update(call, unit);
  }

 private:
  LocalServers& servers_;
};

}  // namespace

std::unique_ptr<HostUpdate> NewLocalUpdate(LocalServers& servers) {
  return std::make_unique<LocalUpdate>(servers);
}

}  // namespace a4c::local
