#include "apps/a4cd/backends.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include "a4c/config.h"
#include "apps/a4cd/api/cursor.h"

namespace a4cd {

using a4c::Code;
using a4c::Error;
using a4c::Result;

namespace {

bool Chosen(const PluginChoice& choice) {
  return choice.plugin != "none";
}

Result<void> MakeDataDirectory(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory + "/hosts", error);
  // Others may pass, since the units of host-local run below it as another user, but not look
  // around.
  using std::filesystem::perms;
  if (!error) {
    std::filesystem::permissions(directory,
                                 perms::owner_all | perms::group_exec | perms::others_exec, error);
  }
  if (!error) return {};
  return Error(Code::kUnavailable,
               "the data directory " + directory + " cannot be made: " + error.message(),
               "set data_directory, or A4C_DATA_DIR");
}

// The database holds everybody's records: nobody else reads it. SQLite takes the mode of the file
// that is there, also for the files that it puts beside it.
void MakeDatabaseFile(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd >= 0) close(fd);
}

// "urls={[a][b]}index_prefix={x}", whatever order a list was written in.
std::string TextOf(const a4c::ConfigValue& value) {
  std::string text = value.scalar;
  std::vector<std::string> items;
  for (const a4c::ConfigValue& item : value.list) items.push_back("[" + TextOf(item) + "]");
  std::ranges::sort(items);
  for (const std::string& item : items) text += item;
  for (const auto& [name, member] : value.map) text += name + "={" + TextOf(member) + "}";
  return text;
}

// Whether a setting may say where an index is: no number and no duration does, and each instance
// has its own.
bool SaysWhere(const a4c::ConfigKey& key) {
  using a4c::ConfigType;
  return !key.secret && (key.type == ConfigType::kString || key.type == ConfigType::kStringList ||
                         key.type == ConfigType::kTree);
}

bool IsEmbedded(const Settings& settings) {
  return settings.store.plugin == "store-sqlite" || settings.hosts.plugin == "host-local";
}

}  // namespace

std::unique_ptr<a4c::PluginHost> NewPluginHost(const Settings& settings,
                                               const a4c::Runtime& runtime) {
  return std::make_unique<a4c::PluginHost>(
      runtime, a4c::PluginHostOptions{.directories = settings.plugin_directories});
}

Result<std::string> IndexIdentity(a4c::PluginHost& plugins, const PluginChoice& search) {
  if (!Chosen(search)) return std::string();
  A4C_TRY(const a4c::PluginInfo info, plugins.Inspect(search.plugin));
  a4c::ConfigValue known = search.config;
  for (const a4c::ConfigKey& key : info.keys) {
    const auto found = known.map.find(key.name);
    if (found == known.map.end()) continue;
    const a4c::ConfigValue& value = found->second;
    const bool is_default = key.fallback != nullptr && value.list.empty() && value.map.empty() &&
                            value.scalar == key.fallback;
    if (is_default || !SaysWhere(key)) known.map.erase(found);
  }
  return info.name + "-" + HashHex(TextOf(known)).substr(0, 16);
}

Result<int64_t> MemoryOfUnnamed(a4c::PluginHost& plugins, const PluginChoice& hosts) {
  if (!Chosen(hosts)) return kReservedMemory;
  A4C_TRY(const a4c::PluginInfo info, plugins.Inspect(hosts.plugin));
  const std::string_view name = "memory_default";
  if (std::ranges::find(info.keys, name, &a4c::ConfigKey::name) == info.keys.end()) {
    return kReservedMemory;
  }
  A4C_TRY(const a4c::Config config, a4c::CheckConfig(hosts.config, info.keys));
  const int64_t bytes = config.Long(name);
  return bytes > 0 ? bytes : kReservedMemory;
}

Result<LoadedBackends> LoadBackends(const Settings& settings, const a4c::Runtime& runtime) {
  if (IsEmbedded(settings)) A4C_CHECK(MakeDataDirectory(settings.data_directory));
  const std::string database = settings.data_directory + "/a4cd.db";
  const auto path = settings.store.config.map.find("path");
  if (path != settings.store.config.map.end() && path->second.scalar == database) {
    MakeDatabaseFile(database);
  }
  LoadedBackends loaded;
  loaded.plugins = NewPluginHost(settings, runtime);
  A4C_TRY(loaded.store, loaded.plugins->MakeStore(settings.store.plugin, settings.store.config));
  if (Chosen(settings.bus)) {
    A4C_TRY(loaded.bus, loaded.plugins->MakeBus(settings.bus.plugin, settings.bus.config));
  }
  if (Chosen(settings.search)) {
    A4C_TRY(loaded.index,
            loaded.plugins->MakeSearchIndex(settings.search.plugin, settings.search.config));
  }
  if (Chosen(settings.hosts)) {
    A4C_TRY(loaded.hosts,
            loaded.plugins->MakeHostProvider(settings.hosts.plugin, settings.hosts.config));
  }
  return loaded;
}

}  // namespace a4cd
