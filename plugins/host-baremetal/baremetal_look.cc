// HostLook: one server's figures, in the time that the caller has for it.
#include "a4c/host_look.h"
#include "baremetal_servers.h"

namespace a4c::baremetal {
namespace {

class BaremetalLook final : public HostLook {
 public:
  explicit BaremetalLook(BaremetalServers& servers) : servers_(servers) {}

  Result<std::vector<std::string>> Names(const Call& call) override {
    if (call.Stopping()) return Error(Code::kCanceled, "the caller has gone");
    std::vector<std::string> names;
    for (const auto& server : servers_.All()) names.push_back(server->id());
    return names;
  }

  Result<Host> Look(const Call& call, const std::string& host) override {
    A4C_TRY(const std::shared_ptr<DockerServer> server, servers_.Find(call, host));
    return server->Measure(call);
  }

 private:
  BaremetalServers& servers_;
};

}  // namespace

std::unique_ptr<HostLook> NewBaremetalLook(BaremetalServers& servers) {
  return std::make_unique<BaremetalLook>(servers);
}

}  // namespace a4c::baremetal
