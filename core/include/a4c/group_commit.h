// Group commit: a Store over a Store that gathers concurrent calls of Apply into one.
//
// While one Apply of the store below is in flight, further batches gather; the next one takes them
// all. There is no timer: a lone caller never waits, and many callers share one flush of the log.
// Fates are never shared: each caller gets the results of its own batches, whatever became of the
// others. Get calls are gathered in the same way. Ensure and Scan go straight through.
#pragma once

#include <cstdint>
#include <memory>

#include "a4c/clock.h"
#include "a4c/store.h"

namespace a4c {

struct GroupCommitOptions {
  int flushers = 2;              // Apply calls in flight at once
  int group_batches_max = 512;   // batches in one Apply
  int queue_batches_max = 8192;  // waiting; past it: kExhausted, at once
};

// `store` outlives the result. All methods [any thread].
A4C_API std::unique_ptr<Store> NewGroupCommit(Store& store, const Runtime& runtime,
                                              const GroupCommitOptions& options = {});

}  // namespace a4c
