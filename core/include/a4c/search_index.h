// SearchIndex: finds records by their fields and words; always rebuildable from the store.
//
// Documents are written with the record's rev as external version, so repeats and reordering do no
// harm: an older rev never replaces a newer one. Deleted records are indexed as tombstones, which
// searches leave out. All methods [any thread]; arguments are borrowed for the call alone.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/call.h"
#include "a4c/kind.h"
#include "a4c/query.h"
#include "a4c/record.h"
#include "a4c/result.h"

namespace a4c {

// The document of one record. projection: the version of the rules that make documents of records;
// raised when the kind's searchable fields change, so that digests find what is to be rebuilt.
struct Document {
  RecordRef ref;
  int64_t rev = 0;
  bool tombstone = false;
  std::string body = {};
  int projection = 1;
};

// Removes a document outright, whatever its rev: the purge of old tombstones.
struct Purge {
  RecordRef ref;
};

enum class BulkOutcome : uint8_t {
  kApplied,
  kStale,     // the index has this rev or a newer one: see `stored`
  kRejected,  // this document can never be indexed: see `error`; others are not affected
  kRetry,     // not done, see `error`; send again
};

// What the index holds, read in real time (not from a refreshed view).
struct StoredVersion {
  int64_t rev = 0;
  uint32_t body_hash = 0;
  bool tombstone = false;
  int projection = 0;
};

struct BulkResult {
  BulkOutcome outcome = BulkOutcome::kRetry;
  std::optional<StoredVersion> stored = {};  // kStale
  std::optional<Error> error = {};           // kRejected, kRetry
};

struct SortKey {
  std::string field;  // a searchable field other than kText and kMap
  bool descending = false;
};

// The bytes of FacetKey::prefix, the name of a map's member before it included.
inline constexpr size_t kFacetPrefixBytesMax = 480;

// The most frequent values of a field among what was found.
struct FacetKey {
  std::string field;        // kKeyword, kBool, a member of a kMap ("labels.team") or all of one
  std::string prefix = {};  // only values that start so; not of kBool
  int limit = 10;           // values, 1 to 1,000
};

struct SearchRequest {
  Kind kind;
  std::optional<std::string> scope = {};  // only this scope; the server sets it, never the client
  Query query = {};
  std::vector<SortKey> sort = {};  // then by id, ascending; records without the field come last
  std::string after = {};          // SearchAnswer::next of the page before; opaque
  int limit = 50;                  // 1 to 1,000
  std::vector<FacetKey> facets = {};
};

struct Hit {
  RecordRef ref;
  int64_t rev = 0;
  std::string body;
};

struct FacetValue {
  Scalar value;  // of all of a kMap: MapEntry()
  int64_t count = 0;
};

struct SearchAnswer {
  std::vector<Hit> hits;
  int64_t total = 0;  // exact
  std::string next = {};
  std::vector<std::vector<FacetValue>> facets = {};  // one list per FacetKey, by count, then value
};

class SearchIndex {
 public:
  virtual ~SearchIndex() = default;
  // Creates what these kinds need; many callers at once are fine. kConflict: the index holds
  // another mapping and has to be rebuilt.
  virtual Result<void> Ensure(const Call& call, std::span<const Kind> kinds) = 0;
  // One result per document, in order. Durable when answered, searchable after a Refresh.
  virtual Result<std::vector<BulkResult>> Bulk(const Call& call,
                                               std::span<const Document> documents) = 0;
  // One result per purge, in order: kApplied (also if there was nothing) or kRetry.
  virtual Result<std::vector<BulkResult>> Remove(const Call& call,
                                                 std::span<const Purge> purges) = 0;
  virtual Result<SearchAnswer> Search(const Call& call, const SearchRequest& request) = 0;
  // After it, searches see everything that Bulk had answered before it was called.
  virtual Result<void> Refresh(const Call& call, const std::string& kind) = 0;

  template <typename T>
  T* As() {
    return static_cast<T*>(Extension(T::kExtension));
  }

 protected:
  virtual void* Extension([[maybe_unused]] std::string_view name) { return nullptr; }
};

}  // namespace a4c
