// HostDescription: a unit's directory says all that it was made with.
#include "a4c/host_description.h"
#include "units/local_servers.h"

namespace a4c::local {
namespace {

class LocalDescription final : public HostDescription {
 public:
  explicit LocalDescription(LocalServers& servers) : servers_(servers) {}

  Result<Unit> Describe(const Call& call, const std::string& host,
                        const std::string& name) override {
    A4C_TRY(const std::shared_ptr<LocalServer> server, servers_.Find(call, host));
    A4C_TRY(const LocalUnit unit, servers_.FindUnit(call, host, name));
    const bool runs = unit.status.state == UnitState::kRunning;
    return Unit{.host = host,
                .name = name,
                .epoch = server->EpochOf(name),
                .labels = unit.record.labels,
                .spec = unit.record.spec,
                .wanted = runs ? UnitWanted::kRunning : UnitWanted::kStopped};
  }

 private:
  LocalServers& servers_;
};

}  // namespace

std::unique_ptr<HostDescription> NewLocalDescription(LocalServers& servers) {
  return std::make_unique<LocalDescription>(servers);
}

}  // namespace a4c::local
