// image.build: the part that does not care where the context comes from.
#pragma once

#include <cstddef>
#include <cstdint>

#include "a4c/host_images.h"
#include "apps/a4cd/work/job_log.h"
#include "apps/a4cd/work/job_run.h"
#include "apps/a4cd/work/outcome.h"

namespace a4cd {

// A context goes through in pieces of this size at most.
inline constexpr size_t kContextPieceBytes = 64 << 10;

// Takes a server that fits and builds there. Nothing of tar is read before a server is taken.
a4c::Result<Outcome> BuildImageFrom(JobRun& run, JobLog& log, const a4c::ByteSource& tar,
                                    int64_t context_bytes);

}  // namespace a4cd
