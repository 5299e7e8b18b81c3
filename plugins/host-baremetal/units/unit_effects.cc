#include "units/unit_effects.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "docker/docker_errors.h"
#include "helper_client.h"
#include "images/image_transfer.h"

namespace a4c::baremetal {
namespace {

constexpr int64_t kBusyPollMs = 50;

// The paths that its Dockerfile calls volumes, where it may say "/data/" for "/data".
std::vector<std::string> VolumesOf(const Json& image) {
  std::vector<std::string> paths;
  for (const auto& [path, nothing] : image["Config"]["Volumes"].Members()) {
    const size_t end = path.find_last_not_of('/');
    if (end != std::string::npos) paths.push_back(path.substr(0, end + 1));
  }
  return paths;
}

// dockerd writes them its own way: "/srv//a4c" is "/srv/a4c".
bool IsSamePath(const std::string& one, const std::string& other) {
  return std::filesystem::path(one).lexically_normal() ==
         std::filesystem::path(other).lexically_normal();
}

}  // namespace

Result<std::unique_ptr<UnitEffects>> UnitEffects::Begin(BaremetalServers& servers, const Call& call,
                                                        const std::string& host,
                                                        const std::string& unit,
                                                        const Fence& fence) {
  A4C_TRY(const std::shared_ptr<DockerServer> server, servers.Find(call, host));
  A4C_TRY(DockerLink docker, server->OpenForUnits(call));
  std::unique_ptr<UnitEffects> effects(
      new UnitEffects(servers, call, server, unit, fence, std::move(docker)));
  if (!effects->docker_.helper()) return effects;
  effects->docker_->SetFields(UnitFields(servers.options.cluster, unit, fence, server->token()));
  A4C_CHECK(RaiseFence(call, *effects->docker_));
  return effects;
}

Error UnitEffects::Judge(const Error& error) const {
  return any_ ? AfterEffect(error) : error;
}

Result<std::optional<Container>> UnitEffects::Find() {
  return servers_.FindContainer(call_, *docker_, unit_);
}

bool UnitEffects::IsOurs(const std::optional<Container>& found) const {
  return found && found->cluster == servers_.options.cluster;
}

Result<void> UnitEffects::Admit(const std::optional<Container>& found) {
  if (!docker_.helper()) {
    A4C_TRY(markers_, epochs_.Read(call_, *docker_, unit_));
  }
  const int64_t label = IsOurs(found) ? found->status.epoch : -1;
  markers_.highest = std::max(markers_.highest, label);
  return a4c::Admit(unit_, fence_, markers_.highest);
}

Result<void> UnitEffects::Remember() {
  if (docker_.helper() || fence_.epoch <= markers_.highest) return {};
  A4C_CHECK(epochs_.Raise(call_, *docker_, unit_, fence_.epoch));
  any_ = true;
  return epochs_.Drop(call_, *docker_, markers_, fence_.epoch);
}

Result<DockerReply> UnitEffects::Send(const std::string& method, const std::string& target,
                                      const std::string& body) {
  auto reply =
      docker_->Exchange(call_, {.method = method, .target = target, .body = body, .effect = true});
  if (reply && reply->ok()) any_ = true;
  return reply;
}

// Of a unit whose container is gone for a moment, or that was made before the server had a helper.
Result<bool> UnitEffects::HasDockerVolume() {
  const std::string target = "/volumes/" + VolumeName(servers_.options.cluster, unit_);
  A4C_TRY(const DockerReply reply, docker_->Exchange(call_, {.method = "GET", .target = target}));
  if (!reply.ok() && reply.status != 404) return DockerError(reply.status, reply.body, false);
  return reply.ok();
}

// Empty: a Docker volume, without a limit. What a unit has written stays what it finds.
Result<std::string> UnitEffects::NewVolume(const UnitSpec& spec) {
  if (!docker_.helper() || spec.disk_bytes == 0) return std::string();
  A4C_TRY(const bool has_one, HasDockerVolume());
  if (has_one) return std::string();
  auto path = EnsureVolume(call_, *docker_, spec.disk_bytes);
  if (path) any_ = true;
  return path;
}

Error UnitEffects::LacksImage(const std::string& image) const {
  return Error(Code::kNotFound, "host " + server_->id() + " has no image " + image,
               "build it, send it there, or name an image of a registry that is configured");
}

Result<void> UnitEffects::CheckImage(const std::string& image) {
  if (image.empty()) {
    return Error(Code::kUnsupported, "unit " + unit_ + ": runs in an image, and none is named");
  }
  A4C_TRY(const auto found, FindImage(call_, *docker_, image));
  return found ? Result<void>() : LacksImage(image);
}

Result<bool> UnitEffects::Create(const Unit& unit) {
  if (unit.spec.image.empty()) {
    return Error(Code::kUnsupported, "unit " + unit.name + ": runs in an image, and none is named");
  }
  A4C_TRY(const auto image, InspectImage(call_, *docker_, unit.spec.image));
  if (!image) return LacksImage(unit.spec.image);
  A4C_TRY(const std::string volume, NewVolume(unit.spec));
  const Json body =
      CreateBody(unit, servers_.options.cluster, servers_.options.unit, volume, VolumesOf(*image));
  A4C_TRY(const DockerReply reply,
          Send("POST", "/containers/create?name=" + unit.name, body.ToString()));
  if (reply.status == 409) return false;
  if (reply.status == 404) return LacksImage(unit.spec.image);
  if (!reply.ok()) return DockerError(reply.status, reply.body, true);
  return true;
}

Result<DockerReply> UnitEffects::Start(const Container& container) {
  return Send("POST", "/containers/" + container.id + "/start");
}

Result<void> UnitEffects::Stop(const Container& container) {
  const int64_t seconds = (servers_.options.stop_timeout_ms + 999) / 1000;
  A4C_TRY(const DockerReply reply,
          Send("POST", "/containers/" + container.id + "/stop?t=" + std::to_string(seconds)));
  if (reply.ok() || reply.status == 304 || reply.status == 404) return {};
  return DockerError(reply.status, reply.body, true);
}

Result<void> UnitEffects::RefreshVolume(const Container& container, int64_t bytes) {
  if (!docker_.helper() || !container.own_volume) return {};
  A4C_TRY(const std::string path, GrowVolume(call_, *docker_, bytes));
  if (IsSamePath(path, container.volume_path)) return {};
  return Error(Code::kUnavailable,
               "what unit " + unit_ + " keeps is at " + container.volume_path +
                   ", and a4c-host there keeps what it has at " + path,
               "say in /etc/a4c-host.conf there where it was: data=");
}

Result<void> UnitEffects::CheckKept(const Container& container) {
  if (!container.own_volume) return {};
  if (!docker_.helper()) {
    return Error(Code::kUnsupported,
                 "what unit " + unit_ + " keeps is in a file system that a4c-host made, and host " +
                     server_->id() + " is set to have none",
                 "a4c host update " + server_->id() + " --set helper=true");
  }
  const auto refreshed = RefreshVolume(container, 0);
  // A growth that was broken off goes on once the unit is stopped.
  const bool is_there = refreshed || refreshed.error().code() == Code::kConflict;
  return is_there ? Result<void>() : refreshed;
}

// Lets others go on for a moment.
Result<void> UnitEffects::Pause() {
  if (call_.Expired() || call_.Stopping()) {
    return Error(Code::kUnknownOutcome, "unit " + unit_ + " is still being removed");
  }
  Waiter::Lock lock(*servers_.waiter);
  servers_.waiter->Wait(call_.clock.MonotonicMs() + kBusyPollMs);
  return {};
}

Result<void> UnitEffects::Delete(const Container& container) {
  while (true) {
    A4C_TRY(const DockerReply reply,
            Send("DELETE", "/containers/" + container.id + "?force=1&v=1"));
    if (reply.ok() || reply.status == 404) return {};
    // Someone else is removing it: it is gone when it is gone, and that has to be seen.
    const bool removing =
        reply.status == 409 && reply.body.find("already in progress") != std::string::npos;
    if (!removing) return DockerError(reply.status, reply.body, true);
    A4C_CHECK(Pause());
  }
}

// False while a container uses one of them.
Result<bool> UnitEffects::DeleteVolumes() {
  if (docker_.helper()) {
    const auto removed = RemoveVolume(call_, *docker_);
    if (!removed && removed.error().code() == Code::kConflict) return false;
    if (!removed) return removed.error();
  }
  A4C_TRY(const DockerReply reply,
          Send("DELETE", "/volumes/" + VolumeName(servers_.options.cluster, unit_)));
  if (reply.status == 409) return false;
  if (!reply.ok() && reply.status != 404) return DockerError(reply.status, reply.body, true);
  return true;
}

Result<void> UnitEffects::Remove() {
  while (true) {
    A4C_TRY(const auto found, Find());
    // Another's container of that name is not our unit: ours is not there.
    A4C_CHECK(Admit(found));
    if (found && !IsOurs(found)) return {};
    if (found) A4C_CHECK(Delete(*found));
    A4C_TRY(const bool gone, DeleteVolumes());
    if (gone) return epochs_.Drop(call_, *docker_, markers_, INT64_MAX);
    A4C_CHECK(Pause());
    // Either the same holder makes it again meanwhile, or another one has come.
    if (docker_.helper()) A4C_CHECK(RaiseFence(call_, *docker_));
  }
}

}  // namespace a4c::baremetal
