// A planned search as one round trip, all of one moment. [one thread at a time]
#pragma once

#include <optional>

#include "a4c/search_index.h"
#include "a4c/search_plan.h"
#include "postgres_layout.h"
#include "postgres_session.h"

namespace a4c::search_postgres {

// scopes: those that the search may see, on a session of the bound role; null: on the owner's, all.
// Nothing: the layout is not what the schema holds any more, read it anew.
Result<std::optional<SearchAnswer>> RunSearch(const Call& call, Session& session,
                                              const Options& options, const Layout& layout,
                                              int64_t number, const SearchPlan& plan,
                                              const SearchRequest& request, const ScopeSet* scopes);

// The rows of one statement, read in the same way.
Result<std::optional<Rows>> RunRead(const Call& call, Session& session, const Options& options,
                                    const Layout& layout, int64_t number, Statement statement);

}  // namespace a4c::search_postgres
