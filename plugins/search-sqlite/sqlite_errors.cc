#include "sqlite_errors.h"

#include <sqlite3.h>

#include <algorithm>
#include <string>

namespace a4c::search_sqlite {
namespace {

struct Row {
  int code;  // primary
  Code as;
  const char* hint;
};

constexpr Row kTable[] = {
    {SQLITE_BUSY, Code::kUnavailable, "another process writes to the index: raise busy_timeout_ms"},
    {SQLITE_LOCKED, Code::kUnavailable, ""},
    {SQLITE_PROTOCOL, Code::kUnavailable, ""},
    {SQLITE_FULL, Code::kExhausted, "the disk is full: make room"},
    {SQLITE_NOMEM, Code::kExhausted, ""},
    {SQLITE_IOERR, Code::kUnavailable, "look at the disk and its file system"},
    {SQLITE_CANTOPEN, Code::kUnavailable, "does the directory exist, and may we write there?"},
    {SQLITE_PERM, Code::kDenied, "look at the owner and mode of the file"},
    {SQLITE_READONLY, Code::kDenied, "look at the owner and mode of the file and its directory"},
    {SQLITE_AUTH, Code::kDenied, ""},
    {SQLITE_TOOBIG, Code::kInvalid, ""},
    {SQLITE_INTERRUPT, Code::kTimeout, ""},
    {SQLITE_CORRUPT, Code::kInternal,
     "delete the index's files: it is filled again from the store"},
    {SQLITE_NOTADB, Code::kInvalid, "the file is not an SQLite database"},
};

}  // namespace

Error ToError(int code, std::string_view what, std::string_view detail) {
  const auto* row = std::ranges::find(kTable, code & 0xff, &Row::code);
  std::string message = "search-sqlite: ";
  message.append(what).append(": ").append(detail);
  message += " (SQLite " + std::to_string(code) + ")";
  if (row == std::end(kTable)) return Error(Code::kInternal, std::move(message));
  return Error(row->as, std::move(message), row->hint);
}

Error ToError(sqlite3* connection, std::string_view what) {
  return ToError(sqlite3_extended_errcode(connection), what, sqlite3_errmsg(connection));
}

}  // namespace a4c::search_sqlite
