// A descriptor written by hand, with a hole in it.
#include "a4c/plugin.h"

extern "C" __attribute__((visibility("default"))) const a4c::PluginDescriptor a4c_plugin;
const a4c::PluginDescriptor a4c_plugin = {
    A4C_ABI_TAG_Store, EVIL_KIND, EVIL_NAME, "1.0.0", "a hole", nullptr, 0, nullptr, 0, nullptr};
