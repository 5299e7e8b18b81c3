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

// One generation of a kind, by the alias that it has for itself.
std::unique_ptr<SearchIndex> NewElasticGeneration(std::shared_ptr<HttpPool> pool,
                                                  const IndexOptions& options, const Kind& kind,
                                                  const std::string& alias);

// The alias of a kind: its name in index_names, or the kind's with an s, behind the prefix.
std::string AliasOf(const IndexOptions& options, const std::string& kind);

}  // namespace a4c::elastic
