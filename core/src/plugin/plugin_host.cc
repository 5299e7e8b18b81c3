#include "a4c/plugin_host.h"

#include <utility>

#include "plugin/library.h"

namespace a4c {

struct PluginHost::State {
  Runtime runtime;
  PluginHostOptions options;

  template <typename Interface>
  Result<std::unique_ptr<Interface>> Make(const std::string& name, const char* kind,
                                          const char* abi_tag, const ConfigValue& config);
};

namespace {

PluginInfo InfoOf(const PluginDescriptor& descriptor, std::string path) {
  return {.path = std::move(path),
          .kind = descriptor.kind,
          .name = descriptor.name,
          .version = descriptor.version,
          .summary = descriptor.summary,
          .abi_tag = descriptor.abi_tag,
          .keys = {descriptor.keys, descriptor.key_count},
          .absent = {descriptor.absent, descriptor.absent_count}};
}

}  // namespace

template <typename Interface>
Result<std::unique_ptr<Interface>> PluginHost::State::Make(const std::string& name,
                                                           const char* kind, const char* abi_tag,
                                                           const ConfigValue& config) {
  A4C_TRY(const auto file, plugin::FindFile(name, options.directories));
  A4C_TRY(const PluginDescriptor* descriptor, plugin::OpenDescriptor(file));
  if (std::string_view(descriptor->abi_tag) != abi_tag) {
    return Error(Code::kInvalid,
                 file.string() + " was built for " + descriptor->abi_tag + ", this is " + abi_tag);
  }
  if (std::string_view(descriptor->kind) != kind) {
    return Error(Code::kInvalid,
                 std::string(descriptor->name) + " is a " + descriptor->kind + ", not a " + kind);
  }
  A4C_TRY(const Config checked, CheckConfig(config, {descriptor->keys, descriptor->key_count}));
  return reinterpret_cast<PluginFactory<Interface>>(descriptor->factory)(checked, runtime);
}

PluginHost::PluginHost(const Runtime& runtime, PluginHostOptions options)
    : state_(new State{runtime, std::move(options)}) {}
PluginHost::~PluginHost() = default;

Result<PluginInfo> PluginHost::Inspect(const std::string& name) {
  A4C_TRY(const auto file, plugin::FindFile(name, state_->options.directories));
  A4C_TRY(const PluginDescriptor* descriptor, plugin::OpenDescriptor(file));
  return InfoOf(*descriptor, file.string());
}

std::vector<PluginInfo> PluginHost::List() {
  std::vector<PluginInfo> infos;
  for (const auto& file : plugin::ListFiles(state_->options.directories)) {
    auto info = Inspect(file.string());
    if (info) {
      infos.push_back(*std::move(info));
    } else {
      infos.push_back({.path = file.string(),
                       .kind = {},
                       .name = file.stem().string(),
                       .version = {},
                       .summary = info.error().ToString(),
                       .abi_tag = {},
                       .keys = {},
                       .absent = {}});
    }
  }
  return infos;
}

Result<std::unique_ptr<Store>> PluginHost::MakeStore(const std::string& name,
                                                     const ConfigValue& config) {
  return state_->Make<Store>(name, "Store", A4C_ABI_TAG_Store, config);
}
Result<std::unique_ptr<Bus>> PluginHost::MakeBus(const std::string& name,
                                                 const ConfigValue& config) {
  return state_->Make<Bus>(name, "Bus", A4C_ABI_TAG_Bus, config);
}
Result<std::unique_ptr<SearchIndex>> PluginHost::MakeSearchIndex(const std::string& name,
                                                                 const ConfigValue& config) {
  return state_->Make<SearchIndex>(name, "SearchIndex", A4C_ABI_TAG_SearchIndex, config);
}
Result<std::unique_ptr<HostProvider>> PluginHost::MakeHostProvider(const std::string& name,
                                                                   const ConfigValue& config) {
  return state_->Make<HostProvider>(name, "HostProvider", A4C_ABI_TAG_HostProvider, config);
}

std::vector<PluginHealth> PluginHost::Health() const {
  return {};
}

}  // namespace a4c
