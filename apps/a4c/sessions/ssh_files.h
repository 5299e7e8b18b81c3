// What stock ssh needs to find workspaces: a host key that a4c shows it, the file that knows this
// key, and a part of ssh's configuration, all beside the contexts' file.
#pragma once

#include <libssh/libssh.h>

#include <string>

#include "a4c/result.h"

namespace a4c_cli {

// ssh/ beside the contexts' file.
std::string SshFolder();
// The key of that folder, made (ed25519, mode 0600) when it is first asked for; the caller frees
// it.
a4c::Result<ssh_key> HostKey(const std::string& folder);
// The line of a known_hosts file.
a4c::Result<std::string> KnownHost(const std::string& folder);

// "Host *.a4c", for a ProxyCommand of these words before "connect".
std::string SshConfig(const std::string& folder, const std::string& command);

// Lets that file include ours, first, unless it does; the rest of it stays as it is. True: changed.
a4c::Result<bool> AddInclude(const std::string& ssh_config, const std::string& ours);
// Takes that line away. True: it was there.
a4c::Result<bool> RemoveInclude(const std::string& ssh_config, const std::string& ours);

}  // namespace a4c_cli
