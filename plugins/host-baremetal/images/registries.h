// Registries that images may be pulled from, and what dockerd tells them of us.
#pragma once

#include <string>
#include <vector>

#include "a4c/config.h"

namespace a4c::baremetal {

struct RegistryOptions {
  std::string address;             // as in the names of its images: "registry.example:5000"
  std::string username = {};       // empty: whoever asks
  std::string password_file = {};  // mode 0600; read at each pull, never kept
};

inline constexpr ConfigKey kRegistryKeys[] = {
    {"address", ConfigType::kString, nullptr,
     "as in the names of its images: registry.example:5000, or docker.io"},
    {"username", ConfigType::kString, "", "none: pulls are anonymous"},
    {"password_file", ConfigType::kString, "", "a file that we alone may read, with the password"},
};

// kInvalid: an address out of form, a user without password, a file that cannot be read or that
// others can read.
Result<RegistryOptions> ReadRegistryOptions(const ConfigValue& value);

// Null: images of that registry are not pulled.
const RegistryOptions* FindRegistry(const std::vector<RegistryOptions>& registries,
                                    const std::string& address);

// The value of X-Registry-Auth; empty: anonymous. Never to be shown.
Result<std::string> RegistryAuth(const RegistryOptions& registry);

}  // namespace a4c::baremetal
