// Completion: what can stand at the cursor of a query that is being written.
//
//   QueryCompletion completion = CompleteQuery("state:fai", 9, kind);
//   if (completion.values) {                                    // values are the index's to know
//     ... search with facets = {*completion.values}, limit 1 ...
//     AddValues(completion, answer.facets[0]);
//   }
//   Show(completion.suggestions);                               // "failed", "failing"
//
// Plain data [any thread].
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/export.h"
#include "a4c/kind.h"
#include "a4c/search_index.h"

namespace a4c {

struct Suggestion {
  enum class What : uint8_t { kField, kComparison, kValue, kOperator };
  What what = What::kField;
  std::string text;              // to put in the place of the range, as the language writes it
  std::string description = {};  // the field's type, how many documents have the value
};

struct QueryCompletion {
  // Bytes of the query that a suggestion takes the place of: the word at the cursor, or nothing.
  size_t offset = 0;
  size_t size = 0;
  std::vector<Suggestion> suggestions = {};
  // Values to ask a search index for; they come by AddValues.
  std::optional<FacetKey> values = {};
  bool label_names = false;  // the values are entries of a map, of which the names are wanted
  bool quoted = false;       // the word at the cursor began with a quote
};

// cursor: a byte between 0 and the query's size; what stands behind it is left alone. A query that
// cannot be read up to there has no suggestions; it is no error.
A4C_API QueryCompletion CompleteQuery(std::string_view query, size_t cursor, const Kind& kind);

// Adds the answer to `values` to the suggestions, in its order, at most suggestions_max of them.
A4C_API void AddValues(QueryCompletion& completion, std::span<const FacetValue> values,
                       size_t suggestions_max = 20);

// A value as the language writes it: as it is, or in quotes where it could mean something else.
A4C_API std::string QuotedIfNeeded(std::string_view value);

}  // namespace a4c
