#include "elastic_index.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>

#include "a4c/digests.h"
#include "a4c/search_plan.h"
#include "elastic_bulk.h"
#include "elastic_generations.h"
#include "elastic_mapping.h"
#include "elastic_query.h"

namespace a4c::elastic {
namespace {

constexpr int kCreateAttempts = 5;
constexpr size_t kVersionsPerRequest = 1'000;
constexpr int kRowsPerRequest = 5'000;
constexpr int64_t kFirstShardSize = 1'000;
constexpr int64_t kLastShardSize = 1'000'000;

struct KnownKind {
  Kind kind;
  std::string alias;
};

Error UnknownKind(const std::string& kind) {
  return Error(Code::kNotFound, "search-elastic: unknown kind \"" + kind + "\"",
               "call Ensure with it first");
}

// _search answers nothing rather than what only some shards know.
std::string SearchPath(const std::string& alias) {
  return "/" + alias + "/_search?allow_partial_search_results=false";
}

Hit HitOf(const Json& source, const std::string& kind) {
  return {.ref = {kind, {source["scope"].Text(), source["id"].Text()}},
          .rev = source["rev"].Int(),
          .body = source["body"].Text()};
}

Scalar FacetScalar(const FacetField& facet, const Json& key) {
  if (facet.type == FieldType::kBool) return key.Int() != 0;
  return key.Text().substr(std::min(facet.cut, key.Text().size()));
}

// Whether every count is exact: no shard left out values that could have mattered.
bool FacetsAreExact(const SearchPlan& plan, const Json& answer) {
  for (size_t i = 0; i < plan.facets.size(); ++i) {
    const Json& facet = answer["aggregations"]["facet" + std::to_string(i)];
    if (facet["doc_count_error_upper_bound"].Int() != 0) return false;
  }
  return true;
}

Result<SearchAnswer> AnswerOf(const SearchPlan& plan, const SearchRequest& request,
                              const Json& json) {
  SearchAnswer answer;
  answer.total = json["hits"]["total"]["value"].Int();
  const Json::Array& hits = json["hits"]["hits"].Items();
  const size_t count = std::min(hits.size(), static_cast<size_t>(request.limit));
  for (size_t i = 0; i < count; ++i) {
    answer.hits.push_back(HitOf(hits[i]["_source"], request.kind.name));
  }
  if (hits.size() > count) {
    const auto last = PositionOf(plan, hits[count - 1]["sort"]);
    if (!last) return Error(Code::kInternal, "search-elastic: a hit does not say where it stands");
    answer.next = NextCursor(plan, *last);
  }
  for (size_t i = 0; i < plan.facets.size(); ++i) {
    std::vector<FacetValue> values;
    for (const Json& bucket :
         json["aggregations"]["facet" + std::to_string(i)]["buckets"].Items()) {
      values.push_back({FacetScalar(plan.facets[i], bucket["key"]), bucket["doc_count"].Int()});
    }
    answer.facets.push_back(std::move(values));
  }
  return answer;
}

class ElasticIndex final : public SearchIndex, public Digests {
 public:
  ElasticIndex(std::shared_ptr<HttpPool> pool, const IndexOptions& options)
      : pool_(pool), options_(options), generations_(std::in_place, std::move(pool), options) {}
  // One generation of one kind.
  ElasticIndex(std::shared_ptr<HttpPool> pool, const IndexOptions& options, const Kind& kind,
               const std::string& alias)
      : pool_(std::move(pool)), options_(options) {
    kinds_[kind.name] = std::make_shared<const KnownKind>(KnownKind{kind, alias});
  }

  Result<void> Ensure(const Call& call, std::span<const Kind> kinds) override {
    for (const Kind& kind : kinds) A4C_CHECK(CheckKind(kind));
    for (const Kind& kind : kinds) {
      A4C_TRY(const std::string alias, AliasToEnsure(kind));
      auto known = std::make_shared<const KnownKind>(KnownKind{kind, alias});
      auto ensured = EnsureOne(call, *known);
      if (!ensured) return ensured.error().Within("search-elastic: index " + known->alias);
      const std::scoped_lock lock(mutex_);
      kinds_[kind.name] = std::move(known);
    }
    return {};
  }

  Result<std::vector<BulkResult>> Bulk(const Call& call,
                                       std::span<const Document> documents) override {
    std::vector<BulkResult> results(documents.size());
    BulkChunk chunk;
    for (size_t i = 0; i < documents.size(); ++i) {
      Append(chunk, i, documents[i], results[i]);
      if (chunk.lines.size() < static_cast<size_t>(options_.bulk_bytes_max)) continue;
      SendChunk(*pool_, call, chunk, results);
      chunk = {};
    }
    SendChunk(*pool_, call, chunk, results);
    FillStored(call, documents, results);
    return results;
  }

