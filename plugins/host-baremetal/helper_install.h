// Takes a4c-host to a server.
#pragma once

#include "baremetal_servers.h"

namespace a4c::baremetal {

// Nothing if it is there already, of our release. Otherwise installs it as the server's admin_user.
// kDenied: there is none, or it may not.
Result<void> InstallHelper(const Call& call, BaremetalServers& servers,
                           const ServerOptions& server);

}  // namespace a4c::baremetal
