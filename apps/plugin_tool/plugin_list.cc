#include <algorithm>
#include <iomanip>

#include "apps/plugin_tool/plugin_tool.h"
#include "apps/plugin_tool/report.h"

namespace a4c {

int PluginList(const PluginTool& tool, std::span<const std::string> args, std::ostream& out,
               std::ostream& err) {
  if (!args.empty()) return Usage("list", err);
  const std::vector<PluginInfo> plugins = tool.host.List();
  size_t width = 4;
  for (const PluginInfo& plugin : plugins) width = std::max(width, plugin.name.size());
  const auto row = [&](const std::string& name, const std::string& kind, const std::string& version,
                       const std::string& summary) {
    out << std::left << std::setw(static_cast<int>(width) + 2) << name << std::setw(14) << kind
        << std::setw(9) << version << summary << "\n";
  };
  row("NAME", "KIND", "VERSION", "SUMMARY");
  for (const PluginInfo& plugin : plugins) {
    const bool refused = plugin.kind.empty();
    row(plugin.name, refused ? "-" : plugin.kind, refused ? "-" : plugin.version,
        (refused ? "refused: " : "") + plugin.summary);
  }
  return kToolDone;
}

}  // namespace a4c
