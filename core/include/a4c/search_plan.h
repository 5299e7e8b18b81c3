// For authors of search engines: a search request, checked and brought down to what is indexed.
//
//   A4C_TRY(SearchPlan plan, PlanSearch(request));          // kInvalid: the same in every engine
//   ... translate plan.query, sort by plan.sort then id, skip to plan.after, read request.limit + 1
//   ... answer.next = NextCursor(plan, position_of_last_hit);
//
// Cursors are made here, of values and not of an engine's state: one engine's cursor means the same
// to another. Plain data [any thread].
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "a4c/export.h"
#include "a4c/query.h"
#include "a4c/search_document.h"
#include "a4c/search_index.h"

namespace a4c {

// The query in terms of SearchField. What is left of the nodes:
//   kAll, kAnd, kOr (none: nothing), kNot (one child)
//   kEquals   kKeyword, kMap: a string among `keywords`; kLong, kTime, kDouble, kBool: `number`
//   kRange    kKeyword, kMap: one of `keywords` within both bounds; kLong, kTime, kDouble: `number`
//   kExists   the document has the SearchField, even if it holds nothing
//   kPhrase   the words one after another in `words`, kWords: any of them; at least one
//   kPrefix   kKeyword, kMap: one of `keywords`, kText: one of `words` starts with the value
//   kWildcard the same, FitsPattern the pieces; at least two, of which one is not empty, and more
//             than a prefix
// Every leaf names its field. Lists hold no lists of their own node, and a not holds no not.
// Members of maps have become entries of the map ("labels.team" = "infra": "labels" has
// "team=infra"), values have the field's type and are cut. kInvalid: unknown field, wrong type, a
// tree too deep, a pattern past its bounds.
A4C_API Result<Query> ResolveQuery(const Query& query, const Kind& kind);

// Whether a document matches a resolved query.
A4C_API bool MatchesResolved(const Query& resolved, const SearchDocument& document);

// Whether a value is the pieces of a kWildcard in their order, with anything between them.
A4C_API bool FitsPattern(const std::vector<std::string>& pieces, std::string_view value);

struct SortField {
  std::string name;
  FieldType type = FieldType::kKeyword;
  bool descending = false;
};

// Where a document stands in the order.
struct SortPosition {
  std::vector<Scalar> values = {};  // one per SortField, see SortPositionOf
  std::string id = {};
};

// Counts values of this field by documents: of kKeyword and kMap its `keywords` that start with
// `prefix`, of kBool its `number`. FacetValue::value lacks their first `cut` bytes.
struct FacetField {
  std::string name;
  FieldType type = FieldType::kKeyword;
  std::string prefix = {};
  size_t cut = 0;
  int limit = 10;
};

struct SearchPlan {
  Query query = {};
  std::vector<SortField> sort = {};        // then by id, ascending
  std::optional<SortPosition> after = {};  // hits are those behind it
  std::vector<FacetField> facets = {};
};

A4C_API Result<SearchPlan> PlanSearch(const SearchRequest& request);

// An array of keywords sorts by its smallest value, descending by its largest. Absent comes last
// both ways and is monostate; only an absent kLong or kTime is INT64_MAX, descending INT64_MIN, so
// that engines without a place behind the last integer keep the same order.
A4C_API SortPosition SortPositionOf(const SearchPlan& plan, const SearchDocument& document,
                                    std::string_view id);
// Whether a comes before b.
A4C_API bool SortsBefore(const SearchPlan& plan, const SortPosition& a, const SortPosition& b);

// last: of the page's last hit, as it is indexed. Its body may have fields that were no searchable
// ones when it came.
A4C_API std::string NextCursor(const SearchPlan& plan, const SortPosition& last);

}  // namespace a4c
