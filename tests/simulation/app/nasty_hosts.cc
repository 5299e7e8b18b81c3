#include "a4c/host_extensions.h"
#include "a4c/host_update.h"
#include "tests/simulation/app/fleet.h"
#include "tests/simulation/nasty.h"

namespace a4c::simulation {
namespace {

// A call that takes longer than its caller can keep a lease.
constexpr int64_t kStallMsMax = 15'000;

class NastyHosts final : public HostProvider,
                         public HostExec,
                         public HostUpdate,
                         private NastyCalls {
 public:
  NastyHosts(Cluster& cluster, Fleet& fleet, Process& process)
      : NastyCalls(cluster, process), fleet_(fleet) {}

  Result<std::vector<Host>> Hosts(const Call&) override {
    Before("hosts");
    if (Fails("hosts")) return Unavailable();
    auto hosts = fleet_.Hosts();
    After();
    return hosts;
  }

  Result<UnitStatus> Ensure(const Call& call, const Unit& unit) override {
    A4C_CHECK(Reach(call, unit.host, "ensure"));
    if (Chance(cluster_.faults.late)) {
      Later("ensure", [fleet = &fleet_, unit] { (void)fleet->Ensure(unit); });
      return Lost();
    }
    Result<UnitStatus> status = fleet_.Ensure(unit);
    if (IsLost()) return Lost();
    return status;
  }

  Result<UnitStatus> Update(const Call& call, const Unit& unit) override {
    A4C_CHECK(Reach(call, unit.host, "update"));
    if (Chance(cluster_.faults.late)) {
      Later("update", [fleet = &fleet_, unit] { (void)fleet->Update(unit); });
      return Lost();
    }
    Result<UnitStatus> status = fleet_.Update(unit);
    if (IsLost()) return Lost();
    return status;
  }

  Result<void> Remove(const Call& call, const std::string& host, const std::string& name,
                      const Fence& fence) override {
    A4C_CHECK(Reach(call, host, "remove"));
    if (Chance(cluster_.faults.late)) {
      Later("remove",
            [fleet = &fleet_, host, name, fence] { (void)fleet->Remove(host, name, fence); });
      return Lost();
    }
    Result<void> removed = fleet_.Remove(host, name, fence);
    if (IsLost()) return Lost();
    return removed;
  }

  Result<std::vector<UnitStatus>> List(const Call& call, const std::string& host) override {
    A4C_CHECK(Reach(call, host, "list"));
    auto units = fleet_.List(host);
    After();
    return units;
  }

  // Some output, and an end.
  Result<int> Run(const Call& call, const ExecRequest& request,
                  const std::function<void(std::string_view)>& output) override {
    A4C_CHECK(Reach(call, request.host, "exec"));
    const auto units = fleet_.List(request.host);
    const bool runs = units && std::ranges::any_of(*units, [&request](const UnitStatus& unit) {
                        return unit.name == request.unit && unit.state == UnitState::kRunning;
                      });
    if (!runs) return Error(Code::kConflict, "unit " + request.unit + " is not running");
    for (uint64_t lines = simulation().Below(4); lines > 0; --lines) {
      simulation().Sleep(static_cast<int64_t>(simulation().Below(1'500)));
      if (call.Stopping() || call.Expired()) return Lost();
      output("a line\n");
    }
    if (IsLost()) return Lost();
    return static_cast<int>(simulation().Below(2));
  }

 protected:
  void* Extension(std::string_view name) override {
    if (name == HostExec::kExtension) return static_cast<HostExec*>(this);
    if (name == HostUpdate::kExtension) return static_cast<HostUpdate*>(this);
    return nullptr;
  }

 private:
  // On the way there.
  Result<void> Reach(const Call& call, const std::string& host, std::string_view what) {
    Before(what);
    if (Chance(cluster_.faults.slow)) Stall();
    if (call.Stopping()) return Error(Code::kCanceled, "the caller has gone");
    if (Fails(what) || fleet_.IsAway(host)) return Unavailable();
    if (Chance(cluster_.faults.unknown)) return Lost();
    return {};
  }

  // On the way back.
  bool IsLost() {
    if (Chance(cluster_.faults.slow)) Stall();
    After();
    return Chance(cluster_.faults.unknown);
  }

  void Stall() {
    simulation().Note("the server takes its time");
    simulation().Sleep(static_cast<int64_t>(simulation().Below(kStallMsMax)));
  }

  void Later(std::string_view what, std::function<void()> effect) {
    simulation().Note(std::string(what) + ": late");
    cluster_.Later(static_cast<int64_t>(simulation().Below(kStallMsMax)), std::move(effect));
  }

  Fleet& fleet_;
};

}  // namespace

std::unique_ptr<HostProvider> NewNastyHosts(Cluster& cluster, Fleet& fleet, Process& process) {
  return std::make_unique<NastyHosts>(cluster, fleet, process);
}

}  // namespace a4c::simulation
