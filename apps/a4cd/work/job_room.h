// Room on a server that a job holds while it is at work there: an image that is built, or sent.
#pragma once

#include <functional>
#include <optional>

#include "apps/a4cd/placement/reservations.h"
#include "apps/a4cd/work/job_run.h"
#include "apps/a4cd/work/outcome.h"

namespace a4cd {

// Reserves it in the job's name on request.server, unless an attempt before has left it reserved;
// `step` is in the same commit. Nothing, once it is there; else what becomes of the job instead.
a4c::Result<std::optional<Outcome>> ReserveForJob(
    JobRun& run, const PlacementRequest& request,
    const std::function<void(Draft&, const Decision&)>& step);

// Gives it back: the server has confirmed that nothing is at work there any more. False: gone.
a4c::Result<bool> ReleaseOfJob(JobRun& run, const std::string& host);

}  // namespace a4cd
