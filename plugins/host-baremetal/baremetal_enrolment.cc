// HostEnrolment: servers that are told of while the process runs, "ssh://user@address:22". Their
// fingerprint is that of the SSH host key.
#include <algorithm>
#include <iterator>
#include <utility>

#include "baremetal_servers.h"
#include "helper_install.h"
#include "ssh/ssh_address.h"

namespace a4c::baremetal {
namespace {

constexpr std::string_view kSaidBySpec[] = {"id", "address", "port", "user",
                                            "host_key_fingerprint"};

class BaremetalEnrolment final : public HostEnrolment {
 public:
  explicit BaremetalEnrolment(BaremetalServers& servers) : servers_(servers) {}

  Result<HostProbe> Probe(const Call& call, const std::string& text) override {
    A4C_CHECK(CheckCall(call));
    A4C_TRY(const SshAddress address, ParseSshAddress("address", text));
    SshTarget target;
    target.address = address.Name();
    target.port = address.port;
    target.connect_timeout_ms = servers_.options.connect_timeout_ms;
    A4C_TRY(const SshIdentity identity, ProbeSsh(call, target));
    return HostProbe{address.ToString(), identity.fingerprint, identity.banner};
  }

  Result<void> Prepare(const Call& call, const HostSpec& spec) override {
    A4C_CHECK(CheckCall(call));
    A4C_TRY(const ServerOptions server, OptionsOf(spec));
    if (server.helper) {
      A4C_CHECK(InstallHelper(call, servers_, server));
      ForgetHelperOf(spec.id);
    }
    DockerServer probe(servers_.runtime, server, servers_.options);
    const Host host = probe.Measure(call);
    if (host.reachable) return probe.CheckEngine(call);
    // Asked again for the error itself: a measurement keeps only its words.
    const auto link = probe.OpenForUnits(call);
    if (!link) return link.error();
    return Error(Code::kUnavailable, host.reason);
  }

  Result<void> Add(const Call& call, const HostSpec& spec) override {
    A4C_CHECK(CheckCall(call));
    A4C_TRY(ServerOptions server, OptionsOf(spec));
    Waiter::Lock lock(*servers_.lock);
    const auto known = servers_.entries.find(spec.id);
    if (known != servers_.entries.end()) {
      if (known->second.spec == spec) return {};
      return Error(Code::kConflict, spec.id + " is another server already");
    }
    for (const auto& [id, entry] : servers_.entries) {
      if (entry.options.host_key_fingerprint == server.host_key_fingerprint) {
        return Error(Code::kConflict, spec.address + " is called " + id + " already");
      }
    }
    auto added = std::make_shared<DockerServer>(servers_.runtime, server, servers_.options);
    servers_.entries[spec.id] = {std::move(server), std::move(added), spec};
    return {};
  }

  Result<void> Remove(const Call& call, const std::string& id) override {
    A4C_CHECK(CheckCall(call));
    std::shared_ptr<DockerServer> removed;  // its connections are closed after the lock is given up
    Waiter::Lock lock(*servers_.lock);
    const auto known = servers_.entries.find(id);
    if (known == servers_.entries.end()) return {};
    if (!known->second.spec) return Error(Code::kConflict, id + " stands in the config");
    removed = known->second.server;
    servers_.entries.erase(known);
    return {};
  }

 private:
  // Also of one that was installed by hand, which nobody told of.
  void ForgetHelperOf(const std::string& id) {
    Waiter::Lock lock(*servers_.lock);
    const auto known = servers_.entries.find(id);
    if (known != servers_.entries.end()) known->second.server->ForgetHelper();
  }

  static Result<void> CheckCall(const Call& call) {
    if (call.Stopping()) return Error(Code::kCanceled, "the caller has gone");
    if (call.Expired()) return Error(Code::kTimeout, "no time left");
    return {};
  }

  // The settings are those of a server in the config.
  Result<ServerOptions> OptionsOf(const HostSpec& spec) const {
    A4C_CHECK(CheckHostSpec(spec));
    A4C_TRY(const SshAddress address, ParseSshAddress("address", spec.address));
    ConfigValue settings = ConfigValue::Map({});
    settings.path = "settings";
    for (const auto& [name, value] : spec.settings) {
      if (std::ranges::find(kSaidBySpec, name) != std::end(kSaidBySpec)) {
        return Error(Code::kInvalid, "settings." + name + ": is said by id, address, fingerprint");
      }
      settings.map[name] = ConfigValue::Scalar(value);
    }
    if (!spec.settings.contains("private_key_path") && !spec.settings.contains("agent")) {
      const BaremetalOptions& options = servers_.options;
      settings.map["private_key_path"] = ConfigValue::Scalar(options.private_key_path);
      settings.map["agent"] = ConfigValue::Scalar(options.agent);
      settings.map["agent_key"] = ConfigValue::Scalar(options.agent_key);
    }
    settings.map["id"] = ConfigValue::Scalar(spec.id);
    settings.map["address"] = ConfigValue::Scalar(address.Name());
    settings.map["port"] = ConfigValue::Scalar(std::to_string(address.port));
    settings.map["user"] = ConfigValue::Scalar(address.user);
    settings.map["host_key_fingerprint"] = ConfigValue::Scalar(spec.fingerprint);
    for (auto& [name, value] : settings.map) value.path = "settings." + name;
    return ReadServerOptions(settings);
  }

  BaremetalServers& servers_;
};

}  // namespace

std::unique_ptr<HostEnrolment> NewBaremetalEnrolment(BaremetalServers& servers) {
  return std::make_unique<BaremetalEnrolment>(servers);
}

}  // namespace a4c::baremetal
