// The disk figures of a server that is a directory.
#pragma once

#include <cstdint>

#include "a4c/result.h"
#include "files/local_files.h"

namespace a4c::local {

struct DiskFigures {
  int64_t total_bytes = 0;
  int64_t used_bytes = 0;
  int64_t free_bytes = 0;
};

// With a size of its own, used is what lies below the directory, so that servers on one file system
// differ; without, the figures are the file system's.
Result<DiskFigures> MeasureDisk(int directory, int64_t size_bytes,
                                const std::function<bool()>& go_on);

}  // namespace a4c::local
