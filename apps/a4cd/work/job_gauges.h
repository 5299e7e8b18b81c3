// How many jobs are due and wait, and for how long those whose turn it is wait for a worker, as
// metrics: of each process that serves hosts, whether it has workers or not, so that whichever is
// scraped tells of all jobs, also when no worker is left anywhere.
#pragma once

#include <cstdint>
#include <memory>

#include "a4c/collection.h"

namespace a4cd {

struct JobGaugesOptions {
  int64_t period_ms = 15'000;
  int counted_max = 1'000;  // jobs that are read in one look, of long ones and of others
  int of_each_min = 20;     // of each priority, however many there are of others
  int turns_max = 200;      // subjects of which one look asks whose turn it is; of more each is due
};

// All outlive the loop. A look costs one read if nothing is due, and two for each priority of which
// something is; one more of these for the job that waits longest, and for each subject whose jobs
// have been due for longer, and wait for one of their own that is not done.
std::unique_ptr<a4c::Loop> NewJobGauges(a4c::Database& database, const a4c::Runtime& runtime,
                                        const JobGaugesOptions& options = {});

}  // namespace a4cd