  Result<std::vector<BulkResult>> Remove(const Call& call, std::span<const Purge> purges) override {
    std::vector<BulkResult> results(purges.size(), {.outcome = BulkOutcome::kApplied});
    BulkChunk chunk;
    for (size_t i = 0; i < purges.size(); ++i) {
      const auto known = Find(purges[i].ref.kind);
      if (known != nullptr) AppendPurge(chunk, i, known->alias, purges[i].ref);
      if (chunk.lines.size() < static_cast<size_t>(options_.bulk_bytes_max)) continue;
      SendChunk(*pool_, call, chunk, results);
      chunk = {};
    }
    SendChunk(*pool_, call, chunk, results);
    return results;
  }

  Result<SearchAnswer> Search(const Call& call, const SearchRequest& request) override {
    A4C_TRY(SearchPlan plan, PlanSearch(request));
    const auto known = Find(request.kind.name);
    if (known == nullptr) return UnknownKind(request.kind.name);
    for (int64_t shard_size = kFirstShardSize; shard_size <= kLastShardSize; shard_size *= 10) {
      A4C_TRY(Json json, SendJson(*pool_, call,
                                  {.method = "POST",
                                   .path = SearchPath(known->alias),
                                   .body = SearchBody(plan, request, shard_size).ToString()}));
      if (json["timed_out"].Bool())
        return Error(Code::kTimeout, "search-elastic: a search timed out");
      if (FacetsAreExact(plan, json)) return AnswerOf(plan, request, json);
    }
    return Error(Code::kExhausted,
                 "search-elastic: a facet has too many values to be counted exactly");
  }

  Result<void> Refresh(const Call& call, const std::string& kind) override {
    const auto known = Find(kind);
    if (known == nullptr) return UnknownKind(kind);
    A4C_TRY(Json json,
            SendJson(*pool_, call, {.method = "POST", .path = "/" + known->alias + "/_refresh"}));
    if (json["_shards"]["failed"].Int() == 0) return {};
    return Error(Code::kUnavailable, "search-elastic: a refresh failed on some shards");
  }

  Result<DigestSums> Sums(const Call& call, const Kind& kind) override {
    const auto known = Find(kind.name);
    if (known == nullptr) return UnknownKind(kind.name);
    A4C_TRY(Json json, SendJson(*pool_, call,
                                {.method = "POST",
                                 .path = SearchPath(known->alias),
                                 .body = DigestBody().ToString()}));
    DigestSums sums{};
    for (const Json& bucket : json["aggregations"]["buckets"]["buckets"].Items()) {
      const int64_t index = bucket["key"].Int(-1);
      if (index < 0 || index >= kDigestBuckets) {
        return Error(Code::kInternal, "search-elastic: a digest bucket out of range",
                     "rebuild the index: a4c sync rebuild");
      }
      sums[static_cast<size_t>(index)] = {bucket["doc_count"].Int(),
                                          static_cast<int64_t>(bucket["sum"]["value"].Number())};
    }
    return sums;
  }

  Result<std::vector<DigestRow>> Rows(const Call& call, const Kind& kind,
                                      std::span<const int> buckets) override {
    const auto known = Find(kind.name);
    if (known == nullptr) return UnknownKind(kind.name);
    std::vector<DigestRow> rows;
    for (;;) {
      const std::string after = rows.empty() ? "" : rows.back().key.id;
      A4C_TRY(Json json,
              SendJson(*pool_, call,
                       {.method = "POST",
                        .path = SearchPath(known->alias),
                        .body = DigestRowsBody(buckets, after, kRowsPerRequest).ToString()}));
      const Json::Array& hits = json["hits"]["hits"].Items();
      for (const Json& hit : hits) {
        const Json& source = hit["_source"];
        rows.push_back({{source["scope"].Text(), source["id"].Text()},
                        source["rev"].Int(),
                        static_cast<uint32_t>(source["digest"].Int())});
      }
      if (hits.size() < static_cast<size_t>(kRowsPerRequest)) return rows;
    }
  }

 protected:
  void* Extension(std::string_view name) override {
    if (name == Digests::kExtension) return static_cast<Digests*>(this);
    if (name == Rebuild::kExtension && generations_) return static_cast<Rebuild*>(&*generations_);
    return nullptr;
  }

 private:
  Result<std::string> AliasToEnsure(const Kind& kind) const {
    if (generations_) return AliasOf(options_, kind.name);
    const auto known = Find(kind.name);
    if (known == nullptr) return UnknownKind(kind.name);
    return known->alias;
  }

  std::shared_ptr<const KnownKind> Find(const std::string& kind) const {
    const std::scoped_lock lock(mutex_);
    const auto found = kinds_.find(kind);
    return found == kinds_.end() ? nullptr : found->second;
  }

