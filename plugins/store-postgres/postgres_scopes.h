// How a transaction begins: it asks for the store's time, and where row-level security is on it
// says in which scopes it works. The setting ends with the transaction.
#pragma once

#include <set>
#include <string_view>

#include "postgres_session.h"

namespace a4c::postgres {

using Scopes = std::set<std::string_view>;

// Answers the time in milliseconds, in the first column of one row.
Statement OpeningOf(bool row_security, const Scopes& scopes);

}  // namespace a4c::postgres
