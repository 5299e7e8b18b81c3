// What the server's five-character SQLSTATE, or a failed connection, means to a caller of the
// store.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "a4c/result.h"

namespace a4c::postgres {

// The one table from SQLSTATE to Code. The longest entry that the state begins with counts; an
// empty state is a connection that was lost without a word.
Error ErrorOf(std::string_view sqlstate, std::string_view message);

// libpq gives no SQLSTATE for a connection that could not be made: its text is all there is.
Error ConnectErrorOf(std::string_view message);

// What several that were tried in turn say together: the one that a retry cannot help tells more
// than one that is down.
Error Together(const std::optional<Error>& before, const Error& error);

// True if a session that met this state is of no more use: it was cut, or its server is no primary.
bool EndsSession(std::string_view sqlstate);

}  // namespace a4c::postgres
