// Near-real-time, as real search engines are: Bulk changes what is stored, and searches see what
// was stored at the last Refresh.
#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "a4c/digests.h"
#include "a4c/memory.h"
#include "a4c/search_document.h"
#include "a4c/search_index.h"
#include "a4c/search_plan.h"

namespace a4c {
namespace {

struct Entry {
  Document document;
  SearchDocument indexed;
};
using EntryPtr = std::shared_ptr<const Entry>;
using Entries = std::map<std::string, EntryPtr, std::less<>>;  // by id

struct KindIndex {
  Kind kind;
  Entries stored;
  Entries searchable;
  std::set<std::string, std::less<>> changed;  // ids that differ between the two
};

constexpr size_t kFacetValues = 10;

std::vector<FacetValue> CountValues(const SortField& facet,
                                    const std::vector<const Entry*>& found) {
  std::map<Scalar, int64_t> counts;
  for (const Entry* entry : found) {
    const SearchField* field = entry->indexed.Find(facet.name);
    if (field == nullptr) continue;
    if (facet.type == FieldType::kBool) ++counts[field->number];
    for (const std::string& value : field->keywords) ++counts[value];
  }
  std::vector<FacetValue> values;
  for (const auto& [value, count] : counts) values.push_back({value, count});
  std::ranges::stable_sort(values, std::ranges::greater(), &FacetValue::count);
  values.resize(std::min(values.size(), kFacetValues));
  return values;
}

BulkResult Rejected(Error error) {
  return {.outcome = BulkOutcome::kRejected, .error = std::move(error)};
}

BulkResult Stale(const Entry& stored) {
  return {.outcome = BulkOutcome::kStale,
          .stored = StoredVersion{stored.document.rev, stored.indexed.body_hash,
                                  stored.document.tombstone, stored.document.projection}};
}

Error UnknownKind(const std::string& kind) {
  return Error(Code::kNotFound, "search-memory: unknown kind \"" + kind + "\"",
               "call Ensure with it first");
}

class MemorySearchIndex final : public SearchIndex, public Digests {
 public:
  explicit MemorySearchIndex(const Runtime& runtime) : waiter_(runtime.threads.NewWaiter()) {}

  Result<void> Ensure(const Call&, std::span<const Kind> kinds) override {
    for (const Kind& kind : kinds) A4C_CHECK(CheckKind(kind));
    const Waiter::Lock lock(*waiter_);
    for (const Kind& kind : kinds) {
      const auto found = kinds_.find(kind.name);
      if (found != kinds_.end()) A4C_CHECK(CheckSameTypes(found->second.kind, kind));
    }
    for (const Kind& kind : kinds) kinds_[kind.name].kind = kind;
    return {};
  }

  Result<std::vector<BulkResult>> Bulk(const Call&, std::span<const Document> documents) override {
    const Waiter::Lock lock(*waiter_);
    std::vector<BulkResult> results;
    results.reserve(documents.size());
    for (const Document& document : documents) results.push_back(Index(document));
    return results;
  }

  Result<std::vector<BulkResult>> Remove(const Call&, std::span<const Purge> purges) override {
    const Waiter::Lock lock(*waiter_);
    for (const Purge& purge : purges) {
      const auto found = kinds_.find(purge.ref.kind);
      if (found == kinds_.end()) continue;
      if (found->second.stored.erase(purge.ref.key.id) > 0) {
        found->second.changed.insert(purge.ref.key.id);
      }
    }
    return std::vector<BulkResult>(purges.size(), {.outcome = BulkOutcome::kApplied});
  }

  Result<SearchAnswer> Search(const Call&, const SearchRequest& request) override {
    A4C_TRY(SearchPlan plan, PlanSearch(request));
    const Waiter::Lock lock(*waiter_);
    const auto found = kinds_.find(request.kind.name);
    if (found == kinds_.end()) return UnknownKind(request.kind.name);
    const std::vector<const Entry*> matching = Matching(found->second, plan, request.scope);
    SearchAnswer answer = Page(matching, plan, request.limit);
    answer.total = static_cast<int64_t>(matching.size());
    for (const SortField& facet : plan.facets)
      answer.facets.push_back(CountValues(facet, matching));
    return answer;
  }

