// SQLite's result codes as errors of a4c: the one table.
#pragma once

#include <string_view>

#include "a4c/result.h"

struct sqlite3;

namespace a4c::search_sqlite {

// code: an extended result code. What was done in a transaction is, or will be, rolled back.
Error ToError(int code, std::string_view what, std::string_view detail);
Error ToError(sqlite3* connection, std::string_view what);

}  // namespace a4c::search_sqlite
