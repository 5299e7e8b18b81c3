// The back ends that the settings choose, all through the loader.
#pragma once

#include <cstdint>
#include <memory>

#include "a4c/bus.h"
#include "a4c/collection.h"
#include "a4c/host_provider.h"
#include "a4c/plugin_host.h"
#include "a4c/search_index.h"
#include "a4c/store.h"
#include "apps/a4cd/config/settings.h"

namespace a4cd {

struct LoadedBackends {
  // First: what it made is destroyed before it.
  std::unique_ptr<a4c::PluginHost> plugins;
  std::unique_ptr<a4c::Store> store;
  std::unique_ptr<a4c::Bus> bus;             // null: none
  std::unique_ptr<a4c::SearchIndex> index;   // null: none
  std::unique_ptr<a4c::HostProvider> hosts;  // null: none

  a4c::Backends ForDatabase() const { return {*store, bus.get(), index.get()}; }
};

std::unique_ptr<a4c::PluginHost> NewPluginHost(const Settings& settings,
                                               const a4c::Runtime& runtime);

// Names the index that a choice leads to: by plugin and the settings that may say where it is,
// which are neither secret nor a number, switch or duration.
a4c::Result<std::string> IndexIdentity(a4c::PluginHost& plugins, const PluginChoice& search);

// What the host provider lets a unit use that names no memory (its memory_default): the same is
// reserved for it. kReservedMemory where it sets no limit.
inline constexpr int64_t kReservedMemory = 128LL << 20;
a4c::Result<int64_t> MemoryOfUnnamed(a4c::PluginHost& plugins, const PluginChoice& hosts);

// Opens what the roles need: the store always, the others unless "none".
a4c::Result<LoadedBackends> LoadBackends(const Settings& settings, const a4c::Runtime& runtime);

}  // namespace a4cd
