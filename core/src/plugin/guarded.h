// The decorators: what a plugin made, guarded. As<T>() of them knows the extensions of core and
// answers with guarded ones; an extension that core does not know is not there.
#pragma once

#include <memory>

#include "a4c/bus.h"
#include "a4c/host_provider.h"
#include "a4c/search_index.h"
#include "a4c/store.h"
#include "plugin/calls.h"

namespace a4c {
class Digests;
}

namespace a4c::plugin {

std::unique_ptr<Store> Guard(std::unique_ptr<Store> store, PluginRecord& plugin);
std::unique_ptr<Bus> Guard(std::unique_ptr<Bus> bus, PluginRecord& plugin);
std::unique_ptr<SearchIndex> Guard(std::unique_ptr<SearchIndex> index, PluginRecord& plugin);
std::unique_ptr<HostProvider> Guard(std::unique_ptr<HostProvider> provider, PluginRecord& plugin);

}  // namespace a4c::plugin
