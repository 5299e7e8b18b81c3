// Queries as Elasticsearch's query language. Pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "a4c/json.h"
#include "a4c/search_index.h"
#include "a4c/search_plan.h"

namespace a4c::elastic {

// A resolved query as a filter.
Json FilterOf(const Query& resolved);

// The body of a _search for one page and one hit more. shard_size: values per shard that a facet
// looks at; past it counts of several shards are inexact, and say so.
Json SearchBody(const SearchPlan& plan, const SearchRequest& request, int64_t shard_size);

// Where a hit stands, by its `sort`: as it is indexed, which may lack what its body has. Nothing:
// it is of another search.
std::optional<SortPosition> PositionOf(const SearchPlan& plan, const Json& sort);

// The body of the _search that sums digests by bucket.
Json DigestBody();
// The body of the _search for one page of the rows of these buckets, behind the id `after`.
Json DigestRowsBody(std::span<const int> buckets, const std::string& after, int limit);

}  // namespace a4c::elastic
