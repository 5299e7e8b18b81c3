// HostProvider over Docker servers that are reached by SSH: a unit is a container.
#pragma once

#include <memory>

#include "a4c/clock.h"
#include "a4c/host_provider.h"
#include "baremetal_config.h"

namespace a4c::baremetal {

// Connects to nothing yet.
std::unique_ptr<HostProvider> NewBaremetalHostProvider(const Runtime& runtime,
                                                       BaremetalOptions options);

}  // namespace a4c::baremetal
