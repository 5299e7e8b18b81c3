#include "baremetal_host_provider.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "baremetal_servers.h"
#include "docker_epochs.h"
#include "docker_errors.h"

namespace a4c::baremetal {
namespace {

constexpr int kAttemptsMax = 100;
constexpr size_t kMeasuredAtOnce = 16;
constexpr int64_t kGonePollMs = 50;

// Remembers that something was done: from then on "nothing was done" cannot be said of the call.
class Effects {
 public:
  void Note() { any_ = true; }
  Error Judge(const Error& error) const {
    const bool undone = error.retryable() || error.code() == Code::kCanceled;
    return any_ && undone ? Error(Code::kUnknownOutcome, error.message(), error.hint()) : error;
  }

 private:
  bool any_ = false;
};

Error EpochTooLow(const std::string& name, int64_t epoch, int64_t highest) {
  return Error(Code::kConflict, "unit " + name + ": epoch " + std::to_string(epoch) +
                                    " is below the highest, " + std::to_string(highest));
}

// One Ensure of one unit over one connection.
class Ensuring {
 public:
  Ensuring(BaremetalServers& servers, const Call& call, const Unit& unit, DockerConnection& docker)
      : servers_(servers),
        call_(call),
        unit_(unit),
        docker_(docker),
        epochs_(servers.options.cluster) {}

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
    return Error(Code::kConflict, "unit " + unit_.name + " is being made and removed by others");
  }

 private:
  // Nothing if someone else made or removed the container meanwhile: look again.
  Result<std::optional<UnitStatus>> Once();
  Result<bool> Create();
  Result<DockerReply> Post(const std::string& target, const std::string& body = {});
  Result<std::optional<UnitStatus>> Start(const Container& container, int64_t epoch);
  Result<void> Stop(const Container& container);
  Result<std::optional<UnitStatus>> Status(int64_t epoch);

  BaremetalServers& servers_;
  const Call& call_;
  const Unit& unit_;
  DockerConnection& docker_;
  const DockerEpochs epochs_;
  Effects effects_;
};

Result<DockerReply> Ensuring::Post(const std::string& target, const std::string& body) {
  auto reply =
      docker_.Exchange(call_, {.method = "POST", .target = target, .body = body, .effect = true});
  if (reply && reply->ok()) effects_.Note();
  return reply;
}

// False if the name is taken by now.
Result<bool> Ensuring::Create() {
  if (unit_.spec.image.empty()) {
    return Error(Code::kUnsupported,
                 "unit " + unit_.name + ": runs in an image, and none is named");
  }
  const Json body = CreateBody(unit_, servers_.options.cluster, servers_.options.unit);
  A4C_TRY(const DockerReply reply, Post("/containers/create?name=" + unit_.name, body.ToString()));
  if (reply.status == 409) return false;
  if (reply.status == 404) {
    return Error(Code::kNotFound, "host " + unit_.host + " has no image " + unit_.spec.image,
                 "build or send it there first");
  }
  if (!reply.ok()) return DockerError(reply.status, reply.body, true);
  return true;
}

Result<std::optional<UnitStatus>> Ensuring::Status(int64_t epoch) {
  A4C_TRY(const auto container, servers_.FindContainer(call_, docker_, unit_.name));
  if (!container) return std::optional<UnitStatus>();
  UnitStatus status = container->status;
  status.host = unit_.host;
  status.epoch = std::max(status.epoch, epoch);
  return std::optional<UnitStatus>(std::move(status));
}

Result<std::optional<UnitStatus>> Ensuring::Start(const Container& container, int64_t epoch) {
  A4C_TRY(const DockerReply reply, Post("/containers/" + container.id + "/start"));
  A4C_TRY(auto status, Status(epoch));
  const bool started = reply.ok() || reply.status == 304;
  // A command that cannot be run is a state of the unit; dockerd keeps the reason with it.
  if (started || !status || status->state == UnitState::kBroken) return status;
  return DockerError(reply.status, reply.body, true);
}

Result<void> Ensuring::Stop(const Container& container) {
  const int64_t seconds = (servers_.options.stop_timeout_ms + 999) / 1000;
  A4C_TRY(const DockerReply reply,
          Post("/containers/" + container.id + "/stop?t=" + std::to_string(seconds)));
  if (reply.ok() || reply.status == 304 || reply.status == 404) return {};
  return DockerError(reply.status, reply.body, true);
}

Result<std::optional<UnitStatus>> Ensuring::Once() {
  A4C_TRY(const auto found, servers_.FindContainer(call_, docker_, unit_.name));
  if (found && found->cluster != servers_.options.cluster) {
    return Error(Code::kConflict,
                 "host " + unit_.host + " has a container " + unit_.name + " that is not ours",
                 "another installation or person made it; choose another name, or remove it there");
  }
  A4C_TRY(const EpochMarkers markers, epochs_.Read(call_, docker_, unit_.name));
  const int64_t label = found ? found->status.epoch : -1;
  const int64_t highest = std::max(label, markers.highest);
  if (unit_.epoch < highest) return EpochTooLow(unit_.name, unit_.epoch, highest);
  if (!found) {
    A4C_TRY(const bool created, Create());
    (void)created;  // either way: read who it is now
    A4C_TRY(const auto made, servers_.FindContainer(call_, docker_, unit_.name));
    if (!made || made->cluster != servers_.options.cluster || made->status.epoch > unit_.epoch) {
      return std::optional<UnitStatus>();
    }
    if (unit_.wanted == UnitWanted::kRunning) return Start(*made, unit_.epoch);
    return Status(unit_.epoch);
  }
  if (found->removing) return std::optional<UnitStatus>();
  if (unit_.epoch > highest) {
    A4C_CHECK(epochs_.Raise(call_, docker_, unit_.name, unit_.epoch));
    effects_.Note();
    A4C_CHECK(epochs_.Drop(call_, docker_, markers, unit_.epoch));
  }
  if (unit_.wanted == UnitWanted::kRunning && !found->running) return Start(*found, unit_.epoch);
  if (unit_.wanted == UnitWanted::kStopped && found->running) A4C_CHECK(Stop(*found));
  return Status(unit_.epoch);
}

class BaremetalHostProvider final : public HostProvider {
 public:
  BaremetalHostProvider(const Runtime& runtime, BaremetalOptions options)
      : servers_(runtime, std::move(options)),
        epochs_(servers_.options.cluster),
        logs_(NewBaremetalLogs(servers_)),
        exec_(NewBaremetalExec(servers_)),
        images_(NewBaremetalImages(servers_)) {}

