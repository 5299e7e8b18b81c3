#include "tests/support/faulty_search_index.h"

#include <utility>

namespace a4c::testing {
namespace {

std::vector<BulkResult> AllLost(size_t count, std::string_view name) {
  const Error lost(Code::kUnavailable, "injected fault in " + std::string(name));
  return std::vector<BulkResult>(count, {.outcome = BulkOutcome::kRetry, .error = lost});
}

// Both Bulk and Remove: items in, a result per item out. F takes a span of items.
template <typename Item, typename F>
Result<std::vector<BulkResult>> ItemByItem(FaultSource& faults, const Call& call,
                                           std::string_view name, std::span<const Item> items,
                                           const F& apply) {
  const FaultDraw draw = faults.Next(call, name);
  if (auto refusal = FaultSource::Refusal(draw, call, name)) return *std::move(refusal);
  if (draw.fault == Fault::kUnknownBefore) return AllLost(items.size(), name);
  if (draw.fault == Fault::kReorder) {
    const std::vector<size_t> order = Shuffled(items.size(), draw.bits);
    std::vector<Item> shuffled;
    for (const size_t index : order) shuffled.push_back(items[index]);
    A4C_TRY(auto results, apply(std::span<const Item>(shuffled)));
    std::vector<BulkResult> as_given(items.size());
    for (size_t i = 0; i < order.size(); ++i) as_given[order[i]] = std::move(results[i]);
    return as_given;
  }
  auto results = apply(items);
  if (draw.fault == Fault::kUnknownAfter) return AllLost(items.size(), name);
  // The second finds what the first wrote; its answer is the one that arrives.
  if (draw.fault == Fault::kDuplicate && results) results = apply(items);
  return results;
}

}  // namespace

Result<void> FaultySearchIndex::Ensure(const Call& call, std::span<const Kind> kinds) {
  return faults_.Read(call, "SearchIndex.Ensure", [&] { return inner_.Ensure(call, kinds); });
}

Result<std::vector<BulkResult>> FaultySearchIndex::Bulk(const Call& call,
                                                        std::span<const Document> documents) {
  return ItemByItem(faults_, call, "SearchIndex.Bulk", documents,
                    [&](std::span<const Document> items) { return inner_.Bulk(call, items); });
}

Result<std::vector<BulkResult>> FaultySearchIndex::Remove(const Call& call,
                                                          std::span<const Purge> purges) {
  return ItemByItem(faults_, call, "SearchIndex.Remove", purges,
                    [&](std::span<const Purge> items) { return inner_.Remove(call, items); });
}

Result<SearchAnswer> FaultySearchIndex::Search(const Call& call, const SearchRequest& request) {
  return faults_.Read(call, "SearchIndex.Search", [&] { return inner_.Search(call, request); });
}

Result<void> FaultySearchIndex::Refresh(const Call& call, const std::string& kind) {
  return faults_.Read(call, "SearchIndex.Refresh", [&] { return inner_.Refresh(call, kind); });
}

}  // namespace a4c::testing
