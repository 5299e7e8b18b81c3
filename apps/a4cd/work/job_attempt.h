// One attempt at a job that was claimed: by a worker, or by the instance to which a client has sent
// what the job needs.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "apps/a4cd/work/job_log.h"
#include "apps/a4cd/work/job_run.h"
#include "apps/a4cd/work/lease_keeper.h"
#include "apps/a4cd/work/outcome.h"

namespace a4cd {

// What the attempt does.
using JobStep = std::function<a4c::Result<Outcome>(JobRun& run, JobLog& log)>;

// [one thread]
class JobAttempts {
 public:
  // holder: who this is, as it stands in the leases.
  JobAttempts(WorkContext& context, std::string holder);

  // An error: the job could not be read or ended. Then its lease is left to expire.
  a4c::Result<void> Run(const a4c::Call& call, const JobClaim& claim, const JobStep& step);
  // Without an attempt: another one may claim it at once.
  a4c::Result<void> GiveBack(const JobClaim& claim);

 private:
  a4c::Result<void> RunJob(JobRun& run, const a4c::Call& call, const JobStep& step);
  a4c::Result<Outcome> Try(JobRun& run, JobLog& log, const JobStep& step);
  a4c::Result<void> KnowServers(const JobRun& run);
  a4c::Result<void> End(JobRun& run, const Outcome& outcome);
  a4c::Result<void> Free(const JobRun& run);
  void Note(const JobRun& run);

  WorkContext& context_;
  const std::string holder_;
  LeaseKeeper keeper_;
  bool is_free_ = false;  // the lease of the job was given up in the batch that ended the attempt
};

}  // namespace a4cd
