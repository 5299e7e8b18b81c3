// HostUpdate of pretended units: their files are kept beside their spec.
#include "a4c/host_update.h"
#include "memory/memory_host_images.h"
#include "memory/memory_host_state.h"

namespace a4c::memory {
namespace {

class MemoryUpdate final : public HostUpdate {
 public:
  MemoryUpdate(MemoryHosts& hosts, HostProvider& provider) : hosts_(hosts), provider_(provider) {}

  Result<UnitStatus> Update(const Call& call, const Unit& unit) override {
    A4C_CHECK(CheckUnit(unit));
    A4C_CHECK(MakeAnew(call, unit));
    return provider_.Ensure(call, unit);
  }

 private:
  // One that is not there is left to Ensure.
  Result<void> MakeAnew(const Call& call, const Unit& unit) {
    Waiter::Lock lock(*hosts_.waiter);
    A4C_TRY(MemoryServer * server, hosts_.Find(call, unit.host));
    A4C_CHECK(server->tokens.Allow());
    const Fence fence{unit.epoch, unit.claim};
    const auto known = server->fences.find(unit.name);
    if (known != server->fences.end()) A4C_CHECK(Admit(unit.name, fence, known->second));
    const auto found = server->units.find(unit.name);
    if (found == server->units.end()) return {};
    A4C_CHECK(Supply(hosts_, *server, unit));
    MemoryUnit anew{.unit = unit, .files = found->second.files};
    const int64_t disk_bytes = found->second.unit.spec.disk_bytes;
    anew.unit.spec.disk_bytes = std::max(unit.spec.disk_bytes, disk_bytes);
    const int64_t free_bytes = server->options.disk_total_bytes - DiskUsed(*server);
    if (anew.unit.spec.disk_bytes - disk_bytes > free_bytes) {
      return Error(Code::kExhausted, "host " + unit.host + " has no room for unit " + unit.name);
    }
    server->Raise(unit.name, fence);
    found->second = std::move(anew);
    return {};
  }

  MemoryHosts& hosts_;
  HostProvider& provider_;
};

}  // namespace

std::unique_ptr<HostUpdate> NewMemoryUpdate(MemoryHosts& hosts, HostProvider& provider) {
  return std::make_unique<MemoryUpdate>(hosts, provider);
}

}  // namespace a4c::memory
