// ListReader: pages of what people list. Where the store has replicas, and whoever asks lets the
// answer be a little old, one of them is read; else the primary. Nothing is decided by these pages:
// claims, placement, sync and the reconciler read the Database. [any thread]
#pragma once

#include <utility>

#include "a4c/collection.h"
#include "a4c/replicas.h"

namespace a4cd {

class ListReader {
 public:
  // replicas null: the store reads one server only.
  ListReader(a4c::Database& database, a4c::Replicas* replicas)
      : database_(database), replicas_(replicas) {}

  // The call's scopes hold for both. stale_ms_max 0: the page is current.
  a4c::Result<a4c::ReplicaScan> Scan(const a4c::Call& call, const a4c::ScanRequest& request,
                                     bool may_be_old) {
    if (may_be_old && replicas_ != nullptr) return replicas_->ScanReplica(call, request);
    A4C_TRY(a4c::ScanAnswer scan, database_.Scan(call, request));
    return a4c::ReplicaScan{.scan = std::move(scan)};
  }

 private:
  a4c::Database& database_;
  a4c::Replicas* const replicas_;
};

}  // namespace a4cd
