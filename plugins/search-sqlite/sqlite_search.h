// A planned search over a connection, within the caller's transaction. [one thread at a time]
#pragma once

#include "a4c/search_index.h"
#include "a4c/search_plan.h"
#include "sqlite_connection.h"
#include "sqlite_layout.h"

namespace a4c::search_sqlite {

Result<SearchAnswer> RunSearch(Connection& reader, const Layout& layout, const SearchPlan& plan,
                               const SearchRequest& request);

}  // namespace a4c::search_sqlite
