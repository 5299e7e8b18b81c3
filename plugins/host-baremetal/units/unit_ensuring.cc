#include "units/unit_ensuring.h"

#include <algorithm>
#include <utility>

#include "docker/docker_errors.h"
#include "images/image_names.h"

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

// A kill of dockerd in the middle of a start leaves a task that containerd keeps and dockerd does
// not know. No start of this container succeeds any more; one of a new id does. "In use": the task
// has a process, which a4c-host ends; without it a second one beside it would be worse than none.
bool IsStuck(const Container& container, const DockerReply& reply, bool helper) {
  if (reply.ok()) return false;
  const std::string message = DockerMessage(reply.body);
  if (message == "id already in use") return helper;
  const size_t task = message.find("task " + container.id);
  return task != std::string::npos && message.find("already exists", task) != std::string::npos;
}

Result<std::optional<UnitStatus>> Ensuring::Start(const Container& container) {
  A4C_TRY(const DockerReply reply, effects_.Start(container));
  if (IsStuck(container, reply, effects_.has_helper())) {
    A4C_CHECK(effects_.CheckKept(container));
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
    A4C_CHECK(effects_.CheckKept(*found));
    A4C_CHECK(effects_.Delete(*found));
    return std::optional<UnitStatus>();
  }
  if (unit_.wanted == UnitWanted::kStopped) {
    // What dockerd calls stopped may run without its knowledge; a4c-host looks.
    if (found->running || effects_.has_helper()) A4C_CHECK(effects_.Stop(*found));
    return Status();
  }
  A4C_CHECK(effects_.RefreshVolume(*found, unit_.spec.disk_bytes));
  return found->running ? Status() : Start(*found);
}

}  // namespace

Result<UnitStatus> EnsureBy(BaremetalServers& servers, const Call& call, const Unit& unit,
                            UnitEffects& effects) {
  return Ensuring(servers, call, unit, effects).Run();
}

Result<UnitStatus> WithImage(BaremetalServers& servers, HostImageSupply& supply, const Call& call,
                             const Unit& unit, const std::function<Result<UnitStatus>()>& once) {
  Result<UnitStatus> status = once();
  const bool is_missing = !status && status.error().code() == Code::kNotFound;
  const std::string& image = unit.spec.image;
  if (!is_missing ||
      FindRegistry(servers.options.registries, ParseImageName(image).registry) == nullptr) {
    return status;
  }
  A4C_CHECK(supply.Pull(call, unit.host, image, [](std::string_view) {}));
  return once();
}

}  // namespace a4c::baremetal
