// One generation of one kind of the memory index. Near-real-time, as real search engines are: Index
// changes what is stored, and searches see what was stored at the last Refresh. [one thread]
#pragma once

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "a4c/digests.h"
#include "a4c/search_document.h"
#include "a4c/search_index.h"
#include "a4c/search_plan.h"

namespace a4c::memory {

class KindIndex {
 public:
  // kConflict: a field of it has another type here.
  Result<void> CheckSameTypes(const Kind& kind) const;
  void SetKind(const Kind& kind) { kind_ = kind; }

  BulkResult Index(const Document& document);
  void Remove(const std::string& id);
  SearchAnswer Search(const SearchPlan& plan, const SearchRequest& request) const;
  void Refresh();
  DigestSums Sums() const;
  std::vector<DigestRow> Rows(std::span<const int> buckets) const;

 private:
  struct Entry {
    Document document;
    SearchDocument indexed;
  };
  using EntryPtr = std::shared_ptr<const Entry>;
  using Entries = std::map<std::string, EntryPtr, std::less<>>;  // by id

  static BulkResult Stale(const Entry& stored);
  static std::vector<FacetValue> CountValues(const FacetField& facet,
                                             const std::vector<const Entry*>& found);
  std::vector<const Entry*> Matching(const SearchPlan& plan,
                                     const std::optional<std::string>& scope) const;
  static SearchAnswer Page(const std::vector<const Entry*>& matching, const SearchPlan& plan,
                           int limit);

  Kind kind_;
  Entries stored_;
  Entries searchable_;
  std::set<std::string, std::less<>> changed_;  // ids that differ between the two
};

}  // namespace a4c::memory
