#include "baremetal_host_provider.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "baremetal_servers.h"
#include "docker_epochs.h"
#include "docker_errors.h"
#include "helper_client.h"
#include "image_names.h"
#include "unit_effects.h"

namespace a4c::baremetal {
namespace {

constexpr int kAttemptsMax = 100;
constexpr int64_t kGonePollMs = 50;

// One Ensure of one unit.
class Ensuring {
 public:
  Ensuring(BaremetalServers& servers, const Call& call, const Unit& unit, UnitEffects& effects)
      : servers_(servers), call_(call), unit_(unit), effects_(effects) {}

  Result<UnitStatus> Run() {
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
      auto status = Once();
      if (!status) return effects_.Judge(status.error());
      if (*status) return **std::move(status);
      // dockerd gives a name away some time before the container can be seen, and takes it back
      // late.
      Waiter::Lock lock(*servers_.waiter);
      servers_.waiter->Wait(call_.clock.MonotonicMs() + kGonePollMs);
    }
    return Error(Code::kUnavailable, "unit " + unit_.name + " is being made and removed by others");
  }

 private:
  // Nothing if someone else made or removed the container meanwhile: look again.
  Result<std::optional<UnitStatus>> Once();
  Result<std::optional<UnitStatus>> Make();
  Result<std::optional<UnitStatus>> Start(const Container& container);
  Result<std::optional<UnitStatus>> Status();

  BaremetalServers& servers_;
  const Call& call_;
  const Unit& unit_;
  UnitEffects& effects_;
};

Result<std::optional<UnitStatus>> Ensuring::Status() {
  A4C_TRY(const auto container, effects_.Find());
  if (!container) return std::optional<UnitStatus>();
  UnitStatus status = container->status;
  status.host = unit_.host;
  status.epoch = std::max(status.epoch, unit_.epoch);
  return std::optional<UnitStatus>(std::move(status));
}

// A kill of dockerd in the middle of a start leaves a task without a process that containerd keeps
// and dockerd does not know. No start of this container succeeds any more; one of a new id does.
bool IsStuck(const Container& container, const DockerReply& reply) {
  const size_t task = reply.ok() ? std::string::npos : reply.body.find("task " + container.id);
  return task != std::string::npos && reply.body.find("already exists", task) != std::string::npos;
}

Result<std::optional<UnitStatus>> Ensuring::Start(const Container& container) {
  A4C_TRY(const DockerReply reply, effects_.Start(container));
  if (IsStuck(container, reply)) {
    A4C_CHECK(effects_.Delete(container));
    return std::optional<UnitStatus>();
  }
  A4C_TRY(auto status, Status());
  const bool started = reply.ok() || reply.status == 304;
  // A command that cannot be run is a state of the unit; dockerd keeps the reason with it.
  if (started || !status || status->state == UnitState::kBroken) return status;
  // The one that was to start is gone, and somebody has made another.
  if (reply.status == 404) return std::optional<UnitStatus>();
  return DockerError(reply.status, reply.body, true);
}

Result<std::optional<UnitStatus>> Ensuring::Make() {
  A4C_TRY(const bool created, effects_.Create(unit_));
  (void)created;  // either way: read who it is now
  A4C_TRY(const auto made, effects_.Find());
  if (!effects_.IsOurs(made) || made->status.epoch > unit_.epoch) {
    return std::optional<UnitStatus>();
  }
  return unit_.wanted == UnitWanted::kRunning ? Start(*made) : Status();
}

Result<std::optional<UnitStatus>> Ensuring::Once() {
  A4C_TRY(const auto found, effects_.Find());
  if (found && !effects_.IsOurs(found)) {
    return Error(Code::kConflict,
                 "host " + unit_.host + " has a container " + unit_.name + " that is not ours",
                 "another installation or person made it; choose another name, or remove it there");
  }
  A4C_CHECK(effects_.Admit(found));
  if (!found) return Make();
  A4C_CHECK(effects_.Remember());
  if (found->removing) {
    A4C_CHECK(effects_.Delete(*found));
    return std::optional<UnitStatus>();
  }
  if (unit_.wanted == UnitWanted::kStopped) {
    if (found->running) A4C_CHECK(effects_.Stop(*found));
    return Status();
  }
  A4C_CHECK(effects_.RefreshVolume(*found, unit_.spec.disk_bytes));
  return found->running ? Status() : Start(*found);
}

class BaremetalHostProvider final : public HostProvider {
 public:
  BaremetalHostProvider(const Runtime& runtime, BaremetalOptions options)
      : servers_(runtime, std::move(options)),
        epochs_(servers_.options.cluster),
        logs_(NewBaremetalLogs(servers_)),
        exec_(NewBaremetalExec(servers_)),
        streams_(NewBaremetalStreams(servers_)),
        images_(NewBaremetalImages(servers_)),
        image_supply_(NewBaremetalImageSupply(servers_)),
        cleanup_(NewBaremetalCleanup(servers_)),
        incarnation_(NewBaremetalIncarnation(servers_)),
        enrolment_(NewBaremetalEnrolment(servers_)),
        activity_(NewBaremetalActivity(servers_)),
        volumes_(NewBaremetalVolumes(servers_)),
        description_(NewBaremetalDescription(servers_)) {}

