#include <utility>

#include "memory/memory_host_images.h"
#include "memory/memory_host_state.h"

namespace a4c {
namespace {

using memory::DiskUsed;
using memory::MemoryServer;
using memory::MemoryUnit;
using memory::Settle;

constexpr int kExitTerminated = 128 + 15;

UnitStatus StatusOf(const MemoryUnit& unit) {
  return {.host = unit.unit.host,
          .name = unit.unit.name,
          .epoch = unit.unit.epoch,
          .labels = unit.unit.labels,
          .state = unit.state,
          .exit_code = unit.exit_code,
          .reason = unit.reason,
          .started_at_ms = unit.started_at_ms,
          .disk_used_bytes = unit.unit.spec.disk_bytes};
}

class MemoryHostProvider final : public HostProvider {
 public:
  MemoryHostProvider(const Runtime& runtime, const MemoryHostOptions& options)
      : hosts_(runtime, options),
        logs_(memory::NewMemoryLogs(hosts_)),
        log_times_(memory::NewMemoryLogTimes(hosts_)),
        exec_(memory::NewMemoryExec(hosts_)),
        images_(memory::NewMemoryImages(hosts_)),
        image_supply_(memory::NewMemoryImageSupply(hosts_)),
        cleanup_(memory::NewMemoryCleanup(hosts_)),
        enrolment_(memory::NewMemoryEnrolment(hosts_)),
        incarnation_(memory::NewMemoryIncarnation(hosts_)),
        streams_(memory::NewMemoryStreams(hosts_)),
        activity_(memory::NewMemoryActivity(hosts_)),
        volumes_(memory::NewMemoryVolumes(hosts_)),
        description_(memory::NewMemoryDescription(hosts_)),
        update_(memory::NewMemoryUpdate(hosts_, *this)),
        look_(memory::NewMemoryLook(hosts_)) {}

  Result<std::vector<Host>> Hosts(const Call& call) override;
  Result<UnitStatus> Ensure(const Call& call, const Unit& unit) override;
  Result<void> Remove(const Call& call, const std::string& host, const std::string& name,
                      const Fence& fence) override;
  Result<std::vector<UnitStatus>> List(const Call& call, const std::string& host) override;

 protected:
  void* Extension(std::string_view name) override;

 private:
  Result<MemoryUnit*> Create(MemoryServer& server, const Unit& unit);
  void Start(MemoryUnit& unit);
  void Stop(MemoryUnit& unit);

