// The image of a workspace that its server lacks, and no registry gives: another server may have
// it.
#pragma once

#include <string>

#include "apps/a4cd/work/job_log.h"
#include "apps/a4cd/work/job_run.h"

namespace a4cd {

// Sends it there from the first server that has it, with room reserved meanwhile. False: no server
// that answers has it.
a4c::Result<bool> SendImage(JobRun& run, JobLog& log, const std::string& image,
                            const std::string& host);

}  // namespace a4cd
