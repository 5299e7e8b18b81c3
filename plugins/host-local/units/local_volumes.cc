// HostVolumes: what a unit keeps is a directory, and all servers are of this machine.
#include "a4c/host_volumes.h"
#include "units/local_servers.h"

namespace a4c::local {
namespace {

class LocalVolumes final : public HostVolumes {
 public:
  explicit LocalVolumes(LocalServers& servers) : servers_(servers) {}

  Result<int64_t> Copy(const Call& call, const VolumeCopy& copy) override {
    A4C_CHECK(CheckUnitName(copy.to_unit));
    A4C_CHECK(CheckFence(copy.fence));
    A4C_TRY(const LocalUnit source, servers_.FindUnit(call, copy.from_host, copy.from_unit));
    A4C_TRY(const std::shared_ptr<LocalServer> target, servers_.Find(call, copy.to_host));
    return target->CopyInto(call, copy.to_unit, copy.fence, source);
  }

 private:
  LocalServers& servers_;
};

}  // namespace

std::unique_ptr<HostVolumes> NewLocalVolumes(LocalServers& servers) {
  return std::make_unique<LocalVolumes>(servers);
}

}  // namespace a4c::local
