// What a host knows of a unit, should the store have lost it. Asked for by
// host.As<HostDescription>(); null where the provider keeps nothing of the kind. [any thread]
#pragma once

#include <string>
#include <string_view>

#include "a4c/call.h"
#include "a4c/host_provider.h"
#include "a4c/result.h"

namespace a4c {

class HostDescription {
 public:
  static constexpr std::string_view kExtension = "a4c.host_description";
  virtual ~HostDescription() = default;
  // The unit as it could be asked for by Ensure: labels, spec, whether it runs, and the highest
  // epoch that the host knows. Amounts are those that it has, defaults included. kNotFound: there
  // is none of ours.
  virtual Result<Unit> Describe(const Call& call, const std::string& host,
                                const std::string& unit) = 0;
};

}  // namespace a4c
