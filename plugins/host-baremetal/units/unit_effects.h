// What is done to one unit on its server, over one connection, in the name of one fence.
//
// With a4c-host on the server the fence is compared and kept there, under a lock with each effect.
// Without it labels and marker volumes remember it (docker_epochs.h), which is no lock.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "baremetal_servers.h"
#include "docker/docker_epochs.h"

namespace a4c::baremetal {

// [one thread]
class UnitEffects {
 public:
  // kConflict: the helper knows a higher fence.
  static Result<std::unique_ptr<UnitEffects>> Begin(BaremetalServers& servers, const Call& call,
                                                    const std::string& host,
                                                    const std::string& unit, const Fence& fence);

  bool has_helper() { return docker_.helper(); }
  // The container of that name, ours or not.
  Result<std::optional<Container>> Find();
  bool IsOurs(const std::optional<Container>& found) const;
  // kConflict: what is remembered beside the helper is higher.
  Result<void> Admit(const std::optional<Container>& found);
  // Remembers the fence where the helper does not.
  Result<void> Remember();

  // kNotFound: the server lacks the image. kUnsupported: none is named.
  Result<void> CheckImage(const std::string& image);
  // False if the name is taken by now.
  Result<bool> Create(const Unit& unit);
  Result<DockerReply> Start(const Container& container);
  Result<void> Stop(const Container& container);
  // Ends a removal that somebody began. One that a kill of dockerd cut short goes on by no other
  // means: dockerd calls the container dead from then on.
  Result<void> Delete(const Container& container);
  // Before this one goes: whether another container would find what it keeps. kUnavailable: as of
  // RefreshVolume. kUnsupported: a4c-host keeps it, which the server has no more.
  Result<void> CheckKept(const Container& container);
  // Mounts and grows what the unit has of its own. kUnavailable: it is not where the container has
  // it, and another container would find nothing.
  Result<void> RefreshVolume(const Container& container, int64_t bytes);
  // Container, volume and memory of the fence; success once they are confirmed gone.
  Result<void> Remove();

  // Whether something was done.
  bool any() const { return any_; }
  // Once something was done, "nothing was done" cannot be said of the call any more.
  Error Judge(const Error& error) const;

 private:
  UnitEffects(BaremetalServers& servers, const Call& call, std::shared_ptr<DockerServer> server,
              std::string unit, Fence fence, DockerLink docker)
      : servers_(servers),
        call_(call),
        server_(std::move(server)),
        unit_(std::move(unit)),
        fence_(std::move(fence)),
        docker_(std::move(docker)),
        epochs_(servers.options.cluster) {}

  Result<DockerReply> Send(const std::string& method, const std::string& target,
                           const std::string& body = {});
  Result<std::string> NewVolume(const UnitSpec& spec);
  Result<bool> HasDockerVolume();
  Error LacksImage(const std::string& image) const;
  Result<void> Pause();
  Result<bool> DeleteVolumes();

  BaremetalServers& servers_;
  const Call& call_;
  const std::shared_ptr<DockerServer> server_;  // outlives the link to it
  const std::string unit_;
  const Fence fence_;
  DockerLink docker_;
  const DockerEpochs epochs_;
  EpochMarkers markers_;
  bool any_ = false;
};

}  // namespace a4c::baremetal
