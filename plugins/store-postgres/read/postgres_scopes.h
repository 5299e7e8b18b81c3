// How a transaction begins: it asks for the store's time, and where row-level security is on it
// says in which scopes it works: those that its call may touch, or, where that is bound to none,
// those of the keys that it names. The setting ends with the transaction.
#pragma once

#include <set>
#include <string_view>

#include "a4c/call.h"
#include "session/postgres_session.h"

namespace a4c::postgres {

using Scopes = std::set<std::string_view>;

// Answers the time in milliseconds, in the first column of one row.
Statement OpeningOf(const Call& call, bool row_security, const Scopes& named);
// In the second column also whether commits wait for a standby: see kWaitsSql.
Statement WriteOpeningOf(const Call& call, bool row_security, const Scopes& named);

}  // namespace a4c::postgres
