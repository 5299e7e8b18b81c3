// HostActivity: what dockerd counts for each container.
#include "a4c/host_activity.h"
#include "baremetal_servers.h"

namespace a4c::baremetal {
namespace {

constexpr int64_t kNanosPerMilli = 1'000'000;

class BaremetalActivity final : public HostActivity {
 public:
  explicit BaremetalActivity(BaremetalServers& servers) : servers_(servers) {}

  Result<std::vector<UnitActivity>> Read(const Call& call, const std::string& host,
                                         const std::vector<std::string>& units) override {
    A4C_TRY(const std::shared_ptr<DockerServer> server, servers_.Find(call, host));
    A4C_TRY(DockerLink docker, server->Open(call));
    std::vector<UnitActivity> activity;
    for (const std::string& unit : units) {
      A4C_CHECK(CheckUnitName(unit));
      A4C_TRY(const auto cpu_ms, CpuMs(call, *docker, unit));
      if (cpu_ms) activity.push_back({unit, *cpu_ms});
    }
    return activity;
  }

 private:
  // Nothing if it does not run, or not any more.
  Result<std::optional<int64_t>> CpuMs(const Call& call, DockerConnection& docker,
                                       const std::string& unit) const {
    A4C_TRY(const auto container, servers_.FindContainer(call, docker, unit));
    if (!container || container->cluster != servers_.options.cluster || !container->running) {
      return std::optional<int64_t>();
    }
    // One reading: with two dockerd would wait a second between them.
    const std::string target = "/containers/" + container->id + "/stats?stream=false&one-shot=true";
    A4C_TRY(const DockerReply reply, docker.Exchange(call, {.method = "GET", .target = target}));
    const auto stats = ParseJson(reply.body, {.bytes_max = reply.body.size() + 1});
    if (!reply.ok() || !stats) return std::optional<int64_t>();
    return std::optional((*stats)["cpu_stats"]["cpu_usage"]["total_usage"].Int() / kNanosPerMilli);
  }

  BaremetalServers& servers_;
};

}  // namespace

std::unique_ptr<HostActivity> NewBaremetalActivity(BaremetalServers& servers) {
  return std::make_unique<BaremetalActivity>(servers);
}

}  // namespace a4c::baremetal
