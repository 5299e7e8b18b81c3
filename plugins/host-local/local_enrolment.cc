// A directory of this machine as one server more. Its identity is that of the directory: file
// system and inode, so that another disk mounted at the same path is another server.
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "units/local_servers.h"

namespace a4c::local {
namespace {

Result<HostProbe> ProbeOf(const std::string& address) {
  if (!address.starts_with('/')) {
    return Error(
        Code::kInvalid, "the address " + address + " is no absolute path of a directory",
        "host-local takes directories of its machine as servers, such as /srv/one; servers "
        "behind SSH are for host-baremetal");
  }
  struct statfs disk {};
  struct stat status {};
  if (lstat(address.c_str(), &status) != 0 || statfs(address.c_str(), &disk) != 0) {
    return Error(Code::kUnavailable, address + ": " + std::strerror(errno),
                 "make the directory, ours alone to write");
  }
  if (!S_ISDIR(status.st_mode)) return Error(Code::kUnavailable, address + " is no directory");
  char identity[64];
  std::snprintf(
      identity, sizeof(identity), "dir:%08x%08x-%llu", static_cast<unsigned>(disk.f_fsid.__val[0]),
      static_cast<unsigned>(disk.f_fsid.__val[1]), static_cast<unsigned long long>(status.st_ino));
  return HostProbe{address, identity, "a directory of this machine"};
}

// The settings are those of a server in the config.
Result<LocalServerOptions> OptionsOf(const HostSpec& spec) {
  A4C_CHECK(CheckHostSpec(spec));
  A4C_TRY(const HostProbe probe, ProbeOf(spec.address));
  if (probe.fingerprint != spec.fingerprint) {
    return Error(Code::kDenied, spec.address + " is now " + probe.fingerprint + ", not " +
                                    spec.fingerprint + ", which was enrolled");
  }
  ConfigValue settings = ConfigValue::Map({});
  settings.path = "settings";
  for (const auto& [name, value] : spec.settings) {
    if (name == "id" || name == "path") {
      return Error(Code::kInvalid, "settings." + name + ": is said by id and address");
    }
    settings.map[name] = ConfigValue::Scalar(value);
  }
  settings.map["id"] = ConfigValue::Scalar(spec.id);
  settings.map["path"] = ConfigValue::Scalar(spec.address);
  for (auto& [name, value] : settings.map) value.path = "settings." + name;
  return ReadLocalServer(settings);
}

class LocalEnrolment final : public HostEnrolment {
 public:
  LocalEnrolment(LocalServers& servers, const Runtime& runtime, LocalOptions options)
      : servers_(servers), runtime_(runtime), options_(std::move(options)) {}

  Result<HostProbe> Probe(const Call& call, const std::string& address) override {
    A4C_CHECK(CheckCall(call));
    return ProbeOf(address);
  }

  Result<void> Prepare(const Call& call, const HostSpec& spec) override {
    A4C_CHECK(CheckCall(call));
    A4C_CHECK(OptionsOf(spec));
    return {};
  }

  Result<void> Add(const Call& call, const HostSpec& spec) override {
    A4C_CHECK(CheckCall(call));
    const std::lock_guard lock(servers_.mutex);
    const auto known = servers_.entries.find(spec.id);
    if (known != servers_.entries.end()) {
      if (known->second.spec == spec) return {};
      return Error(Code::kConflict, spec.id + " is another server already");
    }
    A4C_TRY(LocalServerOptions added, OptionsOf(spec));
    std::vector<LocalServerOptions> all{added};
    for (const auto& [id, entry] : servers_.entries) all.push_back(entry.options);
    if (const Result<void> distinct = CheckDistinct(all); !distinct) {
      return Error(Code::kConflict, distinct.error().message(), distinct.error().hint());
    }
    ShareOutTheMachine(added, all.size());
    A4C_TRY(std::unique_ptr<LocalServer> server, LocalServer::Open(runtime_, options_, added));
    servers_.entries[spec.id] = {added, std::move(server), spec};
    return {};
  }

  Result<void> Remove(const Call& call, const std::string& id) override {
    A4C_CHECK(CheckCall(call));
    const std::lock_guard lock(servers_.mutex);
    const auto known = servers_.entries.find(id);
    if (known == servers_.entries.end()) return {};
    if (!known->second.spec) return Error(Code::kConflict, id + " stands in the config");
    servers_.entries.erase(known);
    return {};
  }

 private:
  static Result<void> CheckCall(const Call& call) {
    if (call.Stopping()) return Error(Code::kCanceled, "the caller has gone");
    if (call.Expired()) return Error(Code::kTimeout, "no time left");
    return {};
  }

  LocalServers& servers_;
  const Runtime runtime_;
  const LocalOptions options_;
};

}  // namespace

std::unique_ptr<HostEnrolment> NewLocalEnrolment(LocalServers& servers, const Runtime& runtime,
                                                 const LocalOptions& options) {
  return std::make_unique<LocalEnrolment>(servers, runtime, options);
}

}  // namespace a4c::local
