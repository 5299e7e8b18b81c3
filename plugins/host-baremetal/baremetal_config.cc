#include "baremetal_config.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "a4c/json.h"
#include "baremetal_keys.h"
#include "ssh/ssh_address.h"
#include "ssh/ssh_key.h"

namespace a4c::baremetal {
namespace {

constexpr size_t kListFileBytesMax = 4u << 20;
constexpr size_t kClusterBytesMax = 32;

bool IsPlain(std::string_view text, std::string_view others) {
  return std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

Error At(const ConfigValue& value, const std::string& what) {
  return Error(Code::kInvalid, value.Where() + ": " + what);
}

// Paths that become part of a command on the server hold nothing that a shell would read.
Result<void> CheckRemotePath(const ConfigValue& value, const std::string& key,
                             const std::string& path) {
  if (!path.empty() && path.front() == '/' && IsPlain(path, "/._-")) return {};
  return At(value, key + " is an absolute path of letters, digits, \"/\", \".\", \"_\" and \"-\"");
}

Result<void> CheckLocal(const ConfigValue& value, const ServerOptions& server) {
  A4C_CHECK(CheckRemotePath(value, "address", server.LocalPath()));
  if (server.helper) return At(value, "helper: a4c-host is reached by SSH alone");
  if (value.map.contains("jump")) return At(value, "jump: a dockerd of this machine needs none");
  return {};
}

// In a file or in an agent, which may be started later.
Result<void> CheckKey(const ServerOptions& server) {
  if (server.agent.empty() && server.private_key_path.empty()) {
    return Error(Code::kInvalid, "private_key_path is missing", "or name an ssh agent: agent");
  }
  if (server.agent.empty()) {
    if (!server.agent_key.empty()) return Error(Code::kInvalid, "agent_key: there is no agent");
    return CheckPrivateKey(server.private_key_path);
  }
  if (!server.private_key_path.empty()) {
    return Error(Code::kInvalid, "private_key_path and agent exclude each other");
  }
  if (!server.agent.starts_with("/")) {
    return Error(Code::kInvalid, "agent: the absolute path of an ssh agent's socket",
                 "as SSH_AUTH_SOCK has it, but one that stays: ssh-agent -a /run/a4cd/agent");
  }
  if (server.agent_key.empty()) return {};
  const auto checked = CheckFingerprint(server.agent_key);
  return checked ? checked : checked.error().Within("agent_key");
}

Result<void> CheckSsh(const ConfigValue& value, const ServerOptions& server) {
  for (const std::string& login : {server.user, server.admin_user}) {
    if (!IsPlain(login, "_.-") || login.starts_with("-")) {
      return At(value, "user, admin_user: letters, digits, \"_\", \".\" and \"-\"");
    }
  }
  if (!server.helper_data.empty()) {
    A4C_CHECK(CheckRemotePath(value, "helper_data", server.helper_data));
  }
  const std::pair<const char*, const std::string&> needed[] = {
      {"user", server.user}, {"host_key_fingerprint", server.host_key_fingerprint}};
  for (const auto& [key, text] : needed) {
    if (text.empty()) return At(value, std::string(key) + " is missing");
  }
  for (const auto& checked : {CheckFingerprint(server.host_key_fingerprint), CheckKey(server)}) {
    if (!checked) return checked.error().Within(value.Where());
  }
  return {};
}

// Null: there is none.
Result<std::shared_ptr<const SshTarget>> ReadJump(const ConfigValue& value, const Config& config,
                                                  const ServerOptions& server) {
  const std::string& text = config.String("jump");
  if (text.empty()) return std::shared_ptr<const SshTarget>();
  const auto address = ParseSshAddress("jump", text);
  if (!address) return At(value, address.error().message());
  const std::string& own_key = config.String("jump_key_path");
  SshTarget jump{.address = address->Name(),
                 .port = address->port,
                 .user = address->user,
                 .host_key_fingerprint = config.String("jump_fingerprint"),
                 .private_key_path = own_key.empty() ? server.private_key_path : own_key,
                 .agent = own_key.empty() ? server.agent : "",
                 .agent_key = own_key.empty() ? server.agent_key : "",
                 .keepalive_interval_ms = 0};  // the session through it is asked
  const auto checked = CheckFingerprint(jump.host_key_fingerprint);
  if (!checked) return checked.error().Within(value.Where() + ": jump_fingerprint");
  if (!own_key.empty()) A4C_CHECK(CheckPrivateKey(own_key));
  return std::make_shared<const SshTarget>(std::move(jump));
}

}  // namespace

Result<ServerOptions> ReadServerOptions(const ConfigValue& value) {
  A4C_TRY(const Config config, CheckConfig(value, kServerKeys));
  ServerOptions server{.id = config.String("id"),
                       .address = config.String("address"),
                       .port = static_cast<int>(config.Long("port")),
                       .user = config.String("user"),
                       .host_key_fingerprint = config.String("host_key_fingerprint"),
                       .private_key_path = config.String("private_key_path"),
                       .docker_socket = config.String("docker_socket"),
                       .disk_path = config.String("disk_path"),
                       .helper = config.Bool("helper"),
                       .admin_user = config.String("admin_user"),
                       .helper_data = config.String("helper_data"),
                       .agent = config.String("agent"),
                       .agent_key = config.String("agent_key")};
  if (server.id.empty() || server.id.size() > 64 || !IsPlain(server.id, "_.-")) {
    return At(value, "id has 1 to 64 letters, digits, \"_\", \".\" or \"-\"");
  }
  A4C_CHECK(CheckRemotePath(value, "docker_socket", server.docker_socket));
  if (!server.disk_path.empty()) A4C_CHECK(CheckRemotePath(value, "disk_path", server.disk_path));
  if (server.IsLocal()) {
    A4C_CHECK(CheckLocal(value, server));
  } else {
    A4C_CHECK(CheckSsh(value, server));
    A4C_TRY(server.jump, ReadJump(value, config, server));
  }
  return server;
}

namespace {

ConfigValue ValueOf(const Json& json, const std::string& file, const std::string& path) {
  ConfigValue value;
  value.file = file;
  value.path = path;
  if (json.IsObject()) {
    value.shape = ConfigValue::Shape::kMap;
    for (const auto& [name, member] : json.Members()) {
      value.map[name] = ValueOf(member, file, std::string(path).append(".").append(name));
    }
  } else if (!json.IsNull()) {
    value.shape = ConfigValue::Shape::kScalar;
    value.scalar = json.IsText() ? json.Text() : json.ToString();
  }
  return value;
}

// What stands under `list` in the file that the setting <list>_file names, and in the setting.
Result<std::vector<ConfigValue>> ReadList(const Config& config, const std::string& list) {
  const std::string key = list + "_file";
  const std::string& file = config.String(key);
  std::vector<ConfigValue> values;
  if (!file.empty()) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return Error(Code::kInvalid, key + ": cannot read " + file);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    auto json = ParseJson(text, {.bytes_max = kListFileBytesMax});
    if (!json) return Error(Code::kInvalid, key + ": " + file + ": " + json.error().message());
    const Json& items = (*json)[list];
    if (!items.IsArray()) {
      return Error(Code::kInvalid, key + ": " + file + ": there is no list \"" + list + "\"",
                   "write {\"" + list + "\": [...]}");
    }
    for (const Json& item : items.Items()) {
      values.push_back(ValueOf(item, file, list + "[" + std::to_string(values.size()) + "]"));
    }
  }
  const ConfigValue& tree = config.Tree(list);
  values.insert(values.end(), tree.list.begin(), tree.list.end());
  return values;
}

Result<std::vector<RegistryOptions>> ReadRegistries(const Config& config) {
  A4C_TRY(const std::vector<ConfigValue> values, ReadList(config, "registries"));
  std::vector<RegistryOptions> registries;
  for (const ConfigValue& value : values) {
    A4C_TRY(RegistryOptions registry, ReadRegistryOptions(value));
    if (FindRegistry(registries, registry.address) != nullptr) {
      return At(value, "the registry " + registry.address + " is there twice");
    }
    registries.push_back(std::move(registry));
  }
  return registries;
}

Result<std::vector<ServerOptions>> ReadServers(const Config& config) {
  A4C_TRY(const std::vector<ConfigValue> values, ReadList(config, "servers"));
  std::vector<ServerOptions> servers;
  std::set<std::string> ids;
  std::string faults;
  for (const ConfigValue& value : values) {
    auto server = ReadServerOptions(value);
    if (server && !ids.insert(server->id).second) {
      server = At(value, "id " + server->id + " is there twice");
    }
    if (server) {
      servers.push_back(*std::move(server));
    } else {
      const Error& error = server.error();
      faults += (faults.empty() ? "" : "\n") + error.message() +
                (error.hint().empty() ? "" : " (" + error.hint() + ")");
    }
  }
  if (!faults.empty()) return Error(Code::kInvalid, faults);
  return servers;
}

Result<void> CheckNetwork(const std::string& key, const std::string& network) {
  if (network != "host" && !network.starts_with("container:")) return {};
  return Error(Code::kInvalid, key + ": neither units nor builds share the network of others");
}

}  // namespace

Result<BaremetalOptions> ReadBaremetalConfig(const Config& config) {
  BaremetalOptions options;
  A4C_TRY(options.servers, ReadServers(config));
  A4C_TRY(options.registries, ReadRegistries(config));
  options.private_key_path = config.String("private_key_path");
  options.agent = config.String("agent");
  options.agent_key = config.String("agent_key");
  options.helper_program = config.String("helper_program");
  options.cluster = config.String("cluster");
  if (options.cluster.empty() || options.cluster.size() > kClusterBytesMax ||
      !IsPlain(options.cluster, "_-") || !IsPlain(options.cluster.substr(0, 1), "")) {
    return Error(Code::kInvalid,
                 "cluster: 1 to 32 letters, digits, and after the first also \"_\" and \"-\"");
  }
  options.unit = {.memory_bytes = config.Long("memory_default"),
                  .cpu_millis = config.Long("cpu_millis_default"),
                  .pids = config.Long("pids_default"),
                  .tmp_bytes = config.Long("tmp_max"),
                  .network = config.String("network"),
                  .init = config.Bool("init"),
                  .log_file_bytes = config.Long("log_file_max"),
                  .log_files = config.Long("log_files")};
  A4C_CHECK(CheckNetwork("network", options.unit.network));
  A4C_CHECK(CheckNetwork("build_network", config.String("build_network")));
  options.connect_timeout_ms = config.Long("connect_timeout");
  options.keepalive_interval_ms = config.Long("keepalive_interval");
  options.clock_difference_max_ms = config.Long("clock_difference_max");
  options.sessions_max = config.Long("sessions_per_server");
  options.streams_max = config.Long("streams_per_server");
  options.terminals_max = config.Long("terminals_per_server");
  options.breaker_failures = config.Long("breaker_failures");
  options.reconnect_wait_max_ms = config.Long("reconnect_wait_max");
  options.hosts_at_once = config.Long("hosts_at_once");
  options.session_idle_max_ms = config.Long("session_idle_max");
  options.stop_timeout_ms = config.Long("stop_timeout");
  options.reply_bytes_max = config.Long("reply_max");
  options.build_context_bytes_max = config.Long("build_context_max");
  options.build_memory_bytes = config.Long("build_memory");
  options.build_cpu_millis = config.Long("build_cpu_millis");
  options.build_network = config.String("build_network");
  options.image_send_bytes_max = config.Long("image_send_max");
  options.volume_copy_bytes_max = config.Long("volume_copy_max");
  return options;
}

}  // namespace a4c::baremetal
