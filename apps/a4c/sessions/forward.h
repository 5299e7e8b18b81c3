// Ports of this machine's loopback that lead to ports of a workspace.
#pragma once

#include <string>
#include <vector>

#include "apps/a4c/session.h"
#include "apps/a4c/sessions/relay.h"

namespace a4c_cli {

struct PortPair {
  int local = 0;  // 0: any free one
  int remote = 0;
};

// "8080", or "3000:8080". kInvalid: neither.
a4c::Result<PortPair> ParsePortPair(const std::string& text);

// One connection, to its end. [any thread]
a4c::Result<void> ForwardConnection(const Session& session, const std::string& workspace, int port,
                                    const RelayDescriptors& descriptors);

// Until it is interrupted, which ends the process; or why it cannot begin: the exit code.
int ForwardPorts(Session& session, const std::string& workspace,
                 const std::vector<PortPair>& ports);

}  // namespace a4c_cli
