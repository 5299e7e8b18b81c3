// host-local: this machine as several servers, each a directory. Settings: local_config.h.
#include "a4c/plugin.h"

#include "local_config.h"
#include "local_host_provider.h"

namespace {

constexpr a4c::AbsentCapability kAbsent[] = {
    {"images", "a unit is a plain process group"},
    {"image_build", "there are no images"},
    {"image_supply", "there are no images"},
    {"log_times", "what a unit writes is kept as it came, without times"},
    {"cleanup", "nothing is kept but the units' own directories"},
    {"disk_limit", "only the size of each single file is limited"},
    {"cpu_limit", "a plain process group has no share of the processor"},
    {"incarnation_check", "the directories do not know the store"},
};

a4c::Result<std::unique_ptr<a4c::HostProvider>> Make(const a4c::Config& config,
                                                     const a4c::Runtime& runtime) {
  A4C_TRY(a4c::local::LocalOptions options, a4c::local::ReadLocalConfig(config));
  return a4c::local::NewLocalHostProvider(runtime, std::move(options));
}

}  // namespace

A4C_PLUGIN(HostProvider, "host-local", "runs units as processes of this machine",
           a4c::local::kLocalKeys, kAbsent, Make);
