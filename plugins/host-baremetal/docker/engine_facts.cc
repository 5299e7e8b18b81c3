#include "docker/engine_facts.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include "docker/docker_body.h"

namespace a4c::baremetal {
namespace {

constexpr size_t kTextBytesMax = 100;
// The statistics of one container without a second's wait (one-shot) came with it: Docker 20.10.
constexpr std::string_view kLeastApi = "1.41";

using Version = std::array<int, 3>;

// "20.10.24+dfsg1" is 20.10.24; nothing numeric is 0.0.0.
Version VersionOf(const std::string& text) {
  Version version{};
  (void)std::sscanf(text.c_str(), "%9d.%9d.%9d", &version[0], &version[1], &version[2]);
  return version;
}

struct KnownHole {
  const char* program;
  const char* since;  // empty: from the beginning
  const char* fixed;
  const char* what;
  const char* source;
};

constexpr KnownHole kHoles[] = {
    {"runc", "", "1.1.12", "CVE-2024-21626: a container can work in the server's own files",
     "github.com/opencontainers/runc/security/advisories/GHSA-xr7r-f8xq-vfvv"},
    // Fixed in both branches at once, with CVE-2025-52565 and CVE-2025-52881.
    {"runc", "", "1.2.8", "CVE-2025-31133: a container can write the server's /proc",
     "github.com/opencontainers/runc/security/advisories/GHSA-9493-h29p-rfm2"},
    {"runc", "1.3.0", "1.3.3", "CVE-2025-31133: a container can write the server's /proc",
     "github.com/opencontainers/runc/security/advisories/GHSA-9493-h29p-rfm2"},
    {"docker", "", "20.10.18",
     "CVE-2022-36109: the groups of a container's processes are not set up properly",
     "github.com/moby/moby/security/advisories/GHSA-rc4r-wh2q-q6c4"},
};

// With the package's own revision, where a distribution says it in the place of the commit: it
// tells whether a fix was put into an older version.
const std::string& VersionIn(const Json& component) {
  const std::string& version = component["Version"].Text();
  const std::string& commit = component["Details"]["GitCommit"].Text();
  return !version.empty() && commit.starts_with(version) ? commit : version;
}

bool IsFit(std::string_view text) {
  return !text.empty() && text.size() <= kTextBytesMax && IsUtf8(text) &&
         text.find('\0') == std::string_view::npos;
}

bool IsArch(std::string_view arch) {
  return std::ranges::all_of(
             arch, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }) &&
         arch.size() <= 32;
}

bool Has(const KnownHole& hole, const Version& version) {
  return version != Version{} && version >= VersionOf(hole.since) &&
         version < VersionOf(hole.fixed);
}

std::string WarningOf(const KnownHole& hole, const std::string& version) {
  return std::string(hole.program) + " " + version + " has " + hole.what + "; update it to " +
         hole.fixed + " or later, unless the package of your distribution has the fix (" +
         hole.source + ")";
}

}  // namespace

EngineFacts ReadEngineFacts(const Json& version) {
  EngineFacts facts;
  const auto keep = [&facts](const std::string& name, const std::string& text) {
    if (IsFit(text)) facts.versions[name] = text;
  };
  keep("docker", version["Version"].Text());
  keep("api", version["ApiVersion"].Text());
  keep("kernel", version["KernelVersion"].Text());
  for (const Json& component : version["Components"].Items()) {
    const std::string& name = component["Name"].Text();
    if (name == "runc" || name == "containerd") keep(name, VersionIn(component));
  }
  if (IsArch(version["Arch"].Text())) facts.arch = version["Arch"].Text();
  return facts;
}

Result<void> CheckEngineApi(const EngineFacts& facts) {
  const auto api = facts.versions.find("api");
  if (api == facts.versions.end()) return {};
  if (VersionOf(api->second) >= VersionOf(std::string(kLeastApi))) return {};
  return Error(Code::kInvalid,
               "its Docker API is " + api->second + ", and " + std::string(kLeastApi) +
                   " is the least that is spoken here",
               "install Docker 20.10 or later there");
}

std::vector<std::string> VersionWarnings(const std::map<std::string, std::string>& versions) {
  std::vector<std::string> warnings;
  for (const KnownHole& hole : kHoles) {
    const auto found = versions.find(hole.program);
    if (found == versions.end() || !Has(hole, VersionOf(found->second))) continue;
    warnings.push_back(WarningOf(hole, found->second));
  }
  return warnings;
}

std::string ClockWarning(const std::string& system_time, int64_t before_ms, int64_t after_ms,
                         int64_t difference_max_ms) {
  const int64_t there_ms = MillisecondsOf(system_time);
  if (there_ms == 0) return "";
  const int64_t ahead_ms = there_ms < before_ms  ? there_ms - before_ms
                           : there_ms > after_ms ? there_ms - after_ms
                                                 : 0;
  if (std::abs(ahead_ms) <= difference_max_ms) return "";
  return "its clock is " + std::to_string(std::abs(ahead_ms) / 1000) + " s " +
         (ahead_ms > 0 ? "ahead of" : "behind") +
         " ours; times of logs and of starts are wrong by that: keep both on time, as by chrony or "
         "systemd-timesyncd";
}

std::string LiveRestoreWarning(const Json& info) {
  const Json& keeps = info["LiveRestoreEnabled"];
  if (!keeps.IsBool() || keeps.Bool()) return "";
  return "its workspaces stop whenever dockerd is restarted or updated: set {\"live-restore\": "
         "true} "
         "in /etc/docker/daemon.json there, then systemctl reload docker";
}

}  // namespace a4c::baremetal