  Result<std::vector<Host>> Hosts(const Call& call) override;
  Result<UnitStatus> Ensure(const Call& call, const Unit& unit) override;
  Result<void> Remove(const Call& call, const std::string& host, const std::string& name,
                      int64_t epoch) override;
  Result<std::vector<UnitStatus>> List(const Call& call, const std::string& host) override;

 protected:
  void* Extension(std::string_view name) override {
    if (name == HostLogs::kExtension) return logs_.get();
    if (name == HostExec::kExtension) return exec_.get();
    if (name == HostImages::kExtension) return images_.get();
    return nullptr;
  }

 private:
  Result<void> Delete(const Call& call, DockerConnection& docker, const Container& container);

  BaremetalServers servers_;  // before what refers to it
  const DockerEpochs epochs_;
  const std::unique_ptr<HostLogs> logs_;
  const std::unique_ptr<HostExec> exec_;
  const std::unique_ptr<HostImages> images_;
};

Result<std::vector<Host>> BaremetalHostProvider::Hosts(const Call& call) {
  if (call.Stopping()) return Error(Code::kCanceled, "the caller has gone");
  std::vector<DockerServer*> servers;
  for (const auto& [id, server] : servers_.servers) servers.push_back(server.get());
  std::vector<Host> hosts(servers.size());
  std::atomic<size_t> next = 0;
  const auto measure = [&](std::stop_token) {
    for (size_t i = next++; i < servers.size(); i = next++) hosts[i] = servers[i]->Measure(call);
  };
  // One that is out of reach does not keep the others waiting.
  std::vector<std::unique_ptr<Thread>> helpers;
  for (size_t i = 1; i < std::min(servers.size(), kMeasuredAtOnce); ++i) {
    helpers.push_back(servers_.runtime.threads.Start("bm-hosts", measure));
  }
  measure({});
  for (const auto& helper : helpers) helper->Join();
  return hosts;
}

Result<UnitStatus> BaremetalHostProvider::Ensure(const Call& call, const Unit& unit) {
  A4C_CHECK(CheckUnit(unit));
  A4C_TRY(DockerServer * server, servers_.Find(call, unit.host));
  A4C_TRY(DockerLink docker, server->Open(call));
  return Ensuring(servers_, call, unit, *docker).Run();
}

Result<void> BaremetalHostProvider::Delete(const Call& call, DockerConnection& docker,
                                           const Container& container) {
  while (true) {
    A4C_TRY(const DockerReply reply,
            docker.Exchange(call, {.method = "DELETE",
                                   .target = "/containers/" + container.id + "?force=1&v=1",
                                   .effect = true}));
    if (reply.ok() || reply.status == 404) return {};
    // Someone else is removing it: it is gone when it is gone, and that has to be seen.
    const bool removing =
        reply.status == 409 && reply.body.find("already in progress") != std::string::npos;
    if (!removing) return DockerError(reply.status, reply.body, true);
    if (call.Expired() || call.Stopping()) {
      return Error(Code::kUnknownOutcome, "unit " + container.name + " is still being removed");
    }
    Waiter::Lock lock(*servers_.waiter);
    servers_.waiter->Wait(call.clock.MonotonicMs() + kGonePollMs);
  }
}

Result<void> BaremetalHostProvider::Remove(const Call& call, const std::string& host,
                                           const std::string& name, int64_t epoch) {
  A4C_CHECK(CheckUnitName(name));
  A4C_TRY(DockerServer * server, servers_.Find(call, host));
  A4C_TRY(DockerLink docker, server->Open(call));
  A4C_TRY(const auto container, servers_.FindContainer(call, *docker, name));
  A4C_TRY(const EpochMarkers markers, epochs_.Read(call, *docker, name));
  // Another's container of that name is not our unit: ours is not there.
  const bool ours = container && container->cluster == servers_.options.cluster;
  const int64_t highest = std::max(ours ? container->status.epoch : -1, markers.highest);
  if (epoch < highest) return EpochTooLow(name, epoch, highest);
  Effects effects;
  if (ours) {
    A4C_CHECK(Delete(call, *docker, *container));
    effects.Note();
  }
  const auto dropped = epochs_.Drop(call, *docker, markers, INT64_MAX);
  if (!dropped) return effects.Judge(dropped.error());
  return {};
}

Result<std::vector<UnitStatus>> BaremetalHostProvider::List(const Call& call,
                                                            const std::string& host) {
  A4C_TRY(DockerServer * server, servers_.Find(call, host));
  A4C_TRY(DockerLink docker, server->Open(call));
  A4C_TRY(const auto epochs, epochs_.ReadAll(call, *docker));
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
    if (const auto raised = epochs.find(unit); raised != epochs.end()) {
      status.epoch = std::max(status.epoch, raised->second);
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
