// HostCleanup of servers that are only pretended.
#include <algorithm>
#include <map>

#include "a4c/host_cleanup.h"
#include "memory/memory_host_state.h"

namespace a4c::memory {
namespace {

bool IsUsed(const MemoryServer& server, const std::vector<std::string>& names,
            const std::string& id) {
  return std::ranges::any_of(server.units, [&](const auto& unit) {
    const std::string& image = unit.second.unit.spec.image;
    return image == id || std::ranges::count(names, image) > 0;
  });
}

// The names of each image but the first.
std::map<std::string, std::vector<std::string>> NamesById(const MemoryServer& server) {
  std::map<std::string, std::vector<std::string>> names;
  for (const auto& [name, image] : server.images) {
    if (name != kFirstImage) names[image.digest].push_back(name);
  }
  return names;
}

class MemoryCleanup final : public HostCleanup {
 public:
  explicit MemoryCleanup(MemoryHosts& hosts) : hosts_(hosts) {}

  Result<HostUse> Survey(const Call& call, const std::string& host) override {
    Waiter::Lock lock(*hosts_.waiter);
    A4C_TRY(MemoryServer * server, hosts_.Find(call, host));
    HostUse use;
    for (const auto& [id, names] : NamesById(*server)) {
      const ImageInfo& image = server->images.at(names[0]);
      use.images_bytes += image.size_bytes;
      use.items.push_back(
          {.id = id,
           .names = names,
           .bytes = image.size_bytes,
           .age_ms = hosts_.runtime.clock.MonotonicMs() - server->image_since_ms[id],
           .in_use = IsUsed(*server, names, id)});
      std::erase(use.items.back().names, id);  // kept under its id alone: it has no name
    }
    for (const auto& [name, unit] : server->units) use.units_bytes += unit.unit.spec.disk_bytes;
    return use;
  }

  Result<void> DiscardImage(const Call& call, const std::string& host,
                            const std::string& id) override {
    Waiter::Lock lock(*hosts_.waiter);
    A4C_TRY(MemoryServer * server, hosts_.Find(call, host));
    const auto all = NamesById(*server);
    const auto found = all.find(id);
    if (found == all.end()) return {};
    if (IsUsed(*server, found->second, id)) {
      return Error(Code::kConflict, "a unit is made of the image " + id);
    }
    for (const std::string& name : found->second) server->images.erase(name);
    return {};
  }

 private:
  MemoryHosts& hosts_;
};

}  // namespace

std::unique_ptr<HostCleanup> NewMemoryCleanup(MemoryHosts& hosts) {
  return std::make_unique<MemoryCleanup>(hosts);
}

}  // namespace a4c::memory
