// What the provider and its extensions share.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "a4c/host_extensions.h"
#include "local_server.h"

namespace a4c::local {

struct LocalServers {
  // kNotFound: no server is called so. Also refuses a call that has no time left or whose caller
  // has gone.
  Result<LocalServer*> Find(const Call& call, const std::string& host) {
    if (call.Stopping()) return Error(Code::kCanceled, "the caller has gone");
    if (call.Expired()) return Error(Code::kTimeout, "no time left");
    const auto found = servers.find(host);
    if (found == servers.end()) return Error(Code::kNotFound, "no host is called " + host);
    return found->second.get();
  }
  // The unit; kNotFound if there is none.
  Result<LocalUnit> FindUnit(const Call& call, const std::string& host, const std::string& name) {
    A4C_TRY(LocalServer * server, Find(call, host));
    A4C_TRY(auto unit, server->Find(name));
    if (!unit) return Error(Code::kNotFound, "host " + host + " has no unit " + name);
    return *std::move(unit);
  }

  std::map<std::string, std::unique_ptr<LocalServer>> servers;
};

std::unique_ptr<HostLogs> NewLocalLogs(LocalServers& servers);
std::unique_ptr<HostExec> NewLocalExec(LocalServers& servers, const Runtime& runtime,
                                       int64_t commands_max);

}  // namespace a4c::local
