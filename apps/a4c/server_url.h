// The URL of the API, taken apart.
#pragma once

#include <cstdint>
#include <string>

#include "a4c/result.h"

namespace a4c_cli {

struct ServerUrl {
  bool tls = false;
  std::string host;  // without the brackets of an IPv6 address
  uint16_t port = 0;
  std::string prefix;  // "" or "/a4c": what stands in front of the path of each request

  // Nobody else's machine is passed on the way there.
  bool IsLoopback() const;
};

// http(s)://host[:port][/prefix]. kInvalid: it is something else; what it says of users and
// passwords is not repeated.
a4c::Result<ServerUrl> ParseServerUrl(const std::string& url);

}  // namespace a4c_cli
