#include "a4c/plugin_host.h"

#include <map>
#include <mutex>
#include <utility>

#include "plugin/abi_tag.h"
#include "plugin/calls.h"
#include "plugin/file_trust.h"
#include "plugin/guard.h"
#include "plugin/guarded.h"
#include "plugin/library.h"
#include "plugin/static_plugins.h"
#include "plugin/watchdog.h"

namespace a4c {

using plugin::PluginRecord;

namespace {

constexpr const char* kLinkedIn = "(static)";

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

PluginInfo RefusedInfo(const std::filesystem::path& file, const Error& error) {
  return {.path = file.string(),
          .kind = {},
          .name = file.stem().string(),
          .version = {},
          .summary = error.ToString(),
          .abi_tag = {},
          .keys = {},
          .absent = {}};
}

}  // namespace

struct PluginHost::State {
  struct Found {
    const PluginDescriptor* descriptor;
    std::string path;
  };

  State(const Runtime& with, PluginHostOptions wanted)
      : runtime(with),
        options(std::move(wanted)),
        watchdog(runtime, {.overdue_ms = options.overdue_ms,
                           .abandon_ms = options.abandon_ms,
                           .abandon = plugin::ExitAbandoned}) {}

  Result<Found> Find(const std::string& name);
  Result<const PluginDescriptor*> Open(const std::filesystem::path& file);
  PluginRecord& RecordOf(const std::string& name);
  template <typename Interface>
  Result<std::unique_ptr<Interface>> Make(const std::string& name, std::string_view kind,
                                          const ConfigValue& config);
  template <typename Interface>
  Result<std::unique_ptr<Interface>> CallFactory(const PluginDescriptor& descriptor,
                                                 PluginRecord& record, const Config& config);

  const Runtime runtime;
  const PluginHostOptions options;
  std::mutex mutex;
  std::map<std::string, PluginRecord*> records;
  plugin::Watchdog watchdog;  // last: its thread ends before the rest goes
};

Result<PluginHost::State::Found> PluginHost::State::Find(const std::string& name) {
  if (const PluginDescriptor* linked_in = plugin::FindStatic(name)) {
    A4C_CHECK(plugin::CheckDescriptor(*linked_in, kLinkedIn));
    return Found{linked_in, kLinkedIn};
  }
  A4C_TRY(const auto file, plugin::FindFile(name, options.directories));
  if (options.check_ownership) A4C_CHECK(plugin::CheckTrust(file));
  A4C_CHECK(plugin::CheckTag(file));
  A4C_TRY(const PluginDescriptor* descriptor, Open(file));
  A4C_CHECK(plugin::CheckDescriptor(*descriptor, file.string()));
  A4C_CHECK(plugin::CheckName(*descriptor, file));
  return Found{descriptor, file.string()};
}

// In flight while it opens: static constructors of the plugin run.
Result<const PluginDescriptor*> PluginHost::State::Open(const std::filesystem::path& file) {
  const plugin::CallInFlight in_flight(RecordOf(file.stem()).Site("load"),
                                       runtime.clock.MonotonicNs(), 0);
  return plugin::OpenDescriptor(file);
}

PluginRecord& PluginHost::State::RecordOf(const std::string& name) {
  const std::lock_guard lock(mutex);
  PluginRecord*& record = records[name];
  if (record == nullptr) record = &PluginRecord::New(name, runtime, &watchdog);
  return *record;
}

template <typename Interface>
Result<std::unique_ptr<Interface>> PluginHost::State::Make(const std::string& name,
                                                           std::string_view kind,
                                                           const ConfigValue& config) {
  A4C_TRY(const Found found, Find(name));
  const PluginDescriptor& descriptor = *found.descriptor;
  if (kind != descriptor.kind) {
    return Error(Code::kInvalid,
                 found.path + " is a " + descriptor.kind + ", not a " + std::string(kind));
  }
  A4C_TRY(const Config checked, CheckConfig(config, {descriptor.keys, descriptor.key_count}));
  PluginRecord& record = RecordOf(descriptor.name);
  watchdog.Watch(record);
  A4C_TRY(auto bare, CallFactory<Interface>(descriptor, record, checked));
  return plugin::Guard(std::move(bare), record);
}

template <typename Interface>
Result<std::unique_ptr<Interface>> PluginHost::State::CallFactory(
    const PluginDescriptor& descriptor, PluginRecord& record, const Config& config) {
  const plugin::CallSite& site = record.Site("factory");
  const Call call{runtime.clock, runtime.clock.MonotonicMs(), {}, {}};
  const auto factory = reinterpret_cast<PluginFactory<Interface>>(descriptor.factory);
  auto made = plugin::Guarded(site, call, [&] { return factory(config, runtime); });
  if (made && *made == nullptr) return plugin::Malformed(site, "a config", "no object");
  return made;
}

PluginHost::PluginHost(const Runtime& runtime, PluginHostOptions options)
    : state_(std::make_unique<State>(runtime, std::move(options))) {}
PluginHost::~PluginHost() = default;

Result<PluginInfo> PluginHost::Inspect(const std::string& name) {
  A4C_TRY(const State::Found found, state_->Find(name));
  return InfoOf(*found.descriptor, found.path);
}

std::vector<PluginInfo> PluginHost::List() {
  std::vector<PluginInfo> infos;
  for (const PluginDescriptor* descriptor : plugin::StaticPlugins()) {
    infos.push_back(InfoOf(*descriptor, kLinkedIn));
  }
  for (const auto& file : plugin::ListFiles(state_->options.directories)) {
    auto info = Inspect(file.string());
    infos.push_back(info ? *std::move(info) : RefusedInfo(file, info.error()));
  }
  return infos;
}

Result<std::unique_ptr<Store>> PluginHost::MakeStore(const std::string& name,
                                                     const ConfigValue& config) {
  return state_->Make<Store>(name, "Store", config);
}
Result<std::unique_ptr<Bus>> PluginHost::MakeBus(const std::string& name,
                                                 const ConfigValue& config) {
  return state_->Make<Bus>(name, "Bus", config);
}
Result<std::unique_ptr<SearchIndex>> PluginHost::MakeSearchIndex(const std::string& name,
                                                                 const ConfigValue& config) {
  return state_->Make<SearchIndex>(name, "SearchIndex", config);
}
Result<std::unique_ptr<HostProvider>> PluginHost::MakeHostProvider(const std::string& name,
                                                                   const ConfigValue& config) {
  return state_->Make<HostProvider>(name, "HostProvider", config);
}

std::vector<PluginHealth> PluginHost::Health() const {
  return state_->watchdog.Health();
}

}  // namespace a4c
