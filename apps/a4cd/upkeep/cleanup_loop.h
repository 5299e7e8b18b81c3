// Makes host.cleanup jobs: for every server at the turn of a period, and at once for one whose disk
// is filled beyond the upper mark, of which it warns. The jobs say what went.
#pragma once

#include <cstdint>
#include <memory>

#include "a4c/collection.h"
#include "apps/a4cd/hosts/cleanup_policy.h"
#include "apps/a4cd/hosts/disk_service.h"
#include "apps/a4cd/jobs/job_service.h"

namespace a4cd {

struct CleanupOptions {
  CleanupPolicy policy = {};
  int64_t look_period_ms = 60'000;
  int64_t period_ms = 24 * 3'600'000LL;     // of rounds over all servers; 0: none
  int64_t pressed_period_ms = 10 * 60'000;  // between runs on one that stays full
};

// All outlive the loop. To be run as a singleton; two at once make the same jobs once.
std::unique_ptr<a4c::Loop> NewCleanupLoop(a4c::Database& database, JobService& jobs,
                                          DiskService& disks, const a4c::Runtime& runtime,
                                          const CleanupOptions& options);

}  // namespace a4cd
