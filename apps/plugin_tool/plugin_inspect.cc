#include "apps/plugin_tool/plugin_tool.h"
#include "apps/plugin_tool/report.h"

namespace a4c {
namespace {

const char* TypeName(ConfigType type) {
  switch (type) {
    case ConfigType::kString:
      return "string";
    case ConfigType::kLong:
      return "whole number";
    case ConfigType::kDouble:
      return "number";
    case ConfigType::kBool:
      return "true or false";
    case ConfigType::kDurationMs:
      return "duration";
    case ConfigType::kBytes:
      return "size";
    case ConfigType::kStringList:
      return "list of strings";
    case ConfigType::kTree:
      return "tree";
  }
  return "value";
}

void ShowKey(const ConfigKey& key, std::ostream& out) {
  out << "  " << key.name << " (" << TypeName(key.type);
  if (key.fallback == nullptr) {
    out << ", required";
  } else if (*key.fallback != '\0') {
    out << ", default " << key.fallback;
  }
  out << (key.secret ? ", secret" : "") << "): " << key.help << "\n";
}

}  // namespace

int PluginInspect(const PluginTool& tool, std::span<const std::string> args, std::ostream& out,
                  std::ostream& err) {
  if (args.size() != 1) return Usage("inspect NAME|PATH", err);
  const auto info = tool.host.Inspect(args[0]);
  if (!info) return Report(info.error(), err);
  out << info->name << " " << info->version << ": " << info->summary << "\n"
      << "kind     " << info->kind << "\n"
      << "file     " << info->path << "\n"
      << "ABI tag  " << info->abi_tag << "\n";
  if (!info->keys.empty()) out << "settings\n";
  for (const ConfigKey& key : info->keys) ShowKey(key, out);
  if (!info->absent.empty()) out << "cannot\n";
  for (const AbsentCapability& absent : info->absent) {
    out << "  " << absent.name << ": " << absent.reason << "\n";
  }
  return kToolDone;
}

}  // namespace a4c
