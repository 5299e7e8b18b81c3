// What the handlers of servers share. hosts_api.cc, enrolment_api.cc
#pragma once

#include "apps/a4cd/api/api.h"
#include "apps/a4cd/hosts/host_record.h"
#include "apps/a4cd/jobs/prepared_write.h"

namespace a4cd {

// kUnsupported: this instance has none.
a4c::Error NoHosts();

// The server that the path names.
a4c::Result<HostRecord> FindHost(ApiContext& api, const Request& request);

// What was said of a server that is there.
PreparedWrite HostWrite(ApiContext& api, const HostRecord& before, HostRecord after,
                        const Request& request);

// The server's record and token go, if nothing is reserved there between the read of host and this
// commit.
a4c::Result<PreparedWrite> RemovalOf(ApiContext& api, const Request& request,
                                     const HostRecord& host);
// kConflict: something may be placed there at any moment.
a4c::Result<void> CheckCordoned(const HostRecord& host);
// The same removal of a server that is gone for good, with all that was there. lost_host_api.cc
Response RemoveLostHost(ApiContext& api, Request& request);

// Jobs that no server could take before: one may now. Should this fail they look later by
// themselves.
void WakeRoomWaiters(ApiContext& api);

}  // namespace a4cd
