// What the fault decorators share: drawing a fault for a call, and what it does to calls that
// either read or have one effect.
#pragma once

#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "a4c/call.h"
#include "a4c/result.h"
#include "tests/support/fault_policy.h"

namespace a4c::testing {

class FaultSource {
 public:
  FaultSource(FaultPolicy& policy, const Runtime& runtime)
      : policy_(policy), waiter_(runtime.threads.NewWaiter()) {}

  // The fault of this call. A delay is over when it returns; one that outlasts the call ends it
  // with kTimeout or kCanceled, as a back end that gives up in time would: see Refusal.
  FaultDraw Next(const Call& call, std::string_view name);

  // An effect: F() is the call itself, giving a Result. Handles all faults but kReorder and kDrop.
  template <typename F>
  auto Effect(const Call& call, std::string_view name, const F& apply) -> decltype(apply()) {
    return Effect(Next(call, name), call, name, apply);
  }
  template <typename F>
  auto Effect(const FaultDraw& draw, const Call& call, std::string_view name, const F& apply)
      -> decltype(apply()) {
    if (auto refusal = Refusal(draw, call, name)) return *std::move(refusal);
    if (draw.fault == Fault::kUnknownBefore) return Unknown(name);
    auto result = apply();
    if (draw.fault == Fault::kUnknownAfter) return Unknown(name);
    if (draw.fault == Fault::kDuplicate && result) result = apply();
    return result;
  }

  // A read: a lost answer to it is a failure like any other.
  template <typename F>
  auto Read(const Call& call, std::string_view name, const F& read) -> decltype(read()) {
    FaultDraw draw = Next(call, name);
    const bool is_lost = draw.fault == Fault::kUnknownBefore || draw.fault == Fault::kUnknownAfter;
    if (is_lost) draw.fault = Fault::kError;
    if (auto refusal = Refusal(draw, call, name)) return *std::move(refusal);
    return read();
  }

  // The error of a call of which nothing is done, if it is that.
  static std::unique_ptr<Error> Refusal(const FaultDraw& draw, const Call& call,
                                        std::string_view name);
  static Error Unknown(std::string_view name);

 private:
  FaultPolicy& policy_;
  const std::unique_ptr<Waiter> waiter_;
};

// A permutation of 0 to count - 1, from bits.
std::vector<size_t> Shuffled(size_t count, uint64_t bits);

}  // namespace a4c::testing
