// Group commit: a Store over a Store that gathers concurrent calls of Apply into one.
//
// While one Apply of the store below is in flight, further batches gather; the next one takes them
// all, in the order in which they came. There is no timer and no thread: a lone caller never waits,
// and many callers share one flush of the log. Get calls are gathered in the same way. Ensure and
// Scan go straight through.
//
// Fates are never shared. Each caller gets the results of its own batches, whatever became of the
// others; an error that a retry would not help is told only to those whose own batches meet it. Of
// the callers that wait the one with the latest deadline leads, and the flush has that deadline: no
// caller's work ends by another's deadline, and one whose own passes can leave.
#pragma once

#include <cstdint>
#include <memory>

#include "a4c/clock.h"
#include "a4c/store.h"

namespace a4c {

// Bounds of what waits, past which a call is kExhausted at once (one that finds nobody waiting may
// always wait), and of what shares an Apply (one call always may have one alone).
struct GroupCommitOptions {
  int flushers = 2;  // Apply calls in flight at once
  int group_batches_max = 512;
  int64_t group_bytes_max = 16 << 20;
  int queue_batches_max = 8192;
  int64_t queue_bytes_max = 256 << 20;
};

// `store` outlives the result. All methods [any thread].
A4C_API std::unique_ptr<Store> NewGroupCommit(Store& store, const Runtime& runtime,
                                              const GroupCommitOptions& options = {});

}  // namespace a4c