  Result<std::vector<Host>> Hosts(const Call& call) override;
  Result<UnitStatus> Ensure(const Call& call, const Unit& unit) override;
  Result<void> Remove(const Call& call, const std::string& host, const std::string& name,
                      const Fence& fence) override;
  Result<std::vector<UnitStatus>> List(const Call& call, const std::string& host) override;

 protected:
  void* Extension(std::string_view name) override {
    if (name == HostLogs::kExtension) return logs_.get();
    if (name == HostExec::kExtension) return exec_.get();
    if (name == HostStreams::kExtension) return streams_.get();
    if (name == HostImages::kExtension) return images_.get();
    if (name == HostImageSupply::kExtension) return image_supply_.get();
    if (name == HostCleanup::kExtension) return cleanup_.get();
    if (name == HostIncarnation::kExtension) return incarnation_.get();
    if (name == HostEnrolment::kExtension) return enrolment_.get();
    if (name == HostActivity::kExtension) return activity_.get();
    if (name == HostVolumes::kExtension) return volumes_.get();
    if (name == HostDescription::kExtension) return description_.get();
    return nullptr;
  }

 private:
  Result<UnitStatus> EnsureOnce(const Call& call, const Unit& unit);
  Result<std::map<std::string, HelperUnit>> Known(const Call& call, DockerLink& docker) const;

