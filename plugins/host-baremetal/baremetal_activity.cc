// HostActivity: what dockerd counts for each container.
#include <algorithm>
#include <span>

#include "a4c/host_activity.h"
#include "baremetal_servers.h"

namespace a4c::baremetal {
namespace {

constexpr int64_t kNanosPerMilli = 1'000'000;

class BaremetalActivity final : public HostActivity {
 public:
  explicit BaremetalActivity(BaremetalServers& servers) : servers_(servers) {}

  // dockerd may take a second for each, and counts for all who ask at once in the same one.
  Result<std::vector<UnitActivity>> Read(const Call& call, const std::string& host,
                                         const std::vector<std::string>& units) override {
    A4C_TRY(const std::shared_ptr<DockerServer> server, servers_.Find(call, host));
    std::vector<DockerLink> links;
    A4C_TRY(DockerLink first, server->Open(call));
    links.push_back(std::move(first));
    A4C_TRY(const std::vector<Container> running, Running(call, *links[0], units));
    A4C_CHECK(AddLinks(call, *server, running.size(), links));
    std::vector<UnitActivity> activity;
    for (size_t at = 0; at < running.size(); at += links.size()) {
      A4C_CHECK(ReadSome(call, links, std::span(running).subspan(at), activity));
    }
    links.clear();  // one of them may be the only one
    if (server->has_helper()) ReadDisks(call, *server, running, activity);
    return activity;
  }

 private:
  // Half of what there are at most, and only those that nobody has: who waits while he has some
  // waits for others who do the same.
  Result<void> AddLinks(const Call& call, DockerServer& server, size_t wanted,
                        std::vector<DockerLink>& links) const {
    const auto links_max =
        static_cast<size_t>(std::max<int64_t>(1, servers_.options.sessions_max / 2));
    while (links.size() < std::min(links_max, wanted)) {
      Result<DockerLink> next = server.OpenIfFree(call);
      if (!next && next.error().code() == Code::kExhausted) return {};
      if (!next) return next.error();
      links.push_back(*std::move(next));
    }
    return {};
  }

  // Those that run and are ours.
  Result<std::vector<Container>> Running(const Call& call, DockerConnection& docker,
                                         const std::vector<std::string>& units) const {
    std::vector<Container> running;
    for (const std::string& unit : units) {
      A4C_CHECK(CheckUnitName(unit));
      A4C_TRY(auto container, servers_.FindContainer(call, docker, unit));
      if (!container || container->cluster != servers_.options.cluster) continue;
      if (container->running) running.push_back(*std::move(container));
    }
    return running;
  }

  // Of those with a file system of their own; one whose use is not told stays unknown.
  static void ReadDisks(const Call& call, DockerServer& server,
                        const std::vector<Container>& containers,
                        std::vector<UnitActivity>& activity) {
    for (const Container& container : containers) {
      if (!container.own_volume) continue;
      const auto disk = server.ReadDiskOf(call, container.volume_path);
      if (!disk) return;
      for (UnitActivity& unit : activity) {
        if (unit.name == container.name) unit.disk_used_bytes = disk->disk_used_bytes;
      }
    }
  }

  // As `docker stats` counts: pages of files that nobody uses just now are no memory that it needs.
  static UnitActivity ActivityOf(const std::string& name, const Json& stats) {
    const Json& memory = stats["memory_stats"];
    const Json& details = memory["stats"];  // of cgroups v2, or of v1
    const Json& unused = details.Find("inactive_file") != nullptr ? details["inactive_file"]
                                                                  : details["total_inactive_file"];
    return {.name = name,
            .cpu_ms = stats["cpu_stats"]["cpu_usage"]["total_usage"].Int() / kNanosPerMilli,
            .memory_bytes = std::max<int64_t>(0, memory["usage"].Int() - unused.Int()),
            .memory_limit_bytes = memory["limit"].Int(),
            .processes = stats["pids_stats"]["current"].Int()};
  }

  // Of the first ones, as many as there are links.
  static Result<void> ReadSome(const Call& call, std::vector<DockerLink>& links,
                               std::span<const Container> containers,
                               std::vector<UnitActivity>& activity) {
    const size_t count = std::min(links.size(), containers.size());
    for (size_t i = 0; i < count; ++i) {
      // One reading: with two dockerd would wait a second between them.
      A4C_CHECK(links[i]->Ask(call, {.method = "GET",
                                     .target = "/containers/" + containers[i].id +
                                               "/stats?stream=false&one-shot=true"}));
    }
    for (size_t i = 0; i < count; ++i) {
      A4C_TRY(const DockerReply reply, links[i]->Answer(call));
      const auto stats = ParseJson(reply.body, {.bytes_max = reply.body.size() + 1});
      // It has ended meanwhile.
      if (!reply.ok() || !stats) continue;
      activity.push_back(ActivityOf(containers[i].name, *stats));
    }
    return {};
  }

  BaremetalServers& servers_;
};

}  // namespace

std::unique_ptr<HostActivity> NewBaremetalActivity(BaremetalServers& servers) {
  return std::make_unique<BaremetalActivity>(servers);
}

}  // namespace a4c::baremetal
