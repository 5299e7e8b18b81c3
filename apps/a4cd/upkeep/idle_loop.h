// Workspaces with idle_stop: gives each that was idle for so long a workspace.stop job that says
// why. Idle: no session (session_at is not refreshed), no job, and next to no processor time.
//
// What was seen of a workspace stands beside its record, so that another instance goes on with it:
// cpu_ms and cpu_at, the last reading; active_at, when it last did something.
#pragma once

#include <cstdint>
#include <memory>

#include "a4c/collection.h"
#include "a4c/host_activity.h"
#include "apps/a4cd/jobs/job_service.h"

namespace a4cd {

struct IdleOptions {
  int64_t period_ms = 30'000;
  int64_t cpu_millis = 20;  // what uses less of a processor, on the average of a period, is idle
  int64_t host_timeout_ms = 10'000;  // for the answer of one server
  int hosts_at_once = 1;             // asked by as many threads
  int batch_max = 500;
};

// All outlive the loop. To be run as a singleton.
std::unique_ptr<a4c::Loop> NewIdleLoop(a4c::Database& database, a4c::HostActivity& activity,
                                       JobService& jobs, const a4c::Runtime& runtime,
                                       const IdleOptions& options = {});

}  // namespace a4cd
