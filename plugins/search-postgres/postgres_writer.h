// Documents into the table of a generation. [one thread at a time]
#pragma once

#include <span>
#include <string>
#include <vector>

#include "a4c/search_document.h"
#include "a4c/search_index.h"
#include "postgres_layout.h"
#include "postgres_session.h"

namespace a4c::search_postgres {

// A document on its way: what does not depend on the server is done before a session is needed.
struct Pending {
  const Document* document;
  BulkResult* result;
  SearchDocument indexed;
};

// Writes the document unless the table has its rev or a newer one; answers a row if it did.
Statement UpsertSql(const Layout& layout, const Pending& pending);

// One transaction: fills the results, or fails and leaves nothing behind. Documents in the order of
// their ids, so that two of these never wait for each other.
Reply WriteAll(const Call& call, Session& session, const Options& options, const Layout& layout,
               int64_t number, std::span<Pending* const> pending);

}  // namespace a4c::search_postgres
