#include "units/local_servers.h"

#include <utility>

namespace a4c::local {

Result<std::shared_ptr<LocalServer>> LocalServers::Find(const Call& call, const std::string& host) {
  if (call.Stopping()) return Error(Code::kCanceled, "the caller has gone");
  if (call.Expired()) return Error(Code::kTimeout, "no time left");
  const std::lock_guard lock(mutex);
  const auto found = entries.find(host);
  if (found == entries.end()) return Error(Code::kNotFound, "no host is called " + host);
  return found->second.server;
}

Result<LocalUnit> LocalServers::FindUnit(const Call& call, const std::string& host,
                                         const std::string& name) {
  A4C_TRY(const std::shared_ptr<LocalServer> server, Find(call, host));
  A4C_TRY(auto unit, server->Find(name));
  if (!unit) return Error(Code::kNotFound, "host " + host + " has no unit " + name);
  return *std::move(unit);
}

std::vector<std::shared_ptr<LocalServer>> LocalServers::All() {
  const std::lock_guard lock(mutex);
  std::vector<std::shared_ptr<LocalServer>> all;
  for (const auto& [id, entry] : entries) all.push_back(entry.server);
  return all;
}

}  // namespace a4c::local