  memory::MemoryHosts hosts_;  // before what refers to it
  const std::unique_ptr<HostLogs> logs_;
  const std::unique_ptr<HostLogTimes> log_times_;
  const std::unique_ptr<HostExec> exec_;
  const std::unique_ptr<HostImages> images_;
  const std::unique_ptr<HostImageSupply> image_supply_;
  const std::unique_ptr<HostCleanup> cleanup_;
  const std::unique_ptr<HostEnrolment> enrolment_;
  const std::unique_ptr<HostIncarnation> incarnation_;
  const std::unique_ptr<HostStreams> streams_;
  const std::unique_ptr<HostActivity> activity_;
  const std::unique_ptr<HostVolumes> volumes_;
  const std::unique_ptr<HostDescription> description_;
  const std::unique_ptr<HostUpdate> update_;
  const std::unique_ptr<HostLook> look_;
};

void* MemoryHostProvider::Extension(std::string_view name) {
  if (name == HostLogs::kExtension) return logs_.get();
  if (name == HostLogTimes::kExtension) return log_times_.get();
  if (name == HostExec::kExtension) return exec_.get();
  if (name == HostImages::kExtension) return images_.get();
  if (name == HostImageSupply::kExtension) return image_supply_.get();
  if (name == HostCleanup::kExtension) return cleanup_.get();
  if (name == HostEnrolment::kExtension) return enrolment_.get();
  if (name == HostIncarnation::kExtension) return incarnation_.get();
  if (name == HostStreams::kExtension) return streams_.get();
  if (name == HostActivity::kExtension) return activity_.get();
  if (name == HostVolumes::kExtension) return volumes_.get();
  if (name == HostDescription::kExtension) return description_.get();
  if (name == HostUpdate::kExtension) return update_.get();
  if (name == HostLook::kExtension) return look_.get();
  return nullptr;
}

Result<std::vector<Host>> MemoryHostProvider::Hosts(const Call& call) {
  if (call.Stopping()) return Error(Code::kCanceled, "the caller has gone");
  Waiter::Lock lock(*hosts_.waiter);
  std::vector<Host> hosts;
  for (const auto& [id, server] : hosts_.servers) hosts.push_back(memory::FiguresOf(server));
  return hosts;
}

Result<MemoryUnit*> MemoryHostProvider::Create(MemoryServer& server, const Unit& unit) {
  A4C_CHECK(memory::Supply(hosts_, server, unit));
  if (unit.spec.disk_bytes > server.options.disk_total_bytes - DiskUsed(server)) {
    return Error(Code::kExhausted, "host " + unit.host + " has no room for unit " + unit.name);
  }
  return &server.units.emplace(unit.name, MemoryUnit{.unit = unit}).first->second;
}

void MemoryHostProvider::Start(MemoryUnit& unit) {
  const UnitSpec& spec = unit.unit.spec;
  auto run = memory::PlanRun(spec.command, spec.env, spec.working_dir, unit.files);
  unit.exit_code.reset();
  if (!run) {
    unit.state = UnitState::kBroken;
    unit.reason = "no such program: " + spec.command.front();
    return;
  }
  unit.reason.clear();
  unit.run = *std::move(run);
  unit.output_taken = 0;
  unit.state = UnitState::kRunning;
  unit.started_mono_ms = hosts_.runtime.clock.MonotonicMs();
  unit.started_at_ms = hosts_.runtime.clock.NowMs();
}

void MemoryHostProvider::Stop(MemoryUnit& unit) {
  unit.state = UnitState::kStopped;
  unit.exit_code = kExitTerminated;
}

Result<UnitStatus> MemoryHostProvider::Ensure(const Call& call, const Unit& unit) {
  A4C_CHECK(CheckUnit(unit));
  Waiter::Lock lock(*hosts_.waiter);
  A4C_TRY(MemoryServer * server, hosts_.Find(call, unit.host));
  A4C_CHECK(server->tokens.Allow());
  const Fence fence{unit.epoch, unit.claim};
  const auto known = server->fences.find(unit.name);
  if (known != server->fences.end()) A4C_CHECK(Admit(unit.name, fence, known->second));
  if (!server->units.contains(unit.name)) A4C_CHECK(Create(*server, unit));
  server->Raise(unit.name, fence);
  A4C_TRY(MemoryUnit * stored, hosts_.FindUnit(*server, unit.name));
  stored->unit.epoch = unit.epoch;
  const bool running = stored->state == UnitState::kRunning;
  if (unit.wanted == UnitWanted::kRunning && !running) Start(*stored);
  if (unit.wanted == UnitWanted::kStopped && running) Stop(*stored);
  return StatusOf(*stored);
}

Result<void> MemoryHostProvider::Remove(const Call& call, const std::string& host,
                                        const std::string& name, const Fence& fence) {
  A4C_CHECK(CheckUnitName(name));
  A4C_CHECK(CheckFence(fence));
  Waiter::Lock lock(*hosts_.waiter);
  A4C_TRY(MemoryServer * server, hosts_.Find(call, host));
  A4C_CHECK(server->tokens.Allow());
  const auto known = server->fences.find(name);
  if (known != server->fences.end()) A4C_CHECK(Admit(name, fence, known->second));
  server->Raise(name, fence);
  server->units.erase(name);
  return {};
}

Result<std::vector<UnitStatus>> MemoryHostProvider::List(const Call& call,
                                                         const std::string& host) {
  Waiter::Lock lock(*hosts_.waiter);
  A4C_TRY(MemoryServer * server, hosts_.Find(call, host));
  std::vector<UnitStatus> statuses;
  for (auto& [name, unit] : server->units) {
    Settle(unit, hosts_.runtime.clock.MonotonicMs());
    statuses.push_back(StatusOf(unit));
  }
  return statuses;
}

}  // namespace

std::unique_ptr<HostProvider> NewMemoryHostProvider(const Runtime& runtime,
                                                    const MemoryHostOptions& options) {
  return std::make_unique<MemoryHostProvider>(runtime, options);
}

}  // namespace a4c
