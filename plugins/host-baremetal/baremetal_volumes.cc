// HostVolumes: a tar stream out of one container and into another, through this process but never
// whole in it.
//
// dockerd extracts into a container by its id. A receiver that somebody has removed and made again
// has another id, so whoever was at it before writes nowhere.
#include <algorithm>

#include "a4c/host_volumes.h"
#include "baremetal_servers.h"
#include "docker/docker_errors.h"
#include "helper_client.h"
#include "units/unit_effects.h"

namespace a4c::baremetal {
namespace {

constexpr size_t kTarEndBytes = 1024;  // a tar stream ends with two empty blocks

// Counts a tar stream that passes, and knows whether it has ended.
class TarWatch {
 public:
  void See(const std::string& piece) {
    bytes_ += static_cast<int64_t>(piece.size());
    const auto other = std::find_if(piece.rbegin(), piece.rend(), [](char c) { return c != 0; });
    const auto zeros = static_cast<size_t>(other - piece.rbegin());
    zeros_ = zeros == piece.size() ? zeros_ + zeros : zeros;
  }
  bool ended() const { return zeros_ >= kTarEndBytes; }
  int64_t bytes() const { return bytes_; }

 private:
  int64_t bytes_ = 0;
  size_t zeros_ = 0;  // at the end
};

class BaremetalVolumes final : public HostVolumes {
 public:
  explicit BaremetalVolumes(BaremetalServers& servers) : servers_(servers) {}

  Result<int64_t> Copy(const Call& call, const VolumeCopy& copy) override {
    A4C_CHECK(CheckUnitName(copy.from_unit));
    A4C_CHECK(CheckUnitName(copy.to_unit));
    A4C_CHECK(CheckFence(copy.fence));
    A4C_TRY(const std::shared_ptr<DockerServer> from, servers_.Find(call, copy.from_host));
    A4C_TRY(const std::shared_ptr<DockerServer> to, servers_.Find(call, copy.to_host));
    A4C_CHECK(Mount(call, *from, copy));
    // Whoever holds the link that is written to waits for no other one.
    A4C_TRY(DockerLink source, from->OpenStream(call));
    A4C_CHECK(BeginReading(call, *source, copy.from_unit));
    A4C_TRY(const std::string receiver, AdmitReceiver(call, copy));
    A4C_TRY(DockerLink target, to->Open(call));
    return Carry(call, *source, *target, receiver);
  }

 private:
  // After a restart of its server nothing is mounted. Done in the name of whoever acted last, which
  // is no news to anybody.
  Result<void> Mount(const Call& call, DockerServer& server, const VolumeCopy& copy) const {
    if (!server.has_helper()) return {};
    HelperUnit known;
    {
      A4C_TRY(DockerLink helper, server.OpenForUnits(call));
      helper->SetFields(UnitFields(servers_.options.cluster, "", 0, ""));
      A4C_TRY(auto units, ReadUnits(call, *helper));
      known = units[copy.from_unit];
    }
    if (known.disk_bytes == 0) return {};
    A4C_TRY(const auto effects,
            UnitEffects::Begin(servers_, call, copy.from_host, copy.from_unit, known.epoch));
    A4C_TRY(const auto found, effects->Find());
    if (!found || !effects->IsOurs(found) || found->running) return {};
    return effects->RefreshVolume(*found, 0);
  }

  Result<void> BeginReading(const Call& call, DockerConnection& docker,
                            const std::string& unit) const {
    A4C_TRY(const Container container, servers_.FindOurs(call, docker, unit));
    if (container.running) return Error(Code::kConflict, "unit " + unit + " is running");
    const std::string path = PercentEncode(std::string(kVolumeTarget) + "/.");
    A4C_TRY(const int status, docker.Begin(call, {.method = "GET",
                                                  .target = "/containers/" + container.id +
                                                            "/archive?path=" + path}));
    if (status == 200) return {};
    A4C_TRY(const std::string body, docker.ReadAll(call));
    return DockerError(status, body, false).Within("reading what unit " + unit + " keeps");
  }

  // The id of its container.
  Result<std::string> AdmitReceiver(const Call& call, const VolumeCopy& copy) const {
    A4C_TRY(const auto effects,
            UnitEffects::Begin(servers_, call, copy.to_host, copy.to_unit, copy.fence));
    A4C_TRY(const auto found, effects->Find());
    if (!found || !effects->IsOurs(found)) {
      return Error(Code::kNotFound, "there is no unit " + copy.to_unit);
    }
    A4C_CHECK(effects->Admit(found));
    A4C_CHECK(effects->Remember());
    if (found->status.state == UnitState::kCreated) return found->id;
    return Error(Code::kConflict, "unit " + copy.to_unit + " was started before");
  }

  Result<int64_t> Carry(const Call& call, DockerConnection& from, DockerConnection& to,
                        const std::string& receiver) const {
    TarWatch watch;
    const ByteSource tar = [&]() -> Result<std::string> {
      A4C_TRY(std::string piece, from.Read(call));
      watch.See(piece);
      // dockerd ends its answer also where it could not go on.
      if (!piece.empty() || watch.ended()) return piece;
      return Error(Code::kUnavailable, "what the unit keeps could not be read to its end");
    };
    const std::string path = PercentEncode(kVolumeTarget);
    A4C_TRY(const int status,
            to.Begin(call, {.method = "PUT",
                            .target = "/containers/" + receiver + "/archive?path=" + path,
                            .content_type = "application/x-tar",
                            .stream = &tar,
                            .stream_bytes_max = servers_.options.volume_copy_bytes_max,
                            .effect = true}));
    A4C_TRY(const std::string body, to.ReadAll(call));
    if (status == 200) return watch.bytes();
    return DockerError(status, body, true).Within("writing what was copied");
  }

  BaremetalServers& servers_;
};

}  // namespace

std::unique_ptr<HostVolumes> NewBaremetalVolumes(BaremetalServers& servers) {
  return std::make_unique<BaremetalVolumes>(servers);
}

}  // namespace a4c::baremetal
