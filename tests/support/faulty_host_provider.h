// A host provider with faults: wraps another, which outlives it. [any thread]
//
// Faults of "HostProvider.Ensure" and "HostProvider.Remove": kError, kDelay, kUnknownBefore,
// kUnknownAfter, kDuplicate (both are idempotent); "HostProvider.Hosts" and "HostProvider.List":
// kError, kDelay. Extensions are those of the inner one, without faults.
#pragma once

#include "a4c/host_provider.h"
#include "tests/support/fault_policy.h"
#include "tests/support/faulty_call.h"

namespace a4c::testing {

class FaultyHostProvider final : public HostProvider {
 public:
  FaultyHostProvider(HostProvider& inner, FaultPolicy& policy, const Runtime& runtime)
      : inner_(inner), faults_(policy, runtime) {}

  Result<std::vector<Host>> Hosts(const Call& call) override;
  Result<UnitStatus> Ensure(const Call& call, const Unit& unit) override;
  Result<void> Remove(const Call& call, const std::string& host, const std::string& name,
                      const Fence& fence) override;
  Result<std::vector<UnitStatus>> List(const Call& call, const std::string& host) override;

 protected:
  void* Extension(std::string_view name) override;

 private:
  HostProvider& inner_;
  FaultSource faults_;
};

}  // namespace a4c::testing
