// A worker: claims the most urgent job that is due, runs it, ends it, and looks for the next one.
// Of one subject the oldest unfinished job goes first; many workers in many processes share the
// work by leases on the store's clock.
#pragma once

#include <memory>

#include "a4c/collection.h"
#include "apps/a4cd/work/busy_workers.h"
#include "apps/a4cd/work/job_attempt.h"
#include "apps/a4cd/work/job_desk.h"
#include "apps/a4cd/work/work_context.h"

namespace a4cd {

// number: of the worker within its process. Context, desk and busy outlive the loop. A step does
// one job and takes as long as the job does. step: what is done with a job.
std::unique_ptr<a4c::Loop> NewWorkLoop(WorkContext& context, JobDesk& desk, BusyWorkers& busy,
                                       int number, JobStep step);

}  // namespace a4cd
