// What the provider and its extensions share: the servers and the settings.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "a4c/host_activity.h"
#include "a4c/host_cleanup.h"
#include "a4c/host_description.h"
#include "a4c/host_enrolment.h"
#include "a4c/host_extensions.h"
#include "a4c/host_images.h"
#include "a4c/host_look.h"
#include "a4c/host_streams.h"
#include "a4c/host_update.h"
#include "a4c/host_volumes.h"
#include "baremetal_config.h"
#include "docker/docker_body.h"
#include "docker_server.h"

namespace a4c::baremetal {

struct BaremetalServers {
  BaremetalServers(const Runtime& given, BaremetalOptions settings);

  // A server lives as long as somebody works with it, also when it is removed meanwhile.
  struct Entry {
    ServerOptions options;
    std::shared_ptr<DockerServer> server;
    std::optional<HostSpec> spec = {};  // of one that was enrolled
  };

  // kNotFound: no server is called so. Also refuses a call that has no time left or whose caller
  // has gone.
  Result<std::shared_ptr<DockerServer>> Find(const Call& call, const std::string& host);
  std::vector<std::shared_ptr<DockerServer>> All();
  // The unit's container; nothing if there is none of that name, ours or not.
  Result<std::optional<Container>> FindContainer(const Call& call, DockerConnection& docker,
                                                 const std::string& name) const;
  // The unit's container; kNotFound if there is none of ours.
  Result<Container> FindOurs(const Call& call, DockerConnection& docker,
                             const std::string& name) const;

  const Runtime runtime;
  const BaremetalOptions options;
  const std::unique_ptr<Waiter> waiter;  // to let time pass between two looks
  const std::unique_ptr<Waiter> lock;
  std::map<std::string, Entry> entries;  // under lock
};

std::unique_ptr<HostLogs> NewBaremetalLogs(BaremetalServers& servers);
std::unique_ptr<HostLogTimes> NewBaremetalLogTimes();
std::unique_ptr<HostExec> NewBaremetalExec(BaremetalServers& servers);
std::unique_ptr<HostStreams> NewBaremetalStreams(BaremetalServers& servers);
std::unique_ptr<HostImages> NewBaremetalImages(BaremetalServers& servers);
std::unique_ptr<HostImageSupply> NewBaremetalImageSupply(BaremetalServers& servers);
std::unique_ptr<HostCleanup> NewBaremetalCleanup(BaremetalServers& servers);
std::unique_ptr<HostIncarnation> NewBaremetalIncarnation(BaremetalServers& servers);
std::unique_ptr<HostEnrolment> NewBaremetalEnrolment(BaremetalServers& servers);
std::unique_ptr<HostActivity> NewBaremetalActivity(BaremetalServers& servers);
std::unique_ptr<HostVolumes> NewBaremetalVolumes(BaremetalServers& servers);
std::unique_ptr<HostDescription> NewBaremetalDescription(BaremetalServers& servers);
std::unique_ptr<HostLook> NewBaremetalLook(BaremetalServers& servers);
std::unique_ptr<HostUpdate> NewBaremetalUpdate(BaremetalServers& servers, HostImageSupply& supply);

}  // namespace a4c::baremetal
