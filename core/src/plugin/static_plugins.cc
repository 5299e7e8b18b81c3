#include "plugin/static_plugins.h"

#include "a4c/plugin_host.h"

namespace a4c {
namespace plugin {
namespace {

// A function's static: it is filled by static constructors, in whatever order they run.
std::vector<const PluginDescriptor*>& Table() {
  static auto* table = new std::vector<const PluginDescriptor*>;
  return *table;
}

}  // namespace

const PluginDescriptor* FindStatic(std::string_view name) {
  for (const PluginDescriptor* descriptor : Table()) {
    if (name == descriptor->name) return descriptor;
  }
  return nullptr;
}

std::vector<const PluginDescriptor*> StaticPlugins() {
  return Table();
}

}  // namespace plugin

void AddStaticPlugin(const PluginDescriptor& descriptor) {
  plugin::Table().push_back(&descriptor);
}

}  // namespace a4c
