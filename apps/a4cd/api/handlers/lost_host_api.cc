// A server that is gone for good, as an operator says: removed with all that was there.
#include <algorithm>
#include <optional>
#include <utility>

#include "apps/a4cd/api/commit.h"
#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/api/handlers/host_changes.h"
#include "apps/a4cd/hosts/lost_server.h"
#include "apps/a4cd/worker.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Result;

// What answers has a word of its own.
Result<void> CheckSilent(const HostRecord& host) {
  const bool answers = host.figures && host.figures->host.reachable;
  if (!answers) return {};
  return Error(Code::kConflict, "the server " + host.id + " answers, so it is not gone",
               "drain it, delete what stays, and remove it as it is: a4c host drain " + host.id);
}

// A record that is removed while a config names its server is made again.
Result<void> CheckNotConfigured(ApiContext& api, const Request& request, const HostRecord& host) {
  if (host.spec) return {};
  A4C_TRY(const bool is_named, api.worker->disks().Knows(api.CallFor(request), host.id));
  if (!is_named) return {};
  return Error(Code::kConflict, "the server " + host.id + " stands in the host provider's config",
               "take it out of hosts.config, restart the instances one by one, and say it again");
}

class Losing {
 public:
  Losing(ApiContext& api, const Request& request) : api_(api), request_(request) {}

  // May be asked more than once, and goes on.
  Result<PreparedWrite> Prepare() {
    A4C_TRY(HostRecord host, FindSilent());
    A4C_TRY(const std::optional<int64_t> match, IfMatch(request_));
    const bool is_meant = !match || *match == 0 || *match == host.rev;
    // Refused by MakeWrite, before anything is let go.
    if (!is_meant) return RemovalOf(api_, request_, host);
    A4C_CHECK(LetGoOfLost(api_.CallFor(request_), api_.database, api_.worker->reservations(),
                          host.id, counts_));
    A4C_TRY(host, FindHost(api_, request_));
    A4C_TRY(PreparedWrite write, RemovalOf(api_, request_, host));
    write.view.AppendMember("lost", true);
    write.view.AppendMember("workspaces", counts_.workspaces);
    write.view.AppendMember("snapshots", counts_.snapshots);
    return write;
  }

 private:
  // Asked now, as far as anybody can: what was read last may be a while ago. One that cannot be
  // asked is told by what the others know of it.
  Result<HostRecord> FindSilent() {
    A4C_CHECK(FindHost(api_, request_));
    if (!std::exchange(has_looked_, true)) {
      (void)api_.worker->disks().Look(api_.CallFor(request_), request_.Param("id"));
    }
    A4C_TRY(HostRecord host, FindHost(api_, request_));
    A4C_CHECK(CheckSilent(host));
    A4C_CHECK(CheckNotConfigured(api_, request_, host));
    A4C_CHECK(CheckCordoned(host));
    return host;
  }

  ApiContext& api_;
  const Request& request_;
  bool has_looked_ = false;
  LostCounts counts_;
};

}  // namespace

Response RemoveLostHost(ApiContext& api, Request& request) {
  request.deadline_ms =
      api.runtime.clock.MonotonicMs() + std::max(api.settings.enrol_timeout_ms, int64_t{1});
  Losing losing(api, request);
  return MakeWrite(api, request, {}, [&] { return losing.Prepare(); });
}

}  // namespace a4cd
