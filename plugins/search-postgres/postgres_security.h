// Row-level security of a generation: its table is closed to all but its owner (forced, with a
// policy for him alone), and the bound role reads a view that holds the documents of the
// transaction's setting a4c.scopes. A policy for that role would do the same but for the index of
// tokens: of an operator that is not leakproof, as those of arrays are not, the server makes no
// condition of an index where a policy stands before it. docs/design/postgres.md says what that
// costs, and why the view holds no less.
#pragma once

#include <vector>

#include "postgres_layout.h"
#include "postgres_session.h"

namespace a4c::search_postgres {

struct Security {
  bool on = false;        // the table is closed
  bool view = false;      // is there
  bool complete = false;  // the view has all columns, and options.user may read it
};

// Whether the role of searches goes past it, and whether it owns what the owner makes.
Statement AskUser(const Options& options);
// kInvalid: a role that nothing would bind. The first two columns are as those of AskUser.
Result<void> CheckIsBound(const Rows& rows);

// Of a generation that is there.
Statement AskSecurity(const Options& options, const Layout& layout);
Security SecurityFrom(const Rows& rows);

// For a transaction that makes a generation, or holds it; the view takes the columns that are
// there.
std::vector<Statement> SecuritySql(const Options& options, const Layout& layout);

// Before a table with a view changes: searches lock them in this order, too.
Statement HoldView(const Layout& layout);

}  // namespace a4c::search_postgres
