#include "sqlite_connection.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "sqlite_errors.h"

namespace a4c::search_sqlite {
namespace {

// Queries differ by their shape alone; past this many the cache starts anew.
constexpr size_t kStatementsMax = 200;
constexpr int kStepsBetweenLooks = 10'000;

int IsOver(void* call) {
  const auto& current = *static_cast<const Call*>(call);
  return current.Expired() || current.Stopping() ? 1 : 0;
}

// SQLite would make the file readable by all, and -wal and -shm after it.
Result<void> MakeFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file >= 0) {
    close(file);
    return {};
  }
  return Error(errno == EACCES ? Code::kDenied : Code::kUnavailable,
               "search-sqlite: opening " + path + ": " + std::strerror(errno),
               "does the directory exist, and may we write there?");
}

// a4c_any_word(words, glob): whether one of the words, which stand apart by a space, is the glob.
void AnyWord(sqlite3_context* context, int, sqlite3_value** values) {
  const auto* words = reinterpret_cast<const char*>(sqlite3_value_text(values[0]));
  const auto* glob = reinterpret_cast<const char*>(sqlite3_value_text(values[1]));
  bool found = false;
  std::string word;
  for (std::string_view rest = words == nullptr ? "" : words; !found && !rest.empty();) {
    const size_t end = std::min(rest.find(' '), rest.size());
    word.assign(rest.substr(0, end));
    found = sqlite3_strglob(glob, word.c_str()) == 0;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  sqlite3_result_int(context, found ? 1 : 0);
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)),
      bound_(other.bound_),
      column_(other.column_),
      failed_(other.failed_) {}

Statement::~Statement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

void Statement::Keep(int code) {
  if (failed_ == SQLITE_OK) failed_ = code;
}

Statement& Statement::Bind(std::string_view text) {
  // An empty view may have no address, and SQLite takes that for NULL.
  const char* bytes = text.data() == nullptr ? "" : text.data();
  Keep(sqlite3_bind_text64(statement_, ++bound_, bytes, text.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

Statement& Statement::Bind(int64_t number) {
  Keep(sqlite3_bind_int64(statement_, ++bound_, number));
  return *this;
}

Statement& Statement::Bind(const Scalar& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return Bind(std::string_view(*text));
  if (const auto* number = std::get_if<int64_t>(&value)) return Bind(*number);
  if (const auto* truth = std::get_if<bool>(&value)) return Bind(int64_t{*truth});
  ++bound_;
  if (const auto* real = std::get_if<double>(&value)) {
    Keep(sqlite3_bind_double(statement_, bound_, *real));
  } else {
    Keep(sqlite3_bind_null(statement_, bound_));
  }
  return *this;
}

Result<bool> Statement::Step() {
  if (failed_ != SQLITE_OK) return ToError(failed_, "binding", sqlite3_errstr(failed_));
  column_ = 0;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return ToError(sqlite3_db_handle(statement_), sqlite3_sql(statement_));
}

Result<void> Statement::Run() {
  A4C_TRY([[maybe_unused]] const bool row, Step());
  return {};
}

std::string Statement::Text() {
  const int column = column_++;
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr ? std::string() : std::string(bytes, static_cast<size_t>(size));
}

Scalar Statement::Value(FieldType type) {
  if (sqlite3_column_type(statement_, column_) == SQLITE_NULL) {
    ++column_;
    return {};
  }
  if (type == FieldType::kBool) return Long() != 0;
  if (type == FieldType::kLong || type == FieldType::kTime) return Long();
  if (type == FieldType::kDouble) return sqlite3_column_double(statement_, column_++);
  return Text();
}

Result<std::unique_ptr<Connection>> Connection::Open(const ConnectionOptions& options) {
  A4C_CHECK(MakeFile(options.path));
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(options.path.c_str(), &handle, flags, nullptr);
  std::unique_ptr<Connection> connection(new Connection(handle, options.busy_timeout_ms));
  if (code != SQLITE_OK) return ToError(code, "opening " + options.path, sqlite3_errstr(code));
  auto set_up = connection->SetUp(options);
  if (!set_up) return set_up.error().Within("opening " + options.path);
  return connection;
}

Result<void> Connection::SetUp(const ConnectionOptions& options) {
  sqlite3_extended_result_codes(handle_, 1);
  Obey(nullptr);
  A4C_TRY(const std::string mode, Ask("PRAGMA journal_mode = WAL"));
  if (mode != "wal") {
    return Error(Code::kUnsupported, "search-sqlite: no write-ahead log, but " + mode,
                 "the file system must support shared memory maps: no network file system");
  }
  const int code = sqlite3_create_function_v2(
      handle_, "a4c_any_word", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nullptr,
      AnyWord, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return ToError(code, "adding a function", sqlite3_errstr(code));
  A4C_CHECK(Execute("PRAGMA synchronous = FULL"));
  A4C_CHECK(Execute("PRAGMA journal_size_limit = 67108864"));
  A4C_CHECK(Execute("PRAGMA temp_store = MEMORY"));
  return Execute("PRAGMA cache_size = -" + std::to_string(options.cache_bytes / 1024));
}

Connection::~Connection() {
  DropStatements();
  sqlite3_close(handle_);
}

void Connection::DropStatements() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  statements_.clear();
}

Result<Statement> Connection::Prepare(const std::string& sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                           SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
      return ToError(handle_, sql);
    }
    found = statements_.emplace(sql, statement).first;
  }
  return Statement(found->second);
}

Result<void> Connection::Execute(const std::string& sql) {
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return ToError(handle_, sql);
}

Result<std::string> Connection::Ask(const std::string& sql) {
  A4C_TRY(Statement statement, Prepare(sql));
  A4C_TRY(const bool row, statement.Step());
  return row ? statement.Text() : std::string();
}

void Connection::Obey(const Call* call) {
  const int64_t left = call == nullptr ? busy_timeout_ms_ : call->RemainingMs();
  sqlite3_busy_timeout(handle_, static_cast<int>(std::min(left, busy_timeout_ms_)));
  void* watched = const_cast<Call*>(call);
  sqlite3_progress_handler(handle_, kStepsBetweenLooks, call == nullptr ? nullptr : IsOver,
                           watched);
}

void Connection::RollBack() {
  if (sqlite3_get_autocommit(handle_) == 0) {
    sqlite3_progress_handler(handle_, 0, nullptr, nullptr);
    sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
  if (statements_.size() > kStatementsMax) DropStatements();
}

}  // namespace a4c::search_sqlite
