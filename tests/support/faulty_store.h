// A store with faults: wraps another, which outlives it. [any thread]
//
// Faults of "Store.Apply": kError, kDelay; kUnknownBefore and kUnknownAfter, of the whole call or,
// as the bits say, of some of its batches; "Store.Get" and "Store.Scan": kError, kDelay;
// "Store.Ensure": kError, kDelay, kUnknownBefore, kUnknownAfter, kDuplicate (it is idempotent). It
// has no extensions: those of core, over this store, meet its faults.
#pragma once

#include "a4c/store.h"
#include "tests/support/fault_policy.h"
#include "tests/support/faulty_call.h"

namespace a4c::testing {

class FaultyStore final : public Store {
 public:
  FaultyStore(Store& inner, FaultPolicy& policy, const Runtime& runtime)
      : inner_(inner), faults_(policy, runtime) {}

  Result<void> Ensure(const Call& call, std::span<const Kind> kinds) override;
  Result<ApplyAnswer> Apply(const Call& call, std::span<const WriteBatch> batches) override;
  Result<GetAnswer> Get(const Call& call, std::span<const RecordRef> refs) override;
  Result<ScanAnswer> Scan(const Call& call, const ScanRequest& request) override;

 private:
  Result<ApplyAnswer> ApplyLosing(const Call& call, std::span<const WriteBatch> batches,
                                  const FaultDraw& draw);

  Store& inner_;
  FaultSource faults_;
};

}  // namespace a4c::testing
