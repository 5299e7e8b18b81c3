#include "helper_client.h"

#include "docker/docker_errors.h"

namespace a4c::baremetal {
namespace {

constexpr const char* kInstallHint = "enrol the server again, or run a4c-host install there";

Result<Json> Ask(const Call& call, DockerConnection& helper, const std::string& method,
                 const std::string& target) {
  const bool effect = method != "GET";
  A4C_TRY(const DockerReply reply,
          helper.Exchange(call, {.method = method, .target = target, .effect = effect}));
  if (!reply.ok()) return HelperError(reply.status, reply.body, effect);
  auto json = ParseJson(reply.body, {.bytes_max = reply.body.size() + 1});
  if (json) return json;
  return Error(Code::kUnavailable, "a4c-host: its answer is no JSON: " + json.error().message());
}

Result<void> Do(const Call& call, DockerConnection& helper, const std::string& method,
                const std::string& target) {
  A4C_TRY(const Json answer, Ask(call, helper, method, target));
  (void)answer;
  return {};
}

}  // namespace

std::map<std::string, std::string> UnitFields(const std::string& cluster, const std::string& unit,
                                              const Fence& fence, const std::string& token) {
  std::map<std::string, std::string> fields{{"a4c-cluster", cluster}};
  if (!token.empty()) fields["a4c-token"] = token;
  if (unit.empty()) return fields;
  fields["a4c-unit"] = unit;
  fields["a4c-epoch"] = std::to_string(fence.epoch);
  if (!fence.claim.empty()) fields["a4c-claim"] = fence.claim;
  return fields;
}

Result<void> CheckHelper(const Call& call, DockerConnection& helper) {
  A4C_TRY(const Json version, Ask(call, helper, "GET", "/a4c/version"));
  if (version["protocol"].Int() == kHelperProtocol) return {};
  return Error(Code::kUnsupported,
               "a4c-host " + version["version"].Text() + " there speaks protocol " +
                   std::to_string(version["protocol"].Int()) + ", and this release " +
                   std::to_string(kHelperProtocol),
               kInstallHint);
}

Result<std::string> HelperVersion(const Call& call, DockerConnection& helper) {
  A4C_TRY(const Json version, Ask(call, helper, "GET", "/a4c/version"));
  return version["version"].Text();
}

Result<void> RaiseFence(const Call& call, DockerConnection& helper) {
  return Do(call, helper, "POST", "/a4c/fence");
}

Result<std::string> EnsureVolume(const Call& call, DockerConnection& helper, int64_t bytes) {
  A4C_TRY(const Json answer,
          Ask(call, helper, "POST", "/a4c/volume?bytes=" + std::to_string(bytes)));
  return answer["path"].Text();
}

Result<std::string> GrowVolume(const Call& call, DockerConnection& helper, int64_t bytes) {
  A4C_TRY(const Json answer,
          Ask(call, helper, "POST", "/a4c/volume?bytes=" + std::to_string(bytes) + "&existing=1"));
  return answer["path"].Text();
}

Result<void> RemoveVolume(const Call& call, DockerConnection& helper) {
  return Do(call, helper, "DELETE", "/a4c/volume");
}

Result<std::map<std::string, HelperUnit>> ReadUnits(const Call& call, DockerConnection& helper) {
  A4C_TRY(const Json answer, Ask(call, helper, "GET", "/a4c/units"));
  std::map<std::string, HelperUnit> units;
  for (const Json& unit : answer["units"].Items()) {
    units[unit["name"].Text()] = {unit["epoch"].Int(), unit["disk_bytes"].Int()};
  }
  return units;
}

Result<Host> ReadDisk(const Call& call, DockerConnection& helper, const std::string& path) {
  A4C_TRY(const Json disk, Ask(call, helper, "GET", "/a4c/disk?path=" + path));
  return Host{.id = {},
              .disk_total_bytes = disk["total_bytes"].Int(),
              .disk_used_bytes = disk["used_bytes"].Int(),
              .disk_free_bytes = disk["free_bytes"].Int(),
              .inodes_total = disk["inodes_total"].Int(),
              .inodes_free = disk["inodes_free"].Int()};
}

Result<void> AdoptToken(const Call& call, DockerConnection& helper, const std::string& token) {
  return Do(call, helper, "POST", "/a4c/token?adopt=" + PercentEncode(token));
}

Result<void> PresentTokens(const Call& call, DockerConnection& helper, const std::string& current,
                           const std::string& next) {
  return Do(call, helper, "POST",
            "/a4c/token?current=" + PercentEncode(current) + "&next=" + PercentEncode(next));
}

}  // namespace a4c::baremetal
