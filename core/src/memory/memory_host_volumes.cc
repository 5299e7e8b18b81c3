// HostVolumes of pretended units.
#include "a4c/host_volumes.h"
#include "memory/memory_host_state.h"

namespace a4c::memory {
namespace {

class MemoryVolumes final : public HostVolumes {
 public:
  explicit MemoryVolumes(MemoryHosts& hosts) : hosts_(hosts) {}

  Result<int64_t> Copy(const Call& call, const VolumeCopy& copy) override {
    A4C_CHECK(CheckFence(copy.fence));
    Waiter::Lock lock(*hosts_.waiter);
    A4C_TRY(MemoryServer * from, hosts_.Find(call, copy.from_host));
    A4C_TRY(MemoryServer * to, hosts_.Find(call, copy.to_host));
    A4C_CHECK(to->tokens.Allow());
    A4C_TRY(const MemoryUnit* source, hosts_.FindUnit(*from, copy.from_unit));
    A4C_TRY(MemoryUnit * target, hosts_.FindUnit(*to, copy.to_unit));
    const auto known = to->fences.find(copy.to_unit);
    if (known != to->fences.end()) A4C_CHECK(Admit(copy.to_unit, copy.fence, known->second));
    if (source->state == UnitState::kRunning) {
      return Error(Code::kConflict, "unit " + copy.from_unit + " is running");
    }
    if (target->state != UnitState::kCreated) {
      return Error(Code::kConflict, "unit " + copy.to_unit + " was started before");
    }
    to->Raise(copy.to_unit, copy.fence);
    target->files = source->files;
    int64_t bytes = 0;
    for (const auto& [name, content] : target->files) bytes += static_cast<int64_t>(content.size());
    return bytes;
  }

 private:
  MemoryHosts& hosts_;
};

}  // namespace

std::unique_ptr<HostVolumes> NewMemoryVolumes(MemoryHosts& hosts) {
  return std::make_unique<MemoryVolumes>(hosts);
}

}  // namespace a4c::memory
