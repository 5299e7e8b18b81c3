// What the provider and its extensions share: the servers, of the config and enrolled ones.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "a4c/host_activity.h"
#include "a4c/host_description.h"
#include "a4c/host_enrolment.h"
#include "a4c/host_extensions.h"
#include "a4c/host_streams.h"
#include "a4c/host_update.h"
#include "a4c/host_volumes.h"
#include "units/local_server.h"

namespace a4c::local {

// A server lives as long as somebody works with it, also when it is removed meanwhile.
class LocalServers {
 public:
  struct Entry {
    LocalServerOptions options;
    std::shared_ptr<LocalServer> server;
    std::optional<HostSpec> spec = {};  // of one that was enrolled
  };

  // kNotFound: no server is called so. Also refuses a call that has no time left or whose caller
  // has gone.
  Result<std::shared_ptr<LocalServer>> Find(const Call& call, const std::string& host);
  // The unit; kNotFound if there is none.
  Result<LocalUnit> FindUnit(const Call& call, const std::string& host, const std::string& name);
  std::vector<std::shared_ptr<LocalServer>> All();

  std::mutex mutex;
  std::map<std::string, Entry> entries;  // guarded by mutex
};

std::unique_ptr<HostLogs> NewLocalLogs(LocalServers& servers);
std::unique_ptr<HostExec> NewLocalExec(LocalServers& servers, const Runtime& runtime,
                                       int64_t commands_max);
std::unique_ptr<HostStreams> NewLocalStreams(LocalServers& servers, const Runtime& runtime,
                                             int64_t streams_max);
std::unique_ptr<HostActivity> NewLocalActivity(LocalServers& servers);
std::unique_ptr<HostVolumes> NewLocalVolumes(LocalServers& servers);
std::unique_ptr<HostDescription> NewLocalDescription(LocalServers& servers);
std::unique_ptr<HostUpdate> NewLocalUpdate(LocalServers& servers);
std::unique_ptr<HostEnrolment> NewLocalEnrolment(LocalServers& servers, const Runtime& runtime,
                                                 const LocalOptions& options);

}  // namespace a4c::local
