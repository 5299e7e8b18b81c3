#include "memory/memory_kind_index.h"

#include <algorithm>

namespace a4c::memory {

Result<void> KindIndex::CheckSameTypes(const Kind& kind) const {
  for (const Field& field : kind.fields) {
    const Field* old_field = FindField(kind_, field.name);
    const bool both = old_field != nullptr && old_field->searchable && field.searchable;
    if (!both || old_field->type == field.type) continue;
    return Error(Code::kConflict,
                 "search-memory: " + kind.name + "." + field.name + " has another type",
                 "rebuild the index");
  }
  return {};
}

BulkResult KindIndex::Stale(const Entry& stored) {
  return {.outcome = BulkOutcome::kStale,
          .stored = StoredVersion{stored.document.rev, stored.indexed.body_hash,
                                  stored.document.tombstone, stored.document.projection}};
}

BulkResult KindIndex::Index(const Document& document) {
  auto indexed = MakeSearchDocument(kind_, document);
  if (!indexed) return {.outcome = BulkOutcome::kRejected, .error = indexed.error()};
  const std::string& id = document.ref.key.id;
  const auto stored = stored_.find(id);
  if (stored != stored_.end() && stored->second->document.rev >= document.rev) {
    return Stale(*stored->second);
  }
  stored_[id] = std::make_shared<const Entry>(Entry{document, *std::move(indexed)});
  changed_.insert(id);
  return {.outcome = BulkOutcome::kApplied};
}

void KindIndex::Remove(const std::string& id) {
  if (stored_.erase(id) > 0) changed_.insert(id);
}

SearchAnswer KindIndex::Search(const SearchPlan& plan, const SearchRequest& request) const {
  const std::vector<const Entry*> matching = Matching(plan, request.scope);
  SearchAnswer answer = Page(matching, plan, request.limit);
  answer.total = static_cast<int64_t>(matching.size());
  for (const FacetField& facet : plan.facets) answer.facets.push_back(CountValues(facet, matching));
  return answer;
}

void KindIndex::Refresh() {
  for (const std::string& id : changed_) {
    const auto stored = stored_.find(id);
    if (stored == stored_.end()) {
      searchable_.erase(id);
    } else {
      searchable_[id] = stored->second;
    }
  }
  changed_.clear();
}

DigestSums KindIndex::Sums() const {
  DigestSums sums{};
  for (const auto& [id, entry] : searchable_) {
    if (entry->document.tombstone) continue;
    DigestBucketSum& bucket = sums[static_cast<size_t>(entry->indexed.bucket)];
    ++bucket.count;
    bucket.sum += entry->indexed.digest;
  }
  return sums;
}

std::vector<DigestRow> KindIndex::Rows(std::span<const int> buckets) const {
  std::vector<DigestRow> rows;
  for (const auto& [id, entry] : searchable_) {
    if (entry->document.tombstone) continue;
    if (std::ranges::find(buckets, entry->indexed.bucket) == buckets.end()) continue;
    rows.push_back({entry->document.ref.key, entry->document.rev, entry->indexed.digest});
  }
  return rows;
}

std::vector<FacetValue> KindIndex::CountValues(const FacetField& facet,
                                               const std::vector<const Entry*>& found) {
  std::map<Scalar, int64_t> counts;
  for (const Entry* entry : found) {
    const SearchField* field = entry->indexed.Find(facet.name);
    if (field == nullptr) continue;
    if (facet.type == FieldType::kBool) ++counts[field->number];
    for (const std::string& value : field->keywords) {
      if (value.starts_with(facet.prefix)) ++counts[value.substr(facet.cut)];
    }
  }
  std::vector<FacetValue> values;
  for (const auto& [value, count] : counts) values.push_back({value, count});
  std::ranges::stable_sort(values, std::ranges::greater(), &FacetValue::count);
  values.resize(std::min(values.size(), static_cast<size_t>(facet.limit)));
  return values;
}

std::vector<const KindIndex::Entry*> KindIndex::Matching(
    const SearchPlan& plan, const std::optional<std::string>& scope) const {
  std::vector<const Entry*> matching;
  for (const auto& [id, entry] : searchable_) {
    if (entry->document.tombstone) continue;
    if (scope && *scope != entry->document.ref.key.scope) continue;
    if (MatchesResolved(plan.query, entry->indexed)) matching.push_back(entry.get());
  }
  return matching;
}

SearchAnswer KindIndex::Page(const std::vector<const Entry*>& matching, const SearchPlan& plan,
                             int limit) {
  std::vector<std::pair<SortPosition, const Entry*>> hits;
  for (const Entry* entry : matching) {
    SortPosition position = SortPositionOf(plan, entry->indexed, entry->document.ref.key.id);
    if (plan.after && !SortsBefore(plan, *plan.after, position)) continue;
    hits.emplace_back(std::move(position), entry);
  }
  std::ranges::sort(
      hits, [&](const auto& a, const auto& b) { return SortsBefore(plan, a.first, b.first); });
  SearchAnswer answer;
  const bool more = hits.size() > static_cast<size_t>(limit);
  if (more) hits.resize(static_cast<size_t>(limit));
  for (const auto& [position, entry] : hits) {
    answer.hits.push_back({entry->document.ref, entry->document.rev, entry->document.body});
  }
  if (more) answer.next = NextCursor(plan, hits.back().first);
  return answer;
}

}  // namespace a4c::memory
