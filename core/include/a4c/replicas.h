// Replicas: scans that may be a little old, with how old they are at most.
//
// An extension of Store: null where the back end reads one server only, whose every answer is
// current. Store::Scan with replica_ok reads the same way and does not tell. Leases, placement,
// sync and whatever decides by what it reads never use it.
//
//   if (Replicas* replicas = store.As<Replicas>()) {
//     A4C_TRY(ReplicaScan page, replicas->ScanReplica(call, request));   // page.stale_ms_max: 0 to
//     the bound
//   }
#pragma once

#include <cstdint>
#include <string_view>

#include "a4c/call.h"
#include "a4c/result.h"
#include "a4c/store.h"

namespace a4c {

struct ReplicaScan {
  ScanAnswer scan;
  // The answer holds every batch that was applied more than so long before the call.
  int64_t stale_ms_max = 0;
};

class Replicas {
 public:
  static constexpr std::string_view kExtension = "replicas";
  virtual ~Replicas() = default;

  // As Store::Scan, from a replica within the store's own bound of staleness, or, where none is,
  // from the primary. [any thread]
  virtual Result<ReplicaScan> ScanReplica(const Call& call, const ScanRequest& request) = 0;
};

}  // namespace a4c
