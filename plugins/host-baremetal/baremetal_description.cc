// HostDescription: a container keeps all that it was made with.
#include <algorithm>

#include "a4c/host_description.h"
#include "baremetal_servers.h"
#include "docker/docker_epochs.h"
#include "docker/docker_errors.h"
#include "helper_client.h"

namespace a4c::baremetal {
namespace {

class BaremetalDescription final : public HostDescription {
 public:
  explicit BaremetalDescription(BaremetalServers& servers) : servers_(servers) {}

  Result<Unit> Describe(const Call& call, const std::string& host,
                        const std::string& name) override {
    A4C_CHECK(CheckUnitName(name));
    A4C_TRY(const std::shared_ptr<DockerServer> server, servers_.Find(call, host));
    A4C_TRY(DockerLink docker, server->OpenForUnits(call));
    A4C_TRY(const Json inspected, Inspect(call, *docker, name));
    const Container container = ReadContainer(inspected);
    if (container.name != name || container.cluster != servers_.options.cluster) {
      return Error(Code::kNotFound, "there is no unit " + name);
    }
    A4C_TRY(const HelperUnit known, Known(call, docker, name));
    Unit unit{.host = host,
              .name = name,
              .epoch = std::max(container.status.epoch, known.epoch),
              .labels = container.status.labels,
              .spec = SpecOf(inspected),
              .wanted = container.running ? UnitWanted::kRunning : UnitWanted::kStopped};
    unit.spec.disk_bytes = known.disk_bytes;
    return unit;
  }

 private:
  static Result<Json> Inspect(const Call& call, DockerConnection& docker, const std::string& name) {
    A4C_TRY(const DockerReply reply,
            docker.Exchange(call, {.method = "GET", .target = "/containers/" + name + "/json"}));
    if (reply.status == 404) return Error(Code::kNotFound, "there is no unit " + name);
    if (!reply.ok()) return DockerError(reply.status, reply.body, false);
    return ParseJson(reply.body, {.bytes_max = reply.body.size() + 1});
  }

  // What is remembered of the unit beside its container.
  Result<HelperUnit> Known(const Call& call, DockerLink& docker, const std::string& name) const {
    if (docker.helper()) {
      docker->SetFields(UnitFields(servers_.options.cluster, "", 0, ""));
      A4C_TRY(const auto units, ReadUnits(call, *docker));
      const auto found = units.find(name);
      return found == units.end() ? HelperUnit{} : found->second;
    }
    A4C_TRY(const EpochMarkers markers,
            DockerEpochs(servers_.options.cluster).Read(call, *docker, name));
    return HelperUnit{.epoch = markers.highest};
  }

  BaremetalServers& servers_;
};

}  // namespace

std::unique_ptr<HostDescription> NewBaremetalDescription(BaremetalServers& servers) {
  return std::make_unique<BaremetalDescription>(servers);
}

}  // namespace a4c::baremetal
