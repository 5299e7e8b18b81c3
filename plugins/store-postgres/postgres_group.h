// What waits for a commit: the batches of a call, each an item, and groups of items that share one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "a4c/batch_rules.h"
#include "a4c/clock.h"
#include "a4c/store.h"
#include "postgres_catalog.h"

namespace a4c::postgres {

// A call of Apply. It owns a copy of its batches, so that a caller whose time is up can leave while
// its items are in flight. `results` and `pending` are guarded by the waiter.
struct Submission {
  Submission(CatalogPtr catalog_now, std::span<const WriteBatch> given, const Runtime& runtime,
             int64_t deadline)
      : catalog(std::move(catalog_now)),
        batches(given.begin(), given.end()),
        deadline_ms(deadline),
        waiter(runtime.threads.NewWaiter()),
        results(batches.size()),
        pending(batches.size()) {}

  const CatalogPtr catalog;
  const std::vector<WriteBatch> batches;
  const int64_t deadline_ms;
  const std::unique_ptr<Waiter> waiter;
  std::vector<BatchResult> results;
  size_t pending;
  int64_t store_time_ms = 0;
  bool in_flight = false;  // guarded by the queue: some of its items are in a group

  void Finish(size_t index, BatchResult result, int64_t time_ms) {
    const Waiter::Lock lock(*waiter);
    results[index] = std::move(result);
    if (time_ms != 0) store_time_ms = time_ms;
    if (--pending == 0) waiter->NotifyAll();
  }
};

struct Item {
  std::shared_ptr<Submission> submission;
  size_t index = 0;
  CheckedBatch checked = {};
  // What it writes if none of its records exists: lane 1 may try that without looking.
  std::optional<Verdict> create = {};
  std::vector<std::string> refs = {};  // the records that it names, as text
  size_t bytes = 0;

  void Finish(BatchResult result, int64_t time_ms = 0) const {
    submission->Finish(index, std::move(result), time_ms);
  }
};
using ItemPtr = std::unique_ptr<Item>;
using Group = std::vector<ItemPtr>;

// Checks the batches: those that are wrong in themselves are finished, the others returned.
std::vector<ItemPtr> ItemsOf(const std::shared_ptr<Submission>& submission);

BatchResult NotApplied(Error error);
BatchResult Unknown(Error error);

}  // namespace a4c::postgres
