// What goes wrong, and when: asked by the fault decorators (faulty_store.h, faulty_bus.h, ...) at
// every call. A policy draws from a seed, or follows a script.
//
//   SeededRandom random(seed);
//   const auto policy = NewRandomFaults(random, {.error = 0.05, .unknown_after = 0.02});
//   FaultyStore store(real, *policy, runtime);
//
// All methods [any thread]; with several threads, who meets which fault is up to them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/clock.h"

namespace a4c::testing {

enum class Fault : uint8_t {
  kNone,
  kError,          // nothing is done: Code::kUnavailable
  kUnknownBefore,  // nothing is done, and the caller cannot know: kUnknownOutcome
  kUnknownAfter,   // it is done, and the caller cannot know
  kDelay,          // it is done late: FaultDraw::delay_ms on the Runtime's clock
  kDuplicate,      // it is done twice
  kReorder,        // the items of the call in another order, as far as the contract allows
  kDrop,           // said to be done, and not: hints only
  kRebalance,      // Poll only: the member leaves its group and joins again
};

struct FaultDraw {
  Fault fault = Fault::kNone;
  int64_t delay_ms = 0;
  uint64_t bits = 0;  // for what the fault itself has to choose
};

class FaultPolicy {
 public:
  virtual ~FaultPolicy() = default;
  // call: "Store.Apply", "Subscription.Poll", ... A fault that the call cannot have is none.
  virtual FaultDraw Next(std::string_view call) = 0;
};

// Probabilities, of each call; their sum is at most 1.
struct FaultRates {
  double error = 0;
  double unknown_before = 0;
  double unknown_after = 0;
  double delay = 0;
  double duplicate = 0;
  double reorder = 0;
  double drop = 0;
  double rebalance = 0;
  int64_t delay_ms_max = 1'000;
};
// random outlives the policy.
std::unique_ptr<FaultPolicy> NewRandomFaults(Random& random, const FaultRates& rates);

// By call, the faults of its first calls in order; then none.
using FaultScript = std::map<std::string, std::vector<FaultDraw>, std::less<>>;
std::unique_ptr<FaultPolicy> NewScriptedFaults(const Runtime& runtime, FaultScript script);

}  // namespace a4c::testing
