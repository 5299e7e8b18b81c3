// Bringing one unit to what is wanted, over what is done to it step by step.
#pragma once

#include <functional>

#include "a4c/host_images.h"
#include "a4c/host_provider.h"
#include "baremetal_servers.h"
#include "units/unit_effects.h"

namespace a4c::baremetal {

// One Ensure of one unit.
Result<UnitStatus> EnsureBy(BaremetalServers& servers, const Call& call, const Unit& unit,
                            UnitEffects& effects);

// `once`; if the server lacks the unit's image (kNotFound), the image is pulled, and then once
// more. Nothing of the server is held meanwhile.
Result<UnitStatus> WithImage(BaremetalServers& servers, HostImageSupply& supply, const Call& call,
                             const Unit& unit, const std::function<Result<UnitStatus>()>& once);

}  // namespace a4c::baremetal
