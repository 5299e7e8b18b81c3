// Servers that are pretended at run time: every address "memory:NAME" answers, and its fingerprint
// follows from its name; one that is to show another one later has a setting for that.
#include <algorithm>

#include "a4c/config.h"
#include "memory/memory_host_state.h"

namespace a4c::memory {
namespace {

constexpr std::string_view kScheme = "memory:";

constexpr ConfigKey kSettings[] = {
    {"disk", ConfigType::kBytes, "100GiB", "its disk", false, 1},
    {"memory", ConfigType::kBytes, "16GiB", "its memory", false, 1},
    {"cpu_millis", ConfigType::kLong, "8000", "its processor, 1000 a core", false, 1},
    {"arch", ConfigType::kString, "amd64", "what it says it is"},
    {"warning", ConfigType::kString, "", "what it has to say"},
    {"shows", ConfigType::kString, "", "the fingerprint that it shows once it was enrolled"},
};

Result<HostProbe> ProbeOf(const std::string& address) {
  if (!address.starts_with(kScheme) || address.size() == kScheme.size()) {
    return Error(Code::kInvalid, "address: is no memory:NAME");
  }
  return HostProbe{address, "SHA256:" + address.substr(kScheme.size()), "a pretended server"};
}

std::string ShownOf(const HostSpec& spec) {
  const auto shows = spec.settings.find("shows");
  return shows == spec.settings.end() ? "" : shows->second;
}

Result<MemoryHostOptions::Server> ServerOf(const HostSpec& spec) {
  A4C_CHECK(CheckHostSpec(spec));
  A4C_TRY(const HostProbe probe, ProbeOf(spec.address));
  if (probe.fingerprint != spec.fingerprint && ShownOf(spec) != spec.fingerprint) {
    return Error(Code::kDenied, spec.address + " shows the fingerprint " + probe.fingerprint +
                                    ", not " + spec.fingerprint);
  }
  ConfigValue settings = ConfigValue::Map({});
  settings.path = "settings";
  for (const auto& [name, value] : spec.settings) {
    ConfigValue scalar = ConfigValue::Scalar(value);
    scalar.path = "settings." + name;
    settings.map.emplace(name, std::move(scalar));
  }
  A4C_TRY(const Config config, CheckConfig(settings, kSettings));
  const std::string& warning = config.String("warning");
  return MemoryHostOptions::Server{
      .id = spec.id,
      .disk_total_bytes = config.Long("disk"),
      .memory_total_bytes = config.Long("memory"),
      .cpu_total_millis = config.Long("cpu_millis"),
      .arch = config.String("arch"),
      .warnings = warning.empty() ? std::vector<std::string>{} : std::vector<std::string>{warning}};
}

class MemoryEnrolment final : public HostEnrolment {
 public:
  explicit MemoryEnrolment(MemoryHosts& hosts) : hosts_(hosts) {}

  Result<HostProbe> Probe(const Call& call, const std::string& address) override {
    A4C_CHECK(CheckCall(call));
    return ProbeOf(address);
  }

  Result<void> Prepare(const Call& call, const HostSpec& spec) override {
    A4C_CHECK(CheckCall(call));
    A4C_CHECK(ServerOf(spec));
    return {};
  }

  Result<void> Add(const Call& call, const HostSpec& spec) override {
    A4C_CHECK(CheckCall(call));
    A4C_TRY(const MemoryHostOptions::Server server, ServerOf(spec));
    Waiter::Lock lock(*hosts_.waiter);
    const auto known = hosts_.servers.find(spec.id);
    if (known != hosts_.servers.end()) {
      if (known->second.spec == spec) return {};
      return Error(Code::kConflict, spec.id + " is another server already");
    }
    for (const auto& [id, other] : hosts_.servers) {
      if (other.spec && other.spec->address == spec.address) {
        return Error(Code::kConflict, spec.address + " is called " + id + " already");
      }
    }
    MemoryServer added = NewServer(server);
    added.spec = spec;
    if (ShownOf(spec) != spec.fingerprint) added.foreign_key = ShownOf(spec);
    hosts_.servers.emplace(spec.id, std::move(added));
    return {};
  }

  Result<void> Remove(const Call& call, const std::string& id) override {
    A4C_CHECK(CheckCall(call));
    Waiter::Lock lock(*hosts_.waiter);
    const auto known = hosts_.servers.find(id);
    if (known == hosts_.servers.end()) return {};
    if (!known->second.spec) return Error(Code::kConflict, id + " stands in the config");
    hosts_.servers.erase(known);
    return {};
  }

 private:
  static Result<void> CheckCall(const Call& call) {
    if (call.Stopping()) return Error(Code::kCanceled, "the caller has gone");
    if (call.Expired()) return Error(Code::kTimeout, "no time left");
    return {};
  }

  MemoryHosts& hosts_;
};

}  // namespace

std::unique_ptr<HostEnrolment> NewMemoryEnrolment(MemoryHosts& hosts) {
  return std::make_unique<MemoryEnrolment>(hosts);
}

}  // namespace a4c::memory