  Result<void> Refresh(const Call&, const std::string& kind) override {
    const Waiter::Lock lock(*waiter_);
    const auto found = kinds_.find(kind);
    if (found == kinds_.end()) return UnknownKind(kind);
    KindIndex& index = found->second;
    for (const std::string& id : index.changed) {
      const auto stored = index.stored.find(id);
      if (stored == index.stored.end()) {
        index.searchable.erase(id);
      } else {
        index.searchable[id] = stored->second;
      }
    }
    index.changed.clear();
    return {};
  }

  Result<DigestSums> Sums(const Call&, const Kind& kind) override {
    const Waiter::Lock lock(*waiter_);
    const auto found = kinds_.find(kind.name);
    if (found == kinds_.end()) return UnknownKind(kind.name);
    DigestSums sums{};
    for (const auto& [id, entry] : found->second.searchable) {
      if (entry->document.tombstone) continue;
      DigestBucketSum& bucket = sums[static_cast<size_t>(entry->indexed.bucket)];
      ++bucket.count;
      bucket.sum += entry->indexed.digest;
    }
    return sums;
  }

  Result<std::vector<DigestRow>> Rows(const Call&, const Kind& kind,
                                      std::span<const int> buckets) override {
    const Waiter::Lock lock(*waiter_);
    const auto found = kinds_.find(kind.name);
    if (found == kinds_.end()) return UnknownKind(kind.name);
    std::vector<DigestRow> rows;
    for (const auto& [id, entry] : found->second.searchable) {
      if (entry->document.tombstone) continue;
      if (std::ranges::find(buckets, entry->indexed.bucket) == buckets.end()) continue;
      rows.push_back({entry->document.ref.key, entry->document.rev, entry->indexed.digest});
    }
    return rows;
  }

 protected:
  void* Extension(std::string_view name) override {
    return name == Digests::kExtension ? static_cast<Digests*>(this) : nullptr;
  }

 private:
  static Result<void> CheckSameTypes(const Kind& old_kind, const Kind& new_kind) {
    for (const Field& field : new_kind.fields) {
      const Field* old_field = FindField(old_kind, field.name);
      const bool both = old_field != nullptr && old_field->searchable && field.searchable;
      if (!both || old_field->type == field.type) continue;
      return Error(Code::kConflict,
                   "search-memory: " + new_kind.name + "." + field.name + " has another type",
                   "rebuild the index");
    }
    return {};
  }

  BulkResult Index(const Document& document) {
    const auto found = kinds_.find(document.ref.kind);
    if (found == kinds_.end()) return Rejected(UnknownKind(document.ref.kind));
    KindIndex& index = found->second;
    auto indexed = MakeSearchDocument(index.kind, document);
    if (!indexed) return Rejected(indexed.error());
    const std::string& id = document.ref.key.id;
    const auto stored = index.stored.find(id);
    if (stored != index.stored.end() && stored->second->document.rev >= document.rev) {
      return Stale(*stored->second);
    }
    index.stored[id] = std::make_shared<const Entry>(Entry{document, *std::move(indexed)});
    index.changed.insert(id);
    return {.outcome = BulkOutcome::kApplied};
  }

  static std::vector<const Entry*> Matching(const KindIndex& index, const SearchPlan& plan,
                                            const std::optional<std::string>& scope) {
    std::vector<const Entry*> matching;
    for (const auto& [id, entry] : index.searchable) {
      if (entry->document.tombstone) continue;
      if (scope && *scope != entry->document.ref.key.scope) continue;
      if (MatchesResolved(plan.query, entry->indexed)) matching.push_back(entry.get());
    }
    return matching;
  }

  static SearchAnswer Page(const std::vector<const Entry*>& matching, const SearchPlan& plan,
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

  const std::unique_ptr<Waiter> waiter_;  // guards kinds_
  std::map<std::string, KindIndex, std::less<>> kinds_;
};

}  // namespace

std::unique_ptr<SearchIndex> NewMemorySearchIndex(const Runtime& runtime) {
  return std::make_unique<MemorySearchIndex>(runtime);
}

}  // namespace a4c
