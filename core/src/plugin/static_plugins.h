// The table of plugins that are linked into the program: filled before main by what a4c_plugin()
// generates where A4C_STATIC_PLUGINS is on.
#pragma once

#include <string_view>
#include <vector>

#include "a4c/plugin.h"

namespace a4c::plugin {

// The plugin of that name, or null.
const PluginDescriptor* FindStatic(std::string_view name);
std::vector<const PluginDescriptor*> StaticPlugins();

}  // namespace a4c::plugin
