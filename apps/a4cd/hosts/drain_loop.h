// Draining: the workspaces of a server that is being drained are moved away, one at a time, by
// workspace.move jobs. One that is tied to this server stays, and without volumes also one whose
// `on_drain` is "keep": what it has on its disk would stay behind. GET /v1/hosts/{id} names them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "a4c/collection.h"
#include "apps/a4cd/jobs/job_service.h"

namespace a4cd {

struct DrainOptions {
  int64_t period_ms = 2'000;
  int64_t retry_wait_ms = 5 * 60'000;  // before a workspace whose move failed is tried again
};

// Why a workspace is not moved by a drain of its server; "": it is.
std::string WhyItStays(const Workspace& workspace, bool with_volumes);

// The workspaces of all tenants that have this server.
a4c::Result<std::vector<a4c::Record>> WorkspacesOn(const a4c::Call& call, a4c::Database& database,
                                                   const std::string& host);

// All outlive the loop. To be run as a singleton; two at once make two jobs, of which the second
// moves nothing.
std::unique_ptr<a4c::Loop> NewDrainLoop(a4c::Database& database, JobService& jobs,
                                        const DrainOptions& options);

}  // namespace a4cd
