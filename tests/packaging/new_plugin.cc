// packaging_new_plugin store-foo --into=DIRECTORY: `a4cd plugin new`, without a4cd.
#include <iostream>
#include <string>
#include <vector>

#include "a4c/sinks.h"
#include "apps/plugin_tool/plugin_tool.h"

int main(int argc, char** argv) {
  const a4c::Runtime runtime = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
  a4c::PluginHost host(runtime, {});
  const a4c::PluginTool tool{host, {}, a4c::FindTemplateDirectory()};
  const std::vector<std::string> args(argv + 1, argv + argc);
  return a4c::PluginNew(tool, args, std::cout, std::cerr);
}
