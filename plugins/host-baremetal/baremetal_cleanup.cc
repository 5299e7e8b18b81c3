// HostCleanup: what the server has of ours that no container needs.
#include <algorithm>
#include <map>
#include <set>

#include "a4c/host_cleanup.h"
#include "baremetal_servers.h"
#include "docker/docker_body.h"
#include "helper_client.h"
#include "images/image_names.h"
#include "images/image_transfer.h"

namespace a4c::baremetal {
namespace {

// What the containers of a server, ours or not, are made of.
struct Containers {
  std::set<std::string> images;  // ids
  std::set<std::string> units;   // of ours
};

class BaremetalCleanup final : public HostCleanup {
 public:
  explicit BaremetalCleanup(BaremetalServers& servers) : servers_(servers) {}
  Result<HostUse> Survey(const Call& call, const std::string& host) override;
  Result<void> DiscardImage(const Call& call, const std::string& host,
                            const std::string& id) override;

 private:
  Result<Containers> ReadContainers(const Call& call, DockerConnection& docker) const;
  Result<HostItem> ItemOf(const Call& call, DockerConnection& docker, const Json& image,
                          const Containers& containers, int64_t now_ms) const;
  void AddVolumes(const Json& usage, const Containers& containers, HostUse& use) const;
  Result<void> AddHelperVolumes(const Call& call, DockerServer& server,
                                const Containers& containers, HostUse& use) const;

