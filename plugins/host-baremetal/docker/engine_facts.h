// What a dockerd says of itself and of what it runs containers with, and what of that people should
// know. No I/O.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "a4c/host_provider.h"
#include "a4c/json.h"

namespace a4c::baremetal {

// Of GET /version; what is out of form is left out.
struct EngineFacts {
  std::string arch;                             // as Go names it
  std::map<std::string, std::string> versions;  // docker, api, containerd, runc, kernel
};
EngineFacts ReadEngineFacts(const Json& version);

// kInvalid: its API lacks what we ask for; names the version and the least. One that says none is
// let pass: requests say what they miss.
Result<void> CheckEngineApi(const EngineFacts& facts);

// Of versions with holes that a container can use.
std::vector<std::string> VersionWarnings(const std::map<std::string, std::string>& versions);

// SystemTime of GET /info against our clock before and after it was asked. Empty: it is within
// difference_max_ms, or says no time.
std::string ClockWarning(const std::string& system_time, int64_t before_ms, int64_t after_ms,
                         int64_t difference_max_ms);

// Of GET /info: a dockerd that ends all containers when it ends itself. Empty: it keeps them, or
// does not say.
std::string LiveRestoreWarning(const Json& info);

}  // namespace a4c::baremetal
