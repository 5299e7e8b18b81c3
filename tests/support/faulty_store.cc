#include "tests/support/faulty_store.h"

#include <algorithm>

namespace a4c::testing {
namespace {

constexpr std::string_view kApply = "Store.Apply";

BatchResult UnknownBatch() {
  return {.outcome = BatchOutcome::kUnknown, .error = FaultSource::Unknown(kApply)};
}

// Which batches share the fate of a fault: all of them if the lowest bit is set, or else each by a
// bit of its own, one at least.
std::vector<bool> Fates(size_t count, uint64_t bits) {
  std::vector<bool> lost(count, true);
  if (bits & 1) return lost;
  for (size_t i = 0; i < count; ++i) lost[i] = (bits >> (1 + i % 63)) & 1;
  if (std::ranges::find(lost, true) == lost.end() && count > 0) lost[bits % count] = true;
  return lost;
}

}  // namespace

Result<void> FaultyStore::Ensure(const Call& call, std::span<const Kind> kinds) {
  return faults_.Effect(call, "Store.Ensure", [&] { return inner_.Ensure(call, kinds); });
}

Result<ApplyAnswer> FaultyStore::Apply(const Call& call, std::span<const WriteBatch> batches) {
  const FaultDraw draw = faults_.Next(call, kApply);
  if (auto refusal = FaultSource::Refusal(draw, call, kApply)) return *std::move(refusal);
  if (draw.fault == Fault::kUnknownBefore || draw.fault == Fault::kUnknownAfter) {
    return ApplyLosing(call, batches, draw);
  }
  return inner_.Apply(call, batches);
}

// Of the batches that are lost, none is applied, or all are; the caller learns nothing of them. If
// all are lost, half the time the whole call is.
Result<ApplyAnswer> FaultyStore::ApplyLosing(const Call& call, std::span<const WriteBatch> batches,
                                             const FaultDraw& draw) {
  const std::vector<bool> lost = Fates(batches.size(), draw.bits);
  const bool is_applied = draw.fault == Fault::kUnknownAfter;
  std::vector<WriteBatch> sent;
  for (size_t i = 0; i < batches.size(); ++i) {
    if (is_applied || !lost[i]) sent.push_back(batches[i]);
  }
  ApplyAnswer answer;
  if (!sent.empty()) {
    A4C_TRY(answer, inner_.Apply(call, sent));
  }
  const bool all_lost = std::ranges::find(lost, false) == lost.end();
  if (sent.empty() || (all_lost && (draw.bits & 2))) return FaultSource::Unknown(kApply);
  std::vector<BatchResult> results;
  auto next = answer.results.begin();
  for (size_t i = 0; i < batches.size(); ++i) {
    const bool was_sent = is_applied || !lost[i];
    results.push_back(lost[i] ? UnknownBatch() : *next);
    if (was_sent) ++next;
  }
  answer.results = std::move(results);
  return answer;
}

Result<GetAnswer> FaultyStore::Get(const Call& call, std::span<const RecordRef> refs) {
  return faults_.Read(call, "Store.Get", [&] { return inner_.Get(call, refs); });
}

Result<ScanAnswer> FaultyStore::Scan(const Call& call, const ScanRequest& request) {
  return faults_.Read(call, "Store.Scan", [&] { return inner_.Scan(call, request); });
}

}  // namespace a4c::testing
