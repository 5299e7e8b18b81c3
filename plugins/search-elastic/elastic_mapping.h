// How a kind lies in an index, and a document in it:
//
//   id, scope, rev, hash, tombstone, projection   what the record is
//   bucket, digest                                what Digests sums
//   body                                          its bytes, as a string that is not indexed
//   exists                                        names of the searchable fields that are there
//   f.<field>                                     SearchField: keywords as they are; words joined
//   by
//                                                 spaces and split at them; numbers, bool as 0 and
//                                                 1
//
// The mapping is strict: a document of another shape is refused, never guessed at.
#pragma once

#include <string>

#include "a4c/json.h"
#include "a4c/kind.h"
#include "a4c/result.h"
#include "a4c/search_document.h"
#include "a4c/search_index.h"
#include "elastic_options.h"

namespace a4c::elastic {

Json MappingOf(const Kind& kind);
// The body that creates an index behind this alias.
Json CreateBody(const Kind& kind, const std::string& alias, const IndexOptions& options);

// What `mapping` lacks of the kind, as the body of a mapping update; null if nothing. kConflict: a
// field is mapped as something else.
Result<Json> MissingOf(const Kind& kind, const Json& mapping);

Json DocumentOf(const Document& document, const SearchDocument& indexed);

}  // namespace a4c::elastic
