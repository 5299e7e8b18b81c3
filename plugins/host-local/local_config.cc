#include "local_config.h"

#include <dlfcn.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>

namespace a4c::local {
namespace {

constexpr const char* kSupervisor = "a4c-unit-supervisor";
constexpr int64_t kMillisPerCpu = 1000;

Error Invalid(std::string message, std::string hint = {}) {
  return Error(Code::kInvalid, std::move(message), std::move(hint));
}

struct User {
  uid_t uid;
  gid_t gid;
};

Result<User> FindUser(const std::string& name) {
  uid_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool is_number = error == std::errc() && end == name.data() + name.size();
  passwd entry{};
  passwd* found = nullptr;
  char buffer[16384];
  const int rc = is_number ? getpwuid_r(number, &entry, buffer, sizeof(buffer), &found)
                           : getpwnam_r(name.c_str(), &entry, buffer, sizeof(buffer), &found);
  if (rc != 0 || found == nullptr) return Invalid("run_as_user: there is no user " + name);
  return User{entry.pw_uid, entry.pw_gid};
}

Result<User> ChooseUser(const std::string& name) {
  const bool root = geteuid() == 0;
  if (name.empty() && root) {
    return Invalid("run_as_user is required: started as root, and units are never run as root",
                   "name an unprivileged user, for example run_as_user: nobody");
  }
  if (name.empty()) return User{geteuid(), getegid()};
  A4C_TRY(const User user, FindUser(name));
  if (user.uid == 0 || user.gid == 0) {
    return Invalid("run_as_user: units are never run as root, not even in its group",
                   "name an unprivileged user, for example run_as_user: nobody");
  }
  if (!root && user.uid != geteuid()) {
    return Invalid("run_as_user: only root can run units as another user",
                   "leave run_as_user out, or start a4c as root");
  }
  return user;
}

Result<std::string> FindSupervisor(const std::string& given) {
  std::vector<std::filesystem::path> tried;
  if (!given.empty()) {
    tried.emplace_back(given);
  } else {
    Dl_info info{};
    if (dladdr(reinterpret_cast<const void*>(&FindUser), &info) != 0 && info.dli_fname != nullptr) {
      const auto directory = std::filesystem::absolute(info.dli_fname).parent_path();
      tried.push_back(directory / kSupervisor);
      tried.push_back(directory / ".." / "plugins" / kSupervisor);
    }
  }
  std::string list;
  for (const auto& path : tried) {
    if (access(path.c_str(), X_OK) == 0) return std::filesystem::absolute(path).string();
    list += (list.empty() ? "" : ", ") + path.string();
  }
  return Invalid("the program a4c-unit-supervisor was not found; tried: " + list,
                 "set supervisor_path");
}

}  // namespace

Result<LocalServerOptions> ReadLocalServer(const ConfigValue& value) {
  A4C_TRY(const Config config, CheckConfig(value, kLocalServerKeys));
  LocalServerOptions server{.id = config.String("id"),
                            .path = config.String("path"),
                            .disk_bytes = config.Long("disk"),
                            .memory_bytes = config.Long("memory"),
                            .cpu_millis = config.Long("cpu_millis")};
  if (server.id.empty() || server.id.size() > 64) {
    return Invalid(value.Where() + ": id has 1 to 64 characters");
  }
  // Others may look at it but not write: the files in it decide what is run.
  if (mkdir(server.path.c_str(), 0755) != 0 && errno != EEXIST) {
    return Invalid(value.Where() + ": cannot make " + server.path + ": " + std::strerror(errno));
  }
  struct stat status {};
  if (lstat(server.path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return Invalid(value.Where() + ": " + server.path + " is no directory");
  }
  if (status.st_uid != geteuid() || (status.st_mode & 022) != 0) {
    return Invalid(value.Where() + ": " + server.path + " is not ours alone to write",
                   "chown and chmod 755 it, or name another");
  }
  server.path = std::filesystem::canonical(server.path).string();
  return server;
}

Result<void> CheckDistinct(const std::vector<LocalServerOptions>& servers) {
  std::set<std::string> ids;
  std::map<dev_t, std::string> whole_disks;
  for (const LocalServerOptions& server : servers) {
    if (!ids.insert(server.id).second) return Invalid("servers: " + server.id + " is there twice");
    for (const LocalServerOptions& other : servers) {
      if (&other != &server && (other.path + "/").starts_with(server.path + "/")) {
        return Invalid("servers: the path of " + other.id + " lies in that of " + server.id);
      }
    }
    struct stat status {};
    if (server.disk_bytes > 0 || stat(server.path.c_str(), &status) != 0) continue;
    const auto [first, added] = whole_disks.emplace(status.st_dev, server.id);
    if (!added) {
      return Invalid("servers: " + first->second + " and " + server.id +
                         " share a file system, so their figures would be the same",
                     "give each its size: disk");
    }
  }
  return {};
}

void ShareOutTheMachine(LocalServerOptions& server, size_t servers) {
  const auto count = static_cast<int64_t>(servers);
  const int64_t memory = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE) / count;
  const int64_t cpu = int64_t{sysconf(_SC_NPROCESSORS_ONLN)} * kMillisPerCpu / count;
  if (server.memory_bytes == 0) server.memory_bytes = memory;
  if (server.cpu_millis == 0) server.cpu_millis = cpu;
}

Result<LocalOptions> ReadLocalConfig(const Config& config) {
  LocalOptions options;
  for (const ConfigValue& value : config.Tree("servers").list) {
    A4C_TRY(LocalServerOptions server, ReadLocalServer(value));
    options.servers.push_back(std::move(server));
  }
  if (options.servers.empty()) return Invalid("servers: there is none");
  A4C_CHECK(CheckDistinct(options.servers));
  for (LocalServerOptions& server : options.servers) {
    ShareOutTheMachine(server, options.servers.size());
  }
  A4C_TRY(const User user, ChooseUser(config.String("run_as_user")));
  options.uid = user.uid;
  options.gid = user.gid;
  A4C_TRY(options.supervisor_path, FindSupervisor(config.String("supervisor_path")));
  options.memory_bytes = config.Long("memory_default");
  options.pids = config.Long("pids_default");
  options.file_bytes_max = config.Long("file_size_max");
  options.cpu_time_max_ms = config.Long("cpu_time_max");
  options.log_bytes_max = config.Long("log_max");
  options.stop_timeout_ms = config.Long("stop_timeout");
  options.disk_refresh_ms = config.Long("disk_refresh");
  options.epochs_kept_ms = config.Long("epochs_kept");
  options.commands_max = config.Long("commands_max");
  options.streams_max = config.Long("streams_max");
  return options;
}

}  // namespace a4c::local
