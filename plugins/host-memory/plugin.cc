// Wraps core's in-memory host provider as a plugin: servers that are only pretended.
#include "a4c/plugin.h"

#include "a4c/memory.h"

namespace {

constexpr a4c::ConfigKey kKeys[] = {
    {"servers", a4c::ConfigType::kStringList, "", "their ids; none: local-1, local-2 and local-3"},
    {"disk", a4c::ConfigType::kBytes, "100GiB", "the disk of each", false, 1},
    {"memory", a4c::ConfigType::kBytes, "16GiB", "the memory of each", false, 1},
    {"cpu_millis", a4c::ConfigType::kLong, "8000", "the processor of each, 1000 a core", false, 1},
};

constexpr a4c::AbsentCapability kAbsent[] = {
    {"shared_instances", "each instance has servers of its own, and keeps nothing"},
};

a4c::Result<std::unique_ptr<a4c::HostProvider>> Make(const a4c::Config& config,
                                                     const a4c::Runtime& runtime) {
  a4c::MemoryHostOptions options;
  if (!config.StringList("servers").empty()) options.servers.clear();
  for (const std::string& id : config.StringList("servers")) options.servers.push_back({id});
  for (auto& server : options.servers) {
    server.disk_total_bytes = config.Long("disk");
    server.memory_total_bytes = config.Long("memory");
    server.cpu_total_millis = config.Long("cpu_millis");
  }
  return a4c::NewMemoryHostProvider(runtime, options);
}

}  // namespace

A4C_PLUGIN(HostProvider, "host-memory", "pretends servers, for tests and a first look", kKeys,
           kAbsent, Make);
