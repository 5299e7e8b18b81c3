// A search index with faults: wraps another, which outlives it. [any thread]
//
// Faults of "SearchIndex.Bulk" and "SearchIndex.Remove": kError, kDelay, kDuplicate, kReorder,
// kUnknownBefore and kUnknownAfter (an index has no unknown outcomes: the items of a lost answer
// are kRetry, whether they were done or not); "SearchIndex.Search", "SearchIndex.Refresh" and
// "SearchIndex.Ensure": kError, kDelay. It has no extensions: those of core meet its faults.
#pragma once

#include "a4c/search_index.h"
#include "tests/support/fault_policy.h"
#include "tests/support/faulty_call.h"

namespace a4c::testing {

class FaultySearchIndex final : public SearchIndex {
 public:
  FaultySearchIndex(SearchIndex& inner, FaultPolicy& policy, const Runtime& runtime)
      : inner_(inner), faults_(policy, runtime) {}

  Result<void> Ensure(const Call& call, std::span<const Kind> kinds) override;
  Result<std::vector<BulkResult>> Bulk(const Call& call,
                                       std::span<const Document> documents) override;
  Result<std::vector<BulkResult>> Remove(const Call& call, std::span<const Purge> purges) override;
  Result<SearchAnswer> Search(const Call& call, const SearchRequest& request) override;
  Result<void> Refresh(const Call& call, const std::string& kind) override;

 private:
  SearchIndex& inner_;
  FaultSource faults_;
};

}  // namespace a4c::testing
