// The figures of one host by itself, so that one which does not answer holds up no other. Asked for
// by host.As<HostLook>(); null where HostProvider::Hosts waits for nobody. [any thread]
//
//   A4C_TRY(const std::vector<std::string> names, look->Names(call));
//   for (const std::string& name : names) A4C_TRY(const Host host, look->Look(call, name));
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "a4c/call.h"
#include "a4c/host_provider.h"
#include "a4c/result.h"

namespace a4c {

class HostLook {
 public:
  static constexpr std::string_view kExtension = "a4c.host_look";
  virtual ~HostLook() = default;
  // Of all configured hosts, each once. Asks none of them.
  virtual Result<std::vector<std::string>> Names(const Call& call) = 0;
  // What HostProvider::Hosts says of it: one that is out of reach, or does not answer in the call's
  // time, is no error but not reachable, with the figures known last. kNotFound: no such host.
  virtual Result<Host> Look(const Call& call, const std::string& host) = 0;
};

}  // namespace a4c
