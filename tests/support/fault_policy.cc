#include "tests/support/fault_policy.h"

#include <algorithm>
#include <utility>

namespace a4c::testing {
namespace {

class RandomFaults final : public FaultPolicy {
 public:
  RandomFaults(Random& random, const FaultRates& rates) : random_(random), rates_(rates) {}

  FaultDraw Next(std::string_view) override {
    const std::pair<Fault, double> rates[] = {
        {Fault::kError, rates_.error},
        {Fault::kUnknownBefore, rates_.unknown_before},
        {Fault::kUnknownAfter, rates_.unknown_after},
        {Fault::kDelay, rates_.delay},
        {Fault::kDuplicate, rates_.duplicate},
        {Fault::kReorder, rates_.reorder},
        {Fault::kDrop, rates_.drop},
        {Fault::kRebalance, rates_.rebalance},
    };
    double left = static_cast<double>(random_.Next() >> 11) * 0x1p-53;  // uniform in [0, 1)
    for (const auto& [fault, rate] : rates) {
      if (left < rate) return Draw(fault);
      left -= rate;
    }
    return {};
  }

 private:
  FaultDraw Draw(Fault fault) {
    FaultDraw draw{.fault = fault, .bits = random_.Next()};
    const auto span = static_cast<uint64_t>(std::max<int64_t>(rates_.delay_ms_max, 1));
    if (fault == Fault::kDelay) draw.delay_ms = 1 + static_cast<int64_t>(draw.bits % span);
    return draw;
  }

  Random& random_;
  const FaultRates rates_;
};

class ScriptedFaults final : public FaultPolicy {
 public:
  ScriptedFaults(const Runtime& runtime, FaultScript script)
      : lock_(runtime.threads.NewWaiter()), script_(std::move(script)) {}

  FaultDraw Next(std::string_view call) override {
    Waiter::Lock lock(*lock_);
    const auto found = script_.find(call);
    if (found == script_.end() || found->second.empty()) return {};
    const FaultDraw draw = found->second.front();
    found->second.erase(found->second.begin());
    return draw;
  }

 private:
  const std::unique_ptr<Waiter> lock_;
  FaultScript script_;
};

}  // namespace

std::unique_ptr<FaultPolicy> NewRandomFaults(Random& random, const FaultRates& rates) {
  return std::make_unique<RandomFaults>(random, rates);
}

std::unique_ptr<FaultPolicy> NewScriptedFaults(const Runtime& runtime, FaultScript script) {
  return std::make_unique<ScriptedFaults>(runtime, std::move(script));
}

}  // namespace a4c::testing
