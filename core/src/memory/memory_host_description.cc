// HostDescription of pretended units.
#include <algorithm>

#include "a4c/host_description.h"
#include "memory/memory_host_state.h"

namespace a4c::memory {
namespace {

class MemoryDescription final : public HostDescription {
 public:
  explicit MemoryDescription(MemoryHosts& hosts) : hosts_(hosts) {}

  Result<Unit> Describe(const Call& call, const std::string& host,
                        const std::string& name) override {
    Waiter::Lock lock(*hosts_.waiter);
    A4C_TRY(MemoryServer * server, hosts_.Find(call, host));
    A4C_TRY(const MemoryUnit* found, hosts_.FindUnit(*server, name));
    Unit unit = found->unit;
    unit.claim.clear();
    const auto fence = server->fences.find(name);
    if (fence != server->fences.end()) unit.epoch = std::max(unit.epoch, fence->second.epoch);
    unit.wanted = found->state == UnitState::kRunning ? UnitWanted::kRunning : UnitWanted::kStopped;
    return unit;
  }

 private:
  MemoryHosts& hosts_;
};

}  // namespace

std::unique_ptr<HostDescription> NewMemoryDescription(MemoryHosts& hosts) {
  return std::make_unique<MemoryDescription>(hosts);
}

}  // namespace a4c::memory
