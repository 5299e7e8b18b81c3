// Retention: what has had its time goes. Finished jobs older than their state's age become
// tombstones, their log chunks deleted before, in bounded batches; tombstones of workspaces, whose
// removal their server had confirmed, are purged with the lease of their subject; old rows of the
// audit log go. (Tombstones of jobs are purged by core, index first.)
#pragma once

#include <cstdint>
#include <memory>

#include "a4c/collection.h"

namespace a4cd {

struct RetentionOptions {
  int64_t period_ms = 60'000;
  // Per state, counted from when the job finished; 0: kept for ever.
  int64_t succeeded_ms = 30 * 24 * 3'600'000LL;
  int64_t failed_ms = 30 * 24 * 3'600'000LL;
  int64_t canceled_ms = 30 * 24 * 3'600'000LL;
  int64_t audit_ms = 365 * 24 * 3'600'000LL;         // rows of the audit log; 0: for ever
  int64_t tombstone_keep_ms = 7 * 24 * 3'600'000LL;  // workspaces that were deleted
  int jobs_max = 200;                                // of one state in one step
  int rows_max = 50;                                 // log chunks or audit rows in one commit
};

// The database outlives the loop. To be run as a singleton, though several at once do no harm.
std::unique_ptr<a4c::Loop> NewRetentionLoop(a4c::Database& database, const a4c::Runtime& runtime,
                                            const RetentionOptions& options = {});

}  // namespace a4cd
