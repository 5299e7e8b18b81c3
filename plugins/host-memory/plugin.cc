// Wraps core's in-memory host provider as a plugin: servers that are only pretended.
#include "a4c/plugin.h"

#include <fstream>
#include <iterator>

#include "a4c/json.h"
#include "a4c/memory.h"

namespace {

constexpr size_t kServersFileBytesMax = 16 << 20;

constexpr a4c::ConfigKey kKeys[] = {
    {"servers", a4c::ConfigType::kStringList, "", "their ids; none: local-1, local-2 and local-3"},
    {"servers_file", a4c::ConfigType::kString, "",
     "a JSON file of further servers, each with figures of its own"},
    {"disk", a4c::ConfigType::kBytes, "100GiB", "the disk of each", false, 1},
    {"memory", a4c::ConfigType::kBytes, "16GiB", "the memory of each", false, 1},
    {"cpu_millis", a4c::ConfigType::kLong, "8000", "the processor of each, 1000 a core", false, 1},
    {"arch", a4c::ConfigType::kString, "amd64", "what each says it is: amd64, arm64"},
};

constexpr a4c::AbsentCapability kAbsent[] = {
    {"shared_instances", "each instance has servers of its own, and keeps nothing"},
};

// {"servers": [{"id": "one", "disk_bytes": 1073741824, "memory_bytes": ..., "cpu_millis": 8000,
//               "arch": "arm64"}]}
a4c::Result<void> AddServersOf(const std::string& file, a4c::MemoryHostOptions& options) {
  std::ifstream in(file);
  if (!in) return a4c::Error(a4c::Code::kInvalid, "servers_file: cannot read " + file);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  auto json = a4c::ParseJson(text, {.bytes_max = kServersFileBytesMax});
  if (!json) return json.error().Within("servers_file: " + file);
  for (const a4c::Json& item : (*json)["servers"].Items()) {
    a4c::MemoryHostOptions::Server server{item["id"].Text(), item["disk_bytes"].Int(),
                                          item["memory_bytes"].Int(), item["cpu_millis"].Int()};
    if (!item["arch"].Text().empty()) server.arch = item["arch"].Text();
    if (server.id.empty() || server.disk_total_bytes < 1 || server.memory_total_bytes < 1 ||
        server.cpu_total_millis < 1) {
      return a4c::Error(a4c::Code::kInvalid,
                        "servers_file: " + file + ": servers[" +
                            std::to_string(options.servers.size()) +
                            "] needs id, disk_bytes, memory_bytes, cpu_millis");
    }
    options.servers.push_back(server);
  }
  return {};
}

a4c::Result<std::unique_ptr<a4c::HostProvider>> Make(const a4c::Config& config,
                                                     const a4c::Runtime& runtime) {
  a4c::MemoryHostOptions options;
  const std::string& file = config.String("servers_file");
  if (!config.StringList("servers").empty() || !file.empty()) options.servers.clear();
  for (const std::string& id : config.StringList("servers")) options.servers.push_back({id});
  for (auto& server : options.servers) {
    server.disk_total_bytes = config.Long("disk");
    server.memory_total_bytes = config.Long("memory");
    server.cpu_total_millis = config.Long("cpu_millis");
    server.arch = config.String("arch");
  }
  if (!file.empty()) A4C_CHECK(AddServersOf(file, options));
  return a4c::NewMemoryHostProvider(runtime, options);
}

}  // namespace

A4C_PLUGIN(HostProvider, "host-memory", "pretends servers, for tests and a first look", kKeys,
           kAbsent, Make);
