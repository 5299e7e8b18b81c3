#include "apps/a4cd/check_config.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "a4c/config.h"
#include "a4c/nearest.h"
#include "a4c/plugin_host.h"
#include "apps/a4cd/backends.h"
#include "apps/a4cd/secrets/secret_box.h"

namespace a4cd {
namespace {

using a4c::Error;
using a4c::Result;

std::string TextOf(const Error& error) {
  return error.message() + (error.hint().empty() ? "" : " (hint: " + error.hint() + ")");
}

std::string Meant(a4c::PluginHost& plugins, const std::string& name, const std::string& kind) {
  std::vector<std::string> names;
  for (const a4c::PluginInfo& info : plugins.List()) {
    if (info.kind == kind) names.push_back(info.name);
  }
  const std::string nearest = a4c::Nearest(name, names);
  return nearest.empty() ? "" : "; did you mean \"" + nearest + "\"?";
}

// What is wrong with it, or nothing.
std::string FaultOf(a4c::PluginHost& plugins, const PluginChoice& choice, const std::string& kind) {
  if (choice.plugin == "none") return {};
  const Result<a4c::PluginInfo> info = plugins.Inspect(choice.plugin);
  if (!info) {
    const bool absent = info.error().code() == a4c::Code::kNotFound;
    return choice.where + ": " + TextOf(info.error()) +
           (absent ? Meant(plugins, choice.plugin, kind) : "");
  }
  if (info->kind != kind) {
    return choice.where + ": " + choice.plugin + " is a " + info->kind + ", not a " + kind;
  }
  const auto config = a4c::CheckConfig(choice.config, info->keys);
  return config ? "" : config.error().message();
}

}  // namespace

Result<void> CheckNamed(const Settings& settings, const a4c::Runtime& runtime) {
  const std::unique_ptr<a4c::PluginHost> plugins = NewPluginHost(settings, runtime);
  const std::pair<const PluginChoice&, const char*> choices[] = {{settings.store, "Store"},
                                                                 {settings.bus, "Bus"},
                                                                 {settings.search, "SearchIndex"},
                                                                 {settings.hosts, "HostProvider"}};
  std::string faults;
  const auto add = [&](const std::string& fault) {
    if (!fault.empty()) faults += (faults.empty() ? "" : "\n") + fault;
  };
  for (const auto& [choice, kind] : choices) add(FaultOf(*plugins, choice, kind));
  if (!settings.secrets_key_file.empty()) {
    const auto box = SecretBox::Read(settings.secrets_key_file);
    if (!box) add(settings.secrets_key_file_where + ": " + TextOf(box.error()));
  }
  if (!faults.empty()) return Error(a4c::Code::kInvalid, faults);
  return {};
}

}  // namespace a4cd
