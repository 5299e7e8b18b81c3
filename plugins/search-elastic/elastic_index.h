// The search index over Elasticsearch 8 or OpenSearch 2.
#pragma once

#include <memory>

#include "a4c/clock.h"
#include "a4c/search_index.h"
#include "elastic_http.h"
#include "elastic_options.h"

namespace a4c::elastic {

std::unique_ptr<SearchIndex> NewElasticIndex(std::unique_ptr<HttpPool> pool,
                                             const IndexOptions& options);

// The alias of a kind: its name in index_names, or the kind's with an s, behind the prefix.
std::string AliasOf(const IndexOptions& options, const std::string& kind);

}  // namespace a4c::elastic
