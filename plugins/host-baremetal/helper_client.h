// What is asked of a4c-host, the helper on a server, over a connection to it. The connection also
// hands on what is meant for dockerd: effects only of whom the unit's fence admits.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "a4c/host_provider.h"
#include "docker/docker_connection.h"

namespace a4c::baremetal {

inline constexpr int64_t kHelperProtocol = 2;
// Run through sudo, by the one line that its installation wrote. Constant: read by a shell there.
inline constexpr const char* kHelperCommand = "sudo -n /usr/local/bin/a4c-host serve";

// The fields of requests that are about a unit. token: empty if the server was given none.
std::map<std::string, std::string> UnitFields(const std::string& cluster, const std::string& unit,
                                              const Fence& fence, const std::string& token);

// kUnsupported: another protocol, both named.
Result<void> CheckHelper(const Call& call, DockerConnection& helper);
Result<std::string> HelperVersion(const Call& call, DockerConnection& helper);

// The fence of the fields becomes the unit's highest. kConflict: another one is higher.
Result<void> RaiseFence(const Call& call, DockerConnection& helper);

// The unit's own file system, made or grown to so many bytes and mounted: its path on the server.
Result<std::string> EnsureVolume(const Call& call, DockerConnection& helper, int64_t bytes);
// The same of one that is there. kUnavailable: it is not.
Result<std::string> GrowVolume(const Call& call, DockerConnection& helper, int64_t bytes);
Result<void> RemoveVolume(const Call& call, DockerConnection& helper);

struct HelperUnit {
  int64_t epoch = 0;
  int64_t disk_bytes = 0;  // of the server, that its volume takes
};
Result<std::map<std::string, HelperUnit>> ReadUnits(const Call& call, DockerConnection& helper);

// Disk and inodes of the file system that holds path.
Result<Host> ReadDisk(const Call& call, DockerConnection& helper, const std::string& path);

Result<void> AdoptToken(const Call& call, DockerConnection& helper, const std::string& token);
Result<void> PresentTokens(const Call& call, DockerConnection& helper, const std::string& current,
                           const std::string& next);

}  // namespace a4c::baremetal
