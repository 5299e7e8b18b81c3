// A planned search as SQL. Values are parameters, always: of a request only names of fields that
// the layout knows get into the text. In an Sql a parameter is a question mark, in their order.
//
// Nodes are true, false or NULL, and NULL counts as false: SQL's logic keeps it so through AND and
// OR, and a NOT is `(…) IS NOT TRUE`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "a4c/search_plan.h"
#include "postgres_layout.h"
#include "postgres_session.h"

namespace a4c::search_postgres {

struct Sql {
  std::string text;
  std::vector<std::string> parameters;

  Statement Numbered() const;  // ? becomes $1, $2, …
};

// kConflict: see Layout::TypeOf.
Result<Sql> FilterSql(const Layout& layout, const Query& resolved);

// What is read: all, or what row-level security shows of it.
enum class Source : uint8_t { kTable, kView };

// scope, id, rev, body, then the values of plan.sort, in order, limit + 1 of them.
Result<Sql> PageSql(const Layout& layout, const SearchPlan& plan,
                    const std::optional<std::string>& scope, int limit,
                    Source source = Source::kTable);

// Rows (facet, value, count), the most frequent values of each; facet -1 is the total.
Result<Sql> CountsSql(const Layout& layout, const SearchPlan& plan,
                      const std::optional<std::string>& scope, Source source = Source::kTable);

}  // namespace a4c::search_postgres
