// Forgets what a tag was among a tenant's builds (jobs/built_image.h) once it can be of no use: no
// workspace is made of that build, and no server has its image. As long as one server does not
// answer, and so may have any of them, all stay.
#pragma once

#include <cstdint>
#include <memory>

#include "a4c/collection.h"
#include "a4c/host_images.h"
#include "apps/a4cd/hosts/disk_service.h"

namespace a4cd {

struct BuildsLoopOptions {
  int64_t period_ms = 3'600'000;    // of rounds over all builds
  int64_t pause_ms = 10'000;        // between the parts of one
  int64_t host_timeout_ms = 5'000;  // for the answer of one server
  int builds_max = 50;              // in one part
};

// All outlive the loop. To be run as a singleton, though several at once do no harm.
std::unique_ptr<a4c::Loop> NewBuildsLoop(a4c::Database& database, a4c::HostImageSupply& images,
                                         DiskService& disks, const a4c::Runtime& runtime,
                                         const BuildsLoopOptions& options = {});

}  // namespace a4cd
