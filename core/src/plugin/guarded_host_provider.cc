#include <algorithm>
#include <utility>

#include "plugin/guard.h"
#include "plugin/guarded.h"
#include "plugin/guarded_host_extensions.h"
#include "plugin/guarded_host_streams.h"

namespace a4c::plugin {
namespace {

class GuardedHostProvider final : public HostProvider {
 public:
  GuardedHostProvider(std::unique_ptr<HostProvider> inner, PluginRecord& plugin)
      : plugin_(plugin),
        inner_(std::move(inner)),
        hosts_(plugin.Site("Hosts")),
        ensure_(plugin.Site("Ensure", Code::kUnknownOutcome)),
        remove_(plugin.Site("Remove", Code::kUnknownOutcome)),
        list_(plugin.Site("List")) {}
  ~GuardedHostProvider() override { DestroyGuarded(plugin_, inner_); }

  Result<std::vector<Host>> Hosts(const Call& call) override {
    return Guarded(hosts_, call, [&] {
      auto hosts = inner_->Hosts(call);
      if (!hosts) return hosts;
      for (const Host& host : *hosts) {
        if (const Result<void> checked = CheckHost(host); !checked) {
          return Result<std::vector<Host>>(
              Malformed(hosts_, "a look at all hosts", checked.error().message()));
        }
      }
      return hosts;
    });
  }

  Result<UnitStatus> Ensure(const Call& call, const Unit& unit) override {
    return Guarded(ensure_, call, [&] {
      auto status = inner_->Ensure(call, unit);
      if (status && status->name != unit.name) {
        status = Malformed(ensure_, "the unit \"" + unit.name + "\"",
                           "the unit \"" + status->name + "\"");
      }
      return status;
    });
  }

  Result<void> Remove(const Call& call, const std::string& host, const std::string& name,
                      const Fence& fence) override {
    return Guarded(remove_, call, [&] { return inner_->Remove(call, host, name, fence); });
  }

  Result<std::vector<UnitStatus>> List(const Call& call, const std::string& host) override {
    return Guarded(list_, call, [&] { return inner_->List(call, host); });
  }

 private:
  void* Extension(std::string_view name) override {
    if (name == HostLogs::kExtension) return logs_.Of(*inner_, plugin_);
    if (name == HostLogTimes::kExtension) return log_times_.Of(*inner_, plugin_);
    if (name == HostExec::kExtension) return exec_.Of(*inner_, plugin_);
    if (name == HostImages::kExtension) return images_.Of(*inner_, plugin_);
    if (name == HostImageSupply::kExtension) return image_supply_.Of(*inner_, plugin_);
    if (name == HostCleanup::kExtension) return cleanup_.Of(*inner_, plugin_);
    if (name == HostEnrolment::kExtension) return enrolment_.Of(*inner_, plugin_);
    if (name == HostIncarnation::kExtension) return incarnation_.Of(*inner_, plugin_);
    if (name == HostStreams::kExtension) return streams_.Of(*inner_, plugin_);
    if (name == HostActivity::kExtension) return activity_.Of(*inner_, plugin_);
    if (name == HostVolumes::kExtension) return volumes_.Of(*inner_, plugin_);
    if (name == HostDescription::kExtension) return description_.Of(*inner_, plugin_);
    if (name == HostUpdate::kExtension) return update_.Of(*inner_, plugin_);
    if (name == HostLook::kExtension) return look_.Of(*inner_, plugin_);
    return nullptr;
  }

  PluginRecord& plugin_;
  std::unique_ptr<HostProvider> inner_;
  ExtensionGuard<HostLogs, GuardedHostLogs> logs_;
  ExtensionGuard<HostLogTimes, GuardedHostLogTimes> log_times_;
  ExtensionGuard<HostExec, GuardedHostExec> exec_;
  ExtensionGuard<HostImages, GuardedHostImages> images_;
  ExtensionGuard<HostImageSupply, GuardedHostImageSupply> image_supply_;
  ExtensionGuard<HostCleanup, GuardedHostCleanup> cleanup_;
  ExtensionGuard<HostEnrolment, GuardedHostEnrolment> enrolment_;
  ExtensionGuard<HostIncarnation, GuardedHostIncarnation> incarnation_;
  ExtensionGuard<HostStreams, GuardedHostStreams> streams_;
  ExtensionGuard<HostActivity, GuardedHostActivity> activity_;
  ExtensionGuard<HostVolumes, GuardedHostVolumes> volumes_;
  ExtensionGuard<HostDescription, GuardedHostDescription> description_;
  ExtensionGuard<HostUpdate, GuardedHostUpdate> update_;
  ExtensionGuard<HostLook, GuardedHostLook> look_;
  const CallSite& hosts_;
  const CallSite& ensure_;
  const CallSite& remove_;
  const CallSite& list_;
};

}  // namespace

std::unique_ptr<HostProvider> Guard(std::unique_ptr<HostProvider> provider, PluginRecord& plugin) {
  return std::make_unique<GuardedHostProvider>(std::move(provider), plugin);
}

}  // namespace a4c::plugin
