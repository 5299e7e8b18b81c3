// The steps of an exec of the Docker API that HostExec and HostStreams share.
#pragma once

#include <string>

#include "baremetal_servers.h"

namespace a4c::baremetal {

inline constexpr int kCannotRun = 126;
inline constexpr int kNotFound = 127;

// Makes an exec in a running unit: its id. It begins with POST /exec/{id}/start.
Result<std::string> MakeExec(const Call& call, const BaremetalServers& servers,
                             DockerConnection& docker, const std::string& unit, const Json& body);
// Its exit code. The stream of an exec may end a moment before dockerd has noted that.
Result<int> AwaitExecExit(const Call& call, const BaremetalServers& servers,
                          DockerConnection& docker, const std::string& exec);

}  // namespace a4c::baremetal
