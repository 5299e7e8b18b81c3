// host-baremetal: servers with Docker, reached by SSH. Settings: baremetal_keys.h.
#include "a4c/plugin.h"

#include "baremetal_config.h"
#include "baremetal_host_provider.h"
#include "baremetal_keys.h"

namespace {

constexpr a4c::AbsentCapability kAbsent[] = {
    {"image_less", "a unit is a container, and a container needs an image"},
};

a4c::Result<std::unique_ptr<a4c::HostProvider>> Make(const a4c::Config& config,
                                                     const a4c::Runtime& runtime) {
  A4C_TRY(a4c::baremetal::BaremetalOptions options, a4c::baremetal::ReadBaremetalConfig(config));
  return a4c::baremetal::NewBaremetalHostProvider(runtime, std::move(options));
}

}  // namespace

A4C_PLUGIN(HostProvider, "host-baremetal", "runs units as containers on servers reached by SSH",
           a4c::baremetal::kBaremetalKeys, kAbsent, Make);
