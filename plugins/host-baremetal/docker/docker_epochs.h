// Where the epoch of a container is kept. Labels of a container cannot be changed, so the first
// epoch is a label and each higher one an empty volume whose labels say unit and epoch: making one
// is atomic and idempotent, and the highest counts.
//
// This is a memory, not a lock: between reading it and the effect another may raise it, and it goes
// with the unit. Hence the capability "fencing" is absent.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "a4c/call.h"
#include "docker/docker_connection.h"

namespace a4c::baremetal {

struct EpochMarkers {
  int64_t highest = -1;                       // -1: there is none
  std::map<std::string, int64_t> names = {};  // volume name → epoch
};

class DockerEpochs {
 public:
  explicit DockerEpochs(std::string cluster) : cluster_(std::move(cluster)) {}

  Result<EpochMarkers> Read(const Call& call, DockerConnection& docker,
                            const std::string& unit) const;
  // Of all units of the cluster.
  Result<std::map<std::string, int64_t>> ReadAll(const Call& call, DockerConnection& docker) const;
  Result<void> Raise(const Call& call, DockerConnection& docker, const std::string& unit,
                     int64_t epoch) const;
  // Removes those below an epoch.
  Result<void> Drop(const Call& call, DockerConnection& docker, const EpochMarkers& markers,
                    int64_t below) const;

 private:
  const std::string cluster_;
};

}  // namespace a4c::baremetal
