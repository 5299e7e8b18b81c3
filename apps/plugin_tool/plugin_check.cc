#include "apps/plugin_tool/plugin_tool.h"
#include "apps/plugin_tool/report.h"

namespace a4c {
namespace {

template <typename Interface>
Result<void> Outcome(const Result<std::unique_ptr<Interface>>& made) {
  if (!made) return made.error();
  return {};
}

Result<void> MakeAndDrop(PluginHost& host, const PluginInfo& info, const std::string& name,
                         const ConfigValue& config) {
  if (info.kind == "Store") return Outcome(host.MakeStore(name, config));
  if (info.kind == "Bus") return Outcome(host.MakeBus(name, config));
  if (info.kind == "SearchIndex") return Outcome(host.MakeSearchIndex(name, config));
  return Outcome(host.MakeHostProvider(name, config));
}

// Made without any settings it most probably lacks one.
Error WithoutSettings(const Error& error, const std::string& name) {
  const std::string ask = "give it settings: a4cd plugin check " + name +
                          " --config=FILE; a4cd plugin inspect " + name + " lists them";
  return Error(error.code(), error.message(),
               error.hint().empty() ? ask : error.hint() + "; or " + ask);
}

}  // namespace

int PluginCheck(const PluginTool& tool, std::span<const std::string> args, std::ostream& out,
                std::ostream& err) {
  constexpr std::string_view kConfig = "--config=";
  const bool has_config = args.size() == 2 && args[1].starts_with(kConfig);
  if (args.empty() || (args.size() > 1 && !has_config)) {
    return Usage("check NAME|PATH [--config=FILE]", err);
  }
  const auto info = tool.host.Inspect(args[0]);
  if (!info) return Report(info.error(), err);
  ConfigValue config;
  if (has_config) {
    auto read = tool.read_config(args[1].substr(kConfig.size()));
    if (!read) return Report(read.error(), err);
    config = *std::move(read);
  }
  const auto made = MakeAndDrop(tool.host, *info, args[0], config);
  if (!made && !has_config && !info->keys.empty()) {
    return Report(WithoutSettings(made.error(), args[0]), err);
  }
  if (!made) return Report(made.error(), err);
  out << info->name << " " << info->version << " (" << info->kind << ") is ready\n";
  return kToolDone;
}

}  // namespace a4c
