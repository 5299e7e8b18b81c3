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

// Ends what carries this variable ("NAME=value") in the unit, and all that it has started: hang-up
// and SIGTERM, a second later SIGKILL. dockerd has no call for it, and leaves a command alone whose
// connection is lost. waits: until they are gone. kUnsupported: the unit has no shell that could do
// it.
Result<void> EndMarked(const Call& call, const BaremetalServers& servers, DockerConnection& docker,
                       const std::string& unit, const std::string& mark, bool waits);

}  // namespace a4c::baremetal
