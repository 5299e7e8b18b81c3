// Workspaces with a ttl: gives each that has outlived it a workspace.delete job, and
// another one if that fails for good.
#pragma once

#include <cstdint>
#include <memory>

#include "a4c/collection.h"
#include "apps/a4cd/jobs/job_service.h"

namespace a4cd {

struct ExpiryOptions {
  int64_t period_ms = 10'000;
  int batch_max = 100;
  int64_t again_after_ms = 5 * 60'000;  // of one whose delete has failed
};

// All outlive the loop. Several instances may run it: of two deletes of a workspace one is made.
std::unique_ptr<a4c::Loop> NewExpiryLoop(a4c::Database& database, JobService& jobs,
                                         const a4c::Runtime& runtime,
                                         const ExpiryOptions& options = {});

}  // namespace a4cd
