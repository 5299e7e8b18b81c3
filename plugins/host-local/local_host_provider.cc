#include "local_host_provider.h"

#include <utility>

#include "units/local_servers.h"

namespace a4c::local {
namespace {

class LocalHostProvider final : public HostProvider {
 public:
  LocalHostProvider(const Runtime& runtime, const LocalOptions& options,
                    std::unique_ptr<LocalServers> servers)
      : servers_(std::move(servers)),
        logs_(NewLocalLogs(*servers_)),
        exec_(NewLocalExec(*servers_, runtime, options.commands_max)),
        streams_(NewLocalStreams(*servers_, runtime, options.streams_max)),
        enrolment_(NewLocalEnrolment(*servers_, runtime, options)),
        activity_(NewLocalActivity(*servers_)),
        volumes_(NewLocalVolumes(*servers_)),
        description_(NewLocalDescription(*servers_)),
        update_(NewLocalUpdate(*servers_)) {}

  Result<std::vector<Host>> Hosts(const Call& call) override {
    if (call.Stopping()) return Error(Code::kCanceled, "the caller has gone");
    std::vector<Host> hosts;
    for (const auto& server : servers_->All()) hosts.push_back(server->Measure(call));
    return hosts;
  }
  Result<UnitStatus> Ensure(const Call& call, const Unit& unit) override {
    A4C_CHECK(CheckUnit(unit));
    A4C_TRY(const std::shared_ptr<LocalServer> server, servers_->Find(call, unit.host));
    return server->Ensure(call, unit);
  }
  Result<void> Remove(const Call& call, const std::string& host, const std::string& name,
                      const Fence& fence) override {
    A4C_CHECK(CheckUnitName(name));
    A4C_CHECK(CheckFence(fence));
    A4C_TRY(const std::shared_ptr<LocalServer> server, servers_->Find(call, host));
    return server->Remove(call, name, fence);
  }
  Result<std::vector<UnitStatus>> List(const Call& call, const std::string& host) override {
    A4C_TRY(const std::shared_ptr<LocalServer> server, servers_->Find(call, host));
    return server->List(call);
  }

 protected:
  void* Extension(std::string_view name) override {
    if (name == HostLogs::kExtension) return logs_.get();
    if (name == HostExec::kExtension) return exec_.get();
    if (name == HostStreams::kExtension) return streams_.get();
    if (name == HostEnrolment::kExtension) return enrolment_.get();
    if (name == HostActivity::kExtension) return activity_.get();
    if (name == HostVolumes::kExtension) return volumes_.get();
    if (name == HostDescription::kExtension) return description_.get();
    if (name == HostUpdate::kExtension) return update_.get();
    return nullptr;
  }

 private:
  const std::unique_ptr<LocalServers> servers_;  // before what refers to it
  const std::unique_ptr<HostLogs> logs_;
  const std::unique_ptr<HostExec> exec_;
  const std::unique_ptr<HostStreams> streams_;
  const std::unique_ptr<HostEnrolment> enrolment_;
  const std::unique_ptr<HostActivity> activity_;
  const std::unique_ptr<HostVolumes> volumes_;
  const std::unique_ptr<HostDescription> description_;
  const std::unique_ptr<HostUpdate> update_;
};

}  // namespace

Result<std::unique_ptr<HostProvider>> NewLocalHostProvider(const Runtime& runtime,
                                                           LocalOptions options) {
  auto servers = std::make_unique<LocalServers>();
  for (const LocalServerOptions& server : options.servers) {
    A4C_TRY(std::unique_ptr<LocalServer> opened, LocalServer::Open(runtime, options, server));
    servers->entries[server.id] = {server, std::move(opened)};
  }
  return std::unique_ptr<HostProvider>(
      std::make_unique<LocalHostProvider>(runtime, options, std::move(servers)));
}

}  // namespace a4c::local
