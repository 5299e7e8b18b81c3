// An SSH server on a4c's own standard input and output, for an ssh client that runs a4c as its
// ProxyCommand. Both ends are processes of one user on one machine: the client proves nothing here,
// the API key does at the API; the host key proves to the client that it speaks to a4c.
//
// It has sessions (commands, shells, sftp by the image's own sftp-server) and forwards to the
// workspace's own loopback, 64 channels at once; nothing else, such as agents or ports back.
#pragma once

#include <string>

#include "apps/a4c/session.h"

namespace a4c_cli {

// Until the client has gone. The exit code.
int ServeSsh(Session& session, const std::string& workspace);

}  // namespace a4c_cli
