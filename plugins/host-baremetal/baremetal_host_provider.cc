#include "baremetal_host_provider.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "baremetal_servers.h"
#include "docker/docker_epochs.h"
#include "helper_client.h"
#include "units/unit_effects.h"
#include "units/unit_ensuring.h"

namespace a4c::baremetal {
namespace {

class BaremetalHostProvider final : public HostProvider {
 public:
  BaremetalHostProvider(const Runtime& runtime, BaremetalOptions options)
      : servers_(runtime, std::move(options)),
        epochs_(servers_.options.cluster),
        logs_(NewBaremetalLogs(servers_)),
        log_times_(NewBaremetalLogTimes()),
        exec_(NewBaremetalExec(servers_)),
        streams_(NewBaremetalStreams(servers_)),
        images_(NewBaremetalImages(servers_)),
        image_supply_(NewBaremetalImageSupply(servers_)),
        cleanup_(NewBaremetalCleanup(servers_)),
        incarnation_(NewBaremetalIncarnation(servers_)),
        enrolment_(NewBaremetalEnrolment(servers_)),
        activity_(NewBaremetalActivity(servers_)),
        volumes_(NewBaremetalVolumes(servers_)),
        description_(NewBaremetalDescription(servers_)),
        look_(NewBaremetalLook(servers_)),
        update_(NewBaremetalUpdate(servers_, *image_supply_)) {}

  Result<std::vector<Host>> Hosts(const Call& call) override;
  Result<UnitStatus> Ensure(const Call& call, const Unit& unit) override;
  Result<void> Remove(const Call& call, const std::string& host, const std::string& name,
                      const Fence& fence) override;
  Result<std::vector<UnitStatus>> List(const Call& call, const std::string& host) override;

 protected:
  void* Extension(std::string_view name) override {
    if (name == HostLogs::kExtension) return logs_.get();
    if (name == HostLogTimes::kExtension) return log_times_.get();
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
    if (name == HostLook::kExtension) return look_.get();
    if (name == HostUpdate::kExtension) return update_.get();
    return nullptr;
  }

 private:
  Result<UnitStatus> EnsureOnce(const Call& call, const Unit& unit);
  Result<std::map<std::string, HelperUnit>> Known(const Call& call, DockerLink& docker) const;

  BaremetalServers servers_;  // before what refers to it
  const DockerEpochs epochs_;
  const std::unique_ptr<HostLogs> logs_;
  const std::unique_ptr<HostLogTimes> log_times_;
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
  const std::unique_ptr<HostLook> look_;
  const std::unique_ptr<HostUpdate> update_;
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
  return WithImage(servers_, *image_supply_, call, unit, [&] { return EnsureOnce(call, unit); });
}

Result<UnitStatus> BaremetalHostProvider::EnsureOnce(const Call& call, const Unit& unit) {
  A4C_TRY(const auto effects,
          UnitEffects::Begin(servers_, call, unit.host, unit.name, {unit.epoch, unit.claim}));
  return EnsureBy(servers_, call, unit, *effects);
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
