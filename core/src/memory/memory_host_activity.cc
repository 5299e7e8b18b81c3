// HostActivity of pretended units: all are idle but those that loop.
#include "a4c/host_activity.h"
#include "memory/memory_host_state.h"

namespace a4c::memory {
namespace {

// Each takes what a small program does, and has as much disk as it was promised.
constexpr int64_t kMemoryBytes = 4 << 20;

UnitActivity ActivityOf(const MemoryUnit& unit, int64_t now_ms) {
  return {.name = unit.unit.name,
          .cpu_ms = unit.run.busy ? now_ms - unit.started_mono_ms : 0,
          .memory_bytes = kMemoryBytes,
          .memory_limit_bytes = unit.unit.spec.memory_bytes,
          .processes = 1,
          .disk_used_bytes = unit.unit.spec.disk_bytes};
}

class MemoryActivity final : public HostActivity {
 public:
  explicit MemoryActivity(MemoryHosts& hosts) : hosts_(hosts) {}

  Result<std::vector<UnitActivity>> Read(const Call& call, const std::string& host,
                                         const std::vector<std::string>& units) override {
    Waiter::Lock lock(*hosts_.waiter);
    A4C_TRY(MemoryServer * server, hosts_.Find(call, host));
    std::vector<UnitActivity> activity;
    const int64_t now_ms = hosts_.runtime.clock.MonotonicMs();
    for (const std::string& name : units) {
      const auto unit = hosts_.FindUnit(*server, name);
      if (!unit || (*unit)->state != UnitState::kRunning) continue;
      activity.push_back(ActivityOf(**unit, now_ms));
    }
    return activity;
  }

 private:
  MemoryHosts& hosts_;
};

}  // namespace

std::unique_ptr<HostActivity> NewMemoryActivity(MemoryHosts& hosts) {
  return std::make_unique<MemoryActivity>(hosts);
}

}  // namespace a4c::memory
