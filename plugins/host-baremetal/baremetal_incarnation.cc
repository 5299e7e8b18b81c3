// HostIncarnation: the token is kept and compared by a4c-host on the server.
#include "baremetal_servers.h"
#include "helper_client.h"

namespace a4c::baremetal {
namespace {

class BaremetalIncarnation final : public HostIncarnation {
 public:
  explicit BaremetalIncarnation(BaremetalServers& servers) : servers_(servers) {}

  Result<void> Adopt(const Call& call, const std::string& host, const std::string& token) override {
    A4C_TRY(const std::shared_ptr<DockerServer> server, servers_.Find(call, host));
    A4C_TRY(DockerLink docker, Open(call, *server));
    A4C_CHECK(AdoptToken(call, *docker, token));
    server->SetToken(token);
    return {};
  }

  Result<void> Present(const Call& call, const std::string& host, const std::string& current,
                       const std::string& next) override {
    A4C_TRY(const std::shared_ptr<DockerServer> server, servers_.Find(call, host));
    A4C_TRY(DockerLink docker, Open(call, *server));
    const auto presented = PresentTokens(call, *docker, current, next);
    // Whoever is denied has nothing to show from now on.
    if (presented || presented.error().code() == Code::kDenied) {
      server->SetToken(presented ? next : "");
    }
    return presented;
  }

 private:
  Result<DockerLink> Open(const Call& call, DockerServer& server) {
    if (!server.has_helper()) {
      return Error(Code::kUnsupported, "a4c-host is not installed on " + server.id(),
                   "enrol the server again, with the helper");
    }
    A4C_TRY(DockerLink docker, server.OpenForUnits(call));
    docker->SetFields(UnitFields(servers_.options.cluster, "", 0, ""));
    return docker;
  }

  BaremetalServers& servers_;
};

}  // namespace

std::unique_ptr<HostIncarnation> NewBaremetalIncarnation(BaremetalServers& servers) {
  return std::make_unique<BaremetalIncarnation>(servers);
}

}  // namespace a4c::baremetal
