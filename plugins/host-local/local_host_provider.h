// HostProvider over directories of this machine: a unit is a process group.
#pragma once

#include <memory>

#include "a4c/clock.h"
#include "a4c/host_provider.h"
#include "local_config.h"

namespace a4c::local {

Result<std::unique_ptr<HostProvider>> NewLocalHostProvider(const Runtime& runtime,
                                                           LocalOptions options);

}  // namespace a4c::local