  // Several instances may be here at once: whoever loses the race finds the winner's index.
  Result<void> EnsureOne(const Call& call, const KnownKind& known) {
    for (int attempt = 1;; ++attempt) {
      A4C_TRY(HttpAnswer found,
              pool_->Send(call, {.method = "GET", .path = "/" + known.alias + "/_mapping"}));
      if (found.status != 404) return EnsureMapping(call, known, found);
      if (!generations_) return Error(Code::kNotFound, "the generation has gone");
      auto created = SendJson(*pool_, call,
                              {.method = "PUT",
                               .path = "/" + IndexOf(known.alias, 1),
                               .body = CreateBody(known.kind, known.alias, options_).ToString(),
                               .effect = Effect::kWrites});
      if (created) return {};
      const bool raced =
          created.error().code() == Code::kConflict || created.error().unknown_outcome();
      if (!raced || attempt == kCreateAttempts) return created.error();
    }
  }

  Result<void> EnsureMapping(const Call& call, const KnownKind& known, const HttpAnswer& found) {
    A4C_TRY(Json indices, JsonOf(found, Effect::kReads));
    for (const auto& [index, description] : indices.Members()) {
      if (index == known.alias) {
        return Error(Code::kConflict, "index \"" + index + "\" has the name of the alias",
                     "delete it, or set index_prefix");
      }
      A4C_TRY(Json missing, MissingOf(known.kind, description["mappings"]));
      if (missing.IsNull()) continue;
      A4C_CHECK(SendJson(*pool_, call,
                         {.method = "PUT",
                          .path = "/" + index + "/_mapping",
                          .body = missing.ToString(),
                          .effect = Effect::kWrites}));
    }
    return {};
  }

  void Append(BulkChunk& chunk, size_t index, const Document& document, BulkResult& result) const {
    const auto known = Find(document.ref.kind);
    if (known == nullptr) {
      result = {.outcome = BulkOutcome::kRejected, .error = UnknownKind(document.ref.kind)};
      return;
    }
    const auto indexed = MakeSearchDocument(known->kind, document);
    if (indexed) {
      AppendDocument(chunk, index, known->alias, document, *indexed);
    } else {
      result = {.outcome = BulkOutcome::kRejected, .error = indexed.error()};
    }
  }

  // What the index holds of the stale ones, by _mget: in real time, from the log of operations.
  void FillStored(const Call& call, std::span<const Document> documents,
                  std::vector<BulkResult>& results) {
    std::vector<size_t> stale;
    for (size_t i = 0; i < results.size(); ++i) {
      if (results[i].outcome == BulkOutcome::kStale) stale.push_back(i);
      if (stale.size() < kVersionsPerRequest && i + 1 < results.size()) continue;
      ReadStored(call, documents, stale, results);
      stale.clear();
    }
  }

  void ReadStored(const Call& call, std::span<const Document> documents,
                  const std::vector<size_t>& stale, std::vector<BulkResult>& results) {
    if (stale.empty()) return;
    Json wanted = Json::Array{};
    for (const size_t i : stale) {
      Json one = Json::Object{};
      one.Set("_index", Find(documents[i].ref.kind)->alias).Set("_id", documents[i].ref.key.id);
      wanted.Append(
          std::move(one.Set("_source", Json::Array{"rev", "hash", "tombstone", "projection"})));
    }
    const auto json = SendJson(*pool_, call,
                               {.method = "POST",
                                .path = "/_mget",
                                .body = Json().Set("docs", std::move(wanted)).ToString()});
    for (size_t k = 0; k < stale.size(); ++k) {
      BulkResult& result = results[stale[k]];
      const Json* found = json && (*json)["docs"].Items().size() == stale.size()
                              ? &(*json)["docs"].Items()[k]
                              : nullptr;
      if (found != nullptr && (*found)["found"].Bool()) {
        const Json& source = (*found)["_source"];
        result.stored =
            StoredVersion{source["rev"].Int(), static_cast<uint32_t>(source["hash"].Int()),
                          source["tombstone"].Bool(), static_cast<int>(source["projection"].Int())};
      } else {
        result = {.outcome = BulkOutcome::kRetry,
                  .error = json ? Error(Code::kUnavailable,
                                        "search-elastic: a stale document has gone meanwhile")
                                : json.error()};
      }
    }
  }

  const std::shared_ptr<HttpPool> pool_;
  const IndexOptions options_;
  std::optional<ElasticGenerations> generations_;  // nothing: this is one of them
  mutable std::mutex mutex_;                       // guards kinds_; never held across a request
  std::map<std::string, std::shared_ptr<const KnownKind>, std::less<>> kinds_;
};

}  // namespace

std::string AliasOf(const IndexOptions& options, const std::string& kind) {
  const auto named = options.names.find(kind);
  return options.prefix + (named != options.names.end() ? named->second : kind + "s");
}

std::unique_ptr<SearchIndex> NewElasticIndex(std::unique_ptr<HttpPool> pool,
                                             const IndexOptions& options) {
  return std::make_unique<ElasticIndex>(std::shared_ptr<HttpPool>(std::move(pool)), options);
}

std::unique_ptr<SearchIndex> NewElasticGeneration(std::shared_ptr<HttpPool> pool,
                                                  const IndexOptions& options, const Kind& kind,
                                                  const std::string& alias) {
  return std::make_unique<ElasticIndex>(std::move(pool), options, kind, alias);
}

}  // namespace a4c::elastic