  BaremetalServers servers_;  // before what refers to it
  const DockerEpochs epochs_;
  const std::unique_ptr<HostLogs> logs_;
  const std::unique_ptr<HostExec> exec_;
  const std::unique_ptr<HostStreams> streams_;
  const std::unique_ptr<HostImages> images_;
  const std::unique_ptr<HostImageSupply> image_supply_;
  const std::unique_ptr<HostCleanup> cleanup_;
  const std::unique_ptr<HostIncarnation> incarnation_;
  const std::unique_ptr<HostEnrolment> enrolment_;
  const std::unique_ptr<HostActivity> activity_;
  const std::unique_ptr<HostVolumes> volumes_;
  const std::unique_ptr<HostDescription> description_;
};

Result<std::vector<Host>> BaremetalHostProvider::Hosts(const Call& call) {
  if (call.Stopping()) return Error(Code::kCanceled, "the caller has gone");
  const std::vector<std::shared_ptr<DockerServer>> servers = servers_.All();
  std::vector<Host> hosts(servers.size());
  std::atomic<size_t> next = 0;
  const auto measure = [&](const std::stop_token&) {
    for (size_t i = next++; i < servers.size(); i = next++) hosts[i] = servers[i]->Measure(call);
  };
  // One that is out of reach does not keep the others waiting.
  std::vector<std::unique_ptr<Thread>> helpers;
  for (size_t i = 1;
       i < std::min(servers.size(), static_cast<size_t>(servers_.options.hosts_at_once)); ++i) {
    helpers.push_back(servers_.runtime.threads.Start("bm-hosts", measure));
  }
  measure({});
  for (const auto& helper : helpers) helper->Join();
  return hosts;
}

Result<UnitStatus> BaremetalHostProvider::Ensure(const Call& call, const Unit& unit) {
  A4C_CHECK(CheckUnit(unit));
  Result<UnitStatus> status = EnsureOnce(call, unit);
  const bool is_missing = !status && status.error().code() == Code::kNotFound;
  const std::string& image = unit.spec.image;
  if (!is_missing ||
      FindRegistry(servers_.options.registries, ParseImageName(image).registry) == nullptr) {
    return status;
  }
  // Nothing of the server is held meanwhile.
  A4C_CHECK(image_supply_->Pull(call, unit.host, image, [](std::string_view) {}));
  return EnsureOnce(call, unit);
}

Result<UnitStatus> BaremetalHostProvider::EnsureOnce(const Call& call, const Unit& unit) {
  A4C_TRY(const auto effects,
          UnitEffects::Begin(servers_, call, unit.host, unit.name, {unit.epoch, unit.claim}));
  return Ensuring(servers_, call, unit, *effects).Run();
}

Result<void> BaremetalHostProvider::Remove(const Call& call, const std::string& host,
                                           const std::string& name, const Fence& fence) {
  A4C_CHECK(CheckUnitName(name));
  A4C_CHECK(CheckFence(fence));
  A4C_TRY(const auto effects, UnitEffects::Begin(servers_, call, host, name, fence));
  const auto removed = effects->Remove();
  if (!removed) return effects->Judge(removed.error());
  return {};
}

// What is remembered of units beside their containers.
Result<std::map<std::string, HelperUnit>> BaremetalHostProvider::Known(const Call& call,
                                                                       DockerLink& docker) const {
  if (docker.helper()) {
    docker->SetFields(UnitFields(servers_.options.cluster, "", 0, ""));
    return ReadUnits(call, *docker);
  }
  A4C_TRY(const auto epochs, epochs_.ReadAll(call, *docker));
  std::map<std::string, HelperUnit> known;
  for (const auto& [unit, epoch] : epochs) known[unit].epoch = epoch;
  return known;
}

Result<std::vector<UnitStatus>> BaremetalHostProvider::List(const Call& call,
                                                            const std::string& host) {
  A4C_TRY(const std::shared_ptr<DockerServer> server, servers_.Find(call, host));
  A4C_TRY(DockerLink docker, server->OpenForUnits(call));
  A4C_TRY(const auto known, Known(call, docker));
  const std::string filter =
      LabelFilter({std::string(kClusterLabel) + "=" + servers_.options.cluster, kUnitLabel});
  A4C_TRY(const Json list,
          docker->ExchangeJson(
              call, {.method = "GET", .target = "/containers/json?all=1&filters=" + filter}));
  std::vector<UnitStatus> statuses;
  for (const Json& item : list.Items()) {
    // The list has neither exit codes nor the time of the start.
    const std::string& unit = item["Labels"][kUnitLabel].Text();
    if (!CheckUnitName(unit)) continue;
    A4C_TRY(auto container, servers_.FindContainer(call, *docker, unit));
    if (!container || container->cluster != servers_.options.cluster ||
        container->id != item["Id"].Text()) {
      continue;  // gone meanwhile, or an image's label on a container of someone else
    }
    UnitStatus& status = statuses.emplace_back(std::move(container->status));
    status.host = host;
    if (const auto of_unit = known.find(unit); of_unit != known.end()) {
      status.epoch = std::max(status.epoch, of_unit->second.epoch);
      status.disk_used_bytes = of_unit->second.disk_bytes;
    }
  }
  return statuses;
}

}  // namespace

std::unique_ptr<HostProvider> NewBaremetalHostProvider(const Runtime& runtime,
                                                       BaremetalOptions options) {
  return std::make_unique<BaremetalHostProvider>(runtime, std::move(options));
}

}  // namespace a4c::baremetal