  BaremetalServers& servers_;
};

Result<Containers> BaremetalCleanup::ReadContainers(const Call& call,
                                                    DockerConnection& docker) const {
  A4C_TRY(const Json list,
          docker.ExchangeJson(call, {.method = "GET", .target = "/containers/json?all=1"}));
  Containers containers;
  for (const Json& container : list.Items()) {
    containers.images.insert(container["ImageID"].Text());
    const Json& labels = container["Labels"];
    if (labels[kClusterLabel].Text() == servers_.options.cluster) {
      containers.units.insert(labels[kUnitLabel].Text());
    }
  }
  return containers;
}

// Of the image alone: what it shares with others stays when it goes.
int64_t OwnBytes(const Json& image) {
  return std::max<int64_t>(0,
                           image["Size"].Int() - std::max<int64_t>(0, image["SharedSize"].Int()));
}

Result<HostItem> BaremetalCleanup::ItemOf(const Call& call, DockerConnection& docker,
                                          const Json& image, const Containers& containers,
                                          int64_t now_ms) const {
  HostItem item{.id = image["Id"].Text(), .names = NamesOf(image), .bytes = OwnBytes(image)};
  item.in_use = containers.images.contains(item.id);
  A4C_TRY(const auto inspected, InspectImage(call, docker, item.id));
  if (!inspected) return item;  // gone meanwhile, and young: nobody takes it away
  const int64_t tagged_ms = MillisecondsOf((*inspected)["Metadata"]["LastTagTime"].Text());
  if (tagged_ms > 0) item.age_ms = std::max<int64_t>(0, now_ms - tagged_ms);
  return item;
}

// Epochs are kept in volumes, too, but without a unit's data.
void BaremetalCleanup::AddVolumes(const Json& usage, const Containers& containers,
                                  HostUse& use) const {
  for (const Json& volume : usage["Volumes"].Items()) {
    const std::string& unit = volume["Labels"][kUnitLabel].Text();
    const std::string& name = volume["Name"].Text();
    if (name != VolumeName(servers_.options.cluster, unit)) continue;
    const int64_t bytes = std::max<int64_t>(0, volume["UsageData"]["Size"].Int());
    use.units_bytes += bytes;
    if (containers.units.contains(unit)) continue;
    use.items.push_back(
        {.kind = HostItem::Kind::kVolume, .id = name, .unit = unit, .bytes = bytes});
  }
}

Result<void> BaremetalCleanup::AddHelperVolumes(const Call& call, DockerServer& server,
                                                const Containers& containers, HostUse& use) const {
  if (!server.has_helper()) return {};
  A4C_TRY(DockerLink helper, server.OpenForUnits(call));
  helper->SetFields(UnitFields(servers_.options.cluster, "", 0, ""));
  A4C_TRY(const auto known, ReadUnits(call, *helper));
  for (const auto& [unit, state] : known) {
    use.units_bytes += state.disk_bytes;
    if (state.disk_bytes == 0 || containers.units.contains(unit)) continue;
    use.items.push_back(
        {.kind = HostItem::Kind::kVolume, .id = unit, .unit = unit, .bytes = state.disk_bytes});
  }
  return {};
}

Result<HostUse> BaremetalCleanup::Survey(const Call& call, const std::string& host) {
  A4C_TRY(const std::shared_ptr<DockerServer> server, servers_.Find(call, host));
  HostUse use;
  Containers containers;
  {
    A4C_TRY(DockerLink docker, server->OpenStream(call));
    A4C_TRY(const Json info, docker->ExchangeJson(call, {.method = "GET", .target = "/info"}));
    A4C_TRY(const Json usage,
            docker->ExchangeJson(call, {.method = "GET", .target = "/system/df"}));
    A4C_TRY(containers, ReadContainers(call, *docker));
    const int64_t now_ms = MillisecondsOf(info["SystemTime"].Text());
    use.images_bytes = usage["LayersSize"].Int();
    for (const Json& container : usage["Containers"].Items()) {
      const bool ours = container["Labels"][kClusterLabel].Text() == servers_.options.cluster;
      if (ours) use.units_bytes += std::max<int64_t>(0, container["SizeRw"].Int());
    }
    for (const Json& image : usage["Images"].Items()) {
      if (OwnTagsOf(image, servers_.options.cluster).empty()) continue;
      A4C_TRY(HostItem item, ItemOf(call, *docker, image, containers, now_ms));
      if (item.names.empty()) use.cache_bytes += item.bytes;
      use.items.push_back(std::move(item));
    }
    AddVolumes(usage, containers, use);
  }
  A4C_CHECK(AddHelperVolumes(call, *server, containers, use));
  return use;
}

// With its last name the image goes, unless a container is made of it: that has come meanwhile,
// and the image gets its names back. False: it has.
Result<bool> TakeNames(const Call& call, DockerConnection& docker, const std::string& id,
                       const std::vector<std::string>& names,
                       const std::vector<std::string>& own_tags) {
  for (const auto* some : {&names, &own_tags}) {  // those that say whose it is go last
    for (const std::string& name : *some) {
      A4C_TRY(const bool is_free, UntagImage(call, docker, name));
      if (is_free) continue;
      for (const std::string& lost : names) {
        const bool is_tag = !ParseImageName(lost).by_digest;
        if (is_tag) A4C_CHECK(TagImage(call, docker, id, lost));
      }
      return false;
    }
  }
  return true;
}

Result<void> BaremetalCleanup::DiscardImage(const Call& call, const std::string& host,
                                            const std::string& id) {
  if (!IsImageId(id)) return Error(Code::kInvalid, "an image is discarded by its id");
  A4C_TRY(const std::shared_ptr<DockerServer> server, servers_.Find(call, host));
  A4C_TRY(DockerLink docker, server->Open(call));
  A4C_TRY(const auto image, InspectImage(call, *docker, id));
  if (!image) return {};
  const std::string& cluster = servers_.options.cluster;
  const std::vector<std::string> own_tags = OwnTagsOf(*image, cluster);
  if (own_tags.empty()) return Error(Code::kConflict, "image " + id + " is not ours");
  // If another cluster has the image as well, only the tag that makes it ours goes.
  std::vector<std::string> names;
  if (!IsAlsoOfOthers(*image, cluster)) names = NamesOf(*image);
  A4C_TRY(const Containers containers, ReadContainers(call, *docker));
  bool is_gone = false;
  if (!containers.images.contains(id)) {
    A4C_TRY(is_gone, TakeNames(call, *docker, id, names, own_tags));
  }
  if (is_gone) return {};
  return Error(Code::kConflict, "a unit is made of the image " + id);
}

}  // namespace

std::unique_ptr<HostCleanup> NewBaremetalCleanup(BaremetalServers& servers) {
  return std::make_unique<BaremetalCleanup>(servers);
}

}  // namespace a4c::baremetal
