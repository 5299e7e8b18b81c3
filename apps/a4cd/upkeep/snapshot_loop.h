// Snapshots that are past their time, and those that were not made whole: gives each a
// snapshot.delete job.
#pragma once

#include <cstdint>
#include <memory>

#include "a4c/collection.h"
#include "apps/a4cd/jobs/job_service.h"

namespace a4cd {

struct SnapshotLoopOptions {
  int64_t period_ms = 10'000;
  int batch_max = 100;
};

// All outlive the loop. To be run as a singleton.
std::unique_ptr<a4c::Loop> NewSnapshotLoop(a4c::Database& database, JobService& jobs,
                                           const a4c::Runtime& runtime,
                                           const SnapshotLoopOptions& options = {});

}  // namespace a4cd
