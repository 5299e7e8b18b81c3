#include "baremetal_servers.h"

#include <utility>

#include "docker/docker_errors.h"

namespace a4c::baremetal {

BaremetalServers::BaremetalServers(const Runtime& given, BaremetalOptions settings)
    : runtime(given),
      options(std::move(settings)),
      waiter(given.threads.NewWaiter()),
      lock(given.threads.NewWaiter()) {
  for (const ServerOptions& server : options.servers) {
    entries[server.id] = {server, std::make_shared<DockerServer>(runtime, server, options)};
  }
}

Result<std::shared_ptr<DockerServer>> BaremetalServers::Find(const Call& call,
                                                             const std::string& host) {
  if (call.Stopping()) return Error(Code::kCanceled, "the caller has gone");
  if (call.Expired()) return Error(Code::kTimeout, "no time left");
  Waiter::Lock held(*lock);
  const auto found = entries.find(host);
  if (found == entries.end()) return Error(Code::kNotFound, "no host is called " + host);
  return found->second.server;
}

std::vector<std::shared_ptr<DockerServer>> BaremetalServers::All() {
  Waiter::Lock held(*lock);
  std::vector<std::shared_ptr<DockerServer>> all;
  for (const auto& [id, entry] : entries) all.push_back(entry.server);
  return all;
}

Result<std::optional<Container>> BaremetalServers::FindContainer(const Call& call,
                                                                 DockerConnection& docker,
                                                                 const std::string& name) const {
  A4C_TRY(const DockerReply reply,
          docker.Exchange(call, {.method = "GET", .target = "/containers/" + name + "/json"}));
  if (reply.status == 404) return std::optional<Container>();
  if (!reply.ok()) return DockerError(reply.status, reply.body, false);
  A4C_TRY(const Json json, ParseJson(reply.body, {.bytes_max = reply.body.size() + 1}));
  Container container = ReadContainer(json);
  // dockerd also finds a container by the beginning of its id.
  if (container.name != name) return std::optional<Container>();
  return std::optional<Container>(std::move(container));
}

Result<Container> BaremetalServers::FindOurs(const Call& call, DockerConnection& docker,
                                             const std::string& name) const {
  A4C_TRY(std::optional<Container> container, FindContainer(call, docker, name));
  if (!container || container->cluster != options.cluster) {
    return Error(Code::kNotFound, "there is no unit " + name);
  }
  return *std::move(container);
}

}  // namespace a4c::baremetal
