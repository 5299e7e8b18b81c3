// A bus with faults: wraps another, which outlives it. [any thread]
//
// Faults of "Bus.Publish": kError, kDelay, kDrop (said to be accepted, and lost), kDuplicate,
// kReorder (messages of one key keep their order), kUnknownBefore and kUnknownAfter; "Bus.Flush"
// and "Bus.Subscribe": kError, kDelay; "Subscription.Poll": kError, kDelay, kRebalance (what was
// not acknowledged comes again); "Subscription.Ack": kError, kDelay, kUnknownBefore, kUnknownAfter,
// kDuplicate, and kDrop: an acknowledgement that is lost without a word.
#pragma once

#include "a4c/bus.h"
#include "tests/support/fault_policy.h"
#include "tests/support/faulty_call.h"

namespace a4c::testing {

class FaultyBus final : public Bus {
 public:
  FaultyBus(Bus& inner, FaultPolicy& policy, const Runtime& runtime)
      : inner_(inner), policy_(policy), runtime_(runtime), faults_(policy, runtime) {}

  Result<std::vector<PublishOutcome>> Publish(const Call& call,
                                              std::span<const Message> messages) override;
  Result<int64_t> Flush(const Call& call) override;
  Result<std::unique_ptr<Subscription>> Subscribe(const Call& call, const std::string& topic,
                                                  const std::string& group,
                                                  StartAt start_at) override;

 private:
  Result<std::vector<PublishOutcome>> PublishReordered(const Call& call,
                                                       std::span<const Message> messages,
                                                       uint64_t bits);

  Bus& inner_;
  FaultPolicy& policy_;
  const Runtime runtime_;
  FaultSource faults_;
};

}  // namespace a4c::testing
