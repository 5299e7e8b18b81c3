// A connection and its prepared statements. [one thread at a time]
#pragma once

#include <sqlite3.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "a4c/call.h"
#include "a4c/record.h"
#include "a4c/result.h"

namespace a4c::search_sqlite {

// A statement from a connection's cache, reset when it goes out of scope. What is bound has to live
// until then.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  // Binds the next parameter.
  Statement& Bind(std::string_view text);
  Statement& Bind(const std::string& text) { return Bind(std::string_view(text)); }
  Statement& Bind(int64_t number);
  Statement& Bind(const Scalar& value);
  // True: there is a row; false: done.
  Result<bool> Step();
  Result<void> Run();

  // The next column of the row.
  std::string Text();
  int64_t Long() { return sqlite3_column_int64(statement_, column_++); }
  Scalar Value(FieldType type);

 private:
  void Keep(int code);

  sqlite3_stmt* statement_;
  int bound_ = 0;
  int column_ = 0;
  int failed_ = SQLITE_OK;
};

struct ConnectionOptions {
  std::string path;
  int64_t cache_bytes = 16 << 20;
  int64_t busy_timeout_ms = 5000;
};

class Connection {
 public:
  // Waits, as long as busy_timeout_ms, for others that open the file at the same time.
  static Result<std::unique_ptr<Connection>> Open(const ConnectionOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Prepared at the first use. The text of the error names no value: values are bound.
  Result<Statement> Prepare(const std::string& sql);
  Result<void> Execute(const std::string& sql);
  // The first column of the first row, or nothing.
  Result<std::string> Ask(const std::string& sql);
  int64_t last_row() const { return sqlite3_last_insert_rowid(handle_); }

  // From here on statements end when the call does, and waiting for a lock too; null: no call.
  void Obey(const Call* call);
  // Ends a transaction that is open still; what it did is undone.
  void RollBack();

 private:
  Connection(sqlite3* handle, int64_t busy_timeout_ms)
      : handle_(handle), busy_timeout_ms_(busy_timeout_ms) {}
  Result<void> SetUp(const ConnectionOptions& options);
  void DropStatements();

  sqlite3* handle_;
  int64_t busy_timeout_ms_;
  std::map<std::string, sqlite3_stmt*, std::less<>> statements_;
};

}  // namespace a4c::search_sqlite
