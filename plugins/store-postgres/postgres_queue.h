// WriteQueue: group commit. Batches wait here while commits are in flight, and each commit takes as
// many as have gathered: no timer, so a lone batch goes at once.
//
// A group holds at most one batch per record, and no record is in two groups at once. Batches of
// one call keep their order: one goes only when those before it are decided or in the same group.
// Groups are flushed on threads of the queue's own, not by the callers: a caller whose deadline
// passes can leave, and none works for others past its own deadline. [any thread]
#pragma once

#include <memory>
#include <vector>

#include "a4c/call.h"
#include "a4c/clock.h"
#include "postgres_group.h"
#include "postgres_options.h"

namespace a4c::postgres {

// Commits groups; Flush is called from several threads and finishes every item.
class GroupWriter {
 public:
  virtual ~GroupWriter() = default;
  virtual void Flush(const Group& group, const std::stop_token& stop) = 0;
};

class WriteQueue {
 public:
  virtual ~WriteQueue() = default;  // finishes what still waits as not applied
  // Queues the items of a submission and waits until all are finished. Past the call's deadline
  // what still waits is not applied, and what is in flight unknown; kExhausted: the queue is full.
  virtual void Submit(const Call& call, Submission& submission, std::vector<ItemPtr> items) = 0;
};

// writer and options outlive the queue.
std::unique_ptr<WriteQueue> NewWriteQueue(GroupWriter& writer, const Options& options,
                                          const Runtime& runtime);

}  // namespace a4c::postgres
