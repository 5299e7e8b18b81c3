// What `a4cd plugin list|inspect|check|new` does. Each command takes what follows its name on the
// command line and gives the exit status: 0 done, 1 failed, 2 usage, 3 not found.
//
//   a4cd plugin list                                   every plugin found, and why one is refused
//   a4cd plugin inspect store-sqlite                   its settings, and what it cannot do
//   a4cd plugin check store-sqlite --config=FILE       makes one with these settings, and drops it
//   a4cd plugin new store-foo [--into=DIRECTORY]       writes a plugin to start from
#pragma once

#include <functional>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "a4c/plugin_host.h"

namespace a4c {

struct PluginTool {
  PluginHost& host;
  // Reads the plugin's settings from a file; for `check`.
  std::function<Result<ConfigValue>(const std::string& file)> read_config;
  // Holds a directory per kind of template: "store".
  std::string template_directory;
};

int PluginList(const PluginTool& tool, std::span<const std::string> args, std::ostream& out,
               std::ostream& err);
int PluginInspect(const PluginTool& tool, std::span<const std::string> args, std::ostream& out,
                  std::ostream& err);
int PluginCheck(const PluginTool& tool, std::span<const std::string> args, std::ostream& out,
                std::ostream& err);
int PluginNew(const PluginTool& tool, std::span<const std::string> args, std::ostream& out,
              std::ostream& err);

// Where templates are: $A4C_TEMPLATE_DIR if that is set, else share/a4c/templates beside the
// directory of the running program, else this directory of the source tree, if it is there.
std::string FindTemplateDirectory();

}  // namespace a4c
