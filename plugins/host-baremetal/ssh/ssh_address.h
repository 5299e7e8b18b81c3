// Where an sshd is, and who logs in: "ssh://user@address:22".
#pragma once

#include <string>

#include "a4c/result.h"

namespace a4c::baremetal {

struct SshAddress {
  std::string user;
  std::string host;  // an IPv6 address in brackets, as it was written
  int port = 22;

  std::string ToString() const;
  // To connect to: without brackets.
  std::string Name() const;
};

// kInvalid names the key that it is the value of.
Result<SshAddress> ParseSshAddress(const std::string& key, const std::string& text);

}  // namespace a4c::baremetal
