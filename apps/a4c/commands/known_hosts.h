// What a known_hosts file of OpenSSH says of a server, as `ssh-keygen` reads it: hashed names too.
#pragma once

#include <set>
#include <string>

#include "a4c/result.h"

namespace a4c_cli {

// The fingerprints ("SHA256:...") of all keys that the file has for the server of this address
// (ssh://user@host:port). Empty: it does not know it. kUnsupported: there is no ssh-keygen.
a4c::Result<std::set<std::string>> KnownFingerprints(const std::string& file,
                                                     const std::string& address);

}  // namespace a4c_cli
