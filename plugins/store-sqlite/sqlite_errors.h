// SQLite's result codes as errors of a4c: the one table.
#pragma once

#include <string_view>

#include "a4c/result.h"

struct sqlite3;

namespace a4c::sqlite {

// code: an extended result code; nothing was done, or what was done is rolled back.
Error ToError(int code, std::string_view what, std::string_view detail);
Error ToError(sqlite3* connection, std::string_view what);

// True if a COMMIT that failed with this code may still be found committed after a crash.
bool MayBeCommitted(int code);

}  // namespace a4c::sqlite
