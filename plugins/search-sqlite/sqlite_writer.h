// Documents in and out of the tables of a kind, within the caller's transaction. [one thread at a
// time]
#pragma once

#include <optional>
#include <string>

#include "a4c/search_document.h"
#include "a4c/search_index.h"
#include "sqlite_connection.h"
#include "sqlite_layout.h"

namespace a4c::search_sqlite {

// kApplied or kStale. An error: the transaction is of no more use.
Result<BulkResult> WriteDocument(Connection& connection, const Layout& layout,
                                 const Document& document, const SearchDocument& indexed);

Result<void> EraseDocument(Connection& connection, const Layout& layout, const std::string& id);

}  // namespace a4c::search_sqlite
