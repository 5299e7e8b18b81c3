// A connection over libpq: statements go out in one pipeline, and all answers come back. [one
// thread at a time]
#pragma once

#include <libpq-fe.h>

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/call.h"
#include "a4c/result.h"
#include "postgres_options.h"

namespace a4c::search_postgres {

struct Statement {
  std::string sql;
  std::vector<std::optional<std::string>> params = {};  // text format; nothing: NULL
  bool kept = false;  // prepared once a session; others are planned for their values
};

class Rows {
 public:
  explicit Rows(PGresult* result) : result_(result, PQclear) {}
  int size() const { return PQntuples(result_.get()); }
  bool IsNull(int row, int column) const { return PQgetisnull(result_.get(), row, column) == 1; }
  std::string_view Text(int row, int column) const;
  int64_t Int(int row, int column) const;

 private:
  std::unique_ptr<PGresult, decltype(&PQclear)> result_;
};

struct Failure {
  std::string sqlstate = {};  // empty: the connection was lost, or the time was up
  Error error;
};

struct Reply {
  std::vector<Rows> rows = {};  // one a statement, as far as they succeeded
  std::optional<Failure> failure = {};
};

// As whom a session works. Without row_security there is one role.
enum class Role : uint8_t {
  kOwner,  // of the tables: sees and writes all
  kBound,  // sees what is in the scopes of its transaction, and writes nothing
};

class Session {
 public:
  // Connects within the call. kInvalid: a role that nothing would bind.
  static Result<std::unique_ptr<Session>> Open(const Call& call, const std::string& conninfo,
                                               const Options& options, Role role);

  // Statements, which begin and commit by themselves; a transaction that is left open is rolled
  // back. Gives up when the call is over: the session is then broken.
  Reply Run(const Call& call, std::span<const Statement> statements);
  // False once the connection is lost, or its server said that it is a standby; looks for a word of
  // farewell from the server first.
  bool Usable();
  // That the server wrote when the session was opened; 0: it was a standby.
  int64_t timeline() const { return timeline_; }

 private:
  // One answer that the pipeline owes us.
  struct Owed {
    const std::string* prepares;  // the SQL that it prepares, or null
  };

  explicit Session(PGconn* connection) : connection_(connection, PQfinish) {}
  Result<void> Connect(const Call& call);
  bool Send(std::span<const Statement> statements, std::vector<Owed>& owed);
  bool SendOne(const Statement& statement, std::vector<Owed>& owed);
  void ReceiveOne(const Call& call, const Owed& owed, Reply& reply);
  void ReceiveEnd(const Call& call, Reply& reply);
  bool Await(const Call& call);
  PGresult* Next(const Call& call);
  void Fail(Reply& reply, const PGresult* result);
  void RunPipeline(const Call& call, std::span<const Statement> statements, Reply& reply);

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
  std::map<std::string, std::string> prepared_;  // SQL to name
  int64_t names_given_ = 0;
  int64_t timeline_ = 0;
  bool broken_ = false;
  std::optional<Error> gave_up_;
};

}  // namespace a4c::search_postgres
