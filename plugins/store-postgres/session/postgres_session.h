// Session: one connection to the server, opened by Poco and used by one thread at a time.
//
// Ordinary statements go through poco(). Batches go through Run(), which sends several statements
// in one libpq pipeline on the same connection: one round trip, and without a BEGIN among them one
// transaction, which commits when the server reads the end of the pipeline.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/call.h"
#include "a4c/clock.h"
#include "a4c/result.h"
#include "session/postgres_options.h"

namespace Poco::Data {
class Session;
}

namespace a4c::postgres {

struct Statement {
  std::string sql;
  std::vector<std::string> params = {};  // in binary
};

// What one statement answered, in binary.
class Rows {
 public:
  explicit Rows(PGresult* result) : result_(result, PQclear) {}
  int size() const { return PQntuples(result_.get()); }
  bool IsNull(int row, int column) const { return PQgetisnull(result_.get(), row, column) == 1; }
  std::string_view Bytes(int row, int column) const;
  int64_t Int(int row, int column) const;
  bool Bool(int row, int column) const { return Bytes(row, column)[0] != 0; }
  int64_t affected() const;

 private:
  std::unique_ptr<PGresult, decltype(&PQclear)> result_;
};

struct Failure {
  size_t statement = 0;  // that failed; as many as there are: the end of the pipeline, a commit
  std::string sqlstate = {};    // empty: the connection was lost, or the time was up
  std::string constraint = {};  // the index of a unique violation
  bool fatal = false;           // the server ended the session with it
  Error error;

  // True if the transaction cannot have been committed by statement number `commit`.
  bool ProvesRollback(size_t commit) const;
};

struct Reply {
  std::vector<Rows> rows = {};
  std::optional<Failure> failure = {};
  // Why a commit that was answered may be on this one server alone; null if it is not. Its outcome
  // is unknown.
  const char* doubt = nullptr;
};

// What the server said of itself when the session was opened.
struct ServerFacts {
  int64_t timeline = 0;  // that it writes; 0: it is a standby
  bool names_standbys = false;
  bool waits_for_standbys = false;
  bool flushes_commits = false;        // before it acknowledges them (synchronous_commit)
  bool syncs_files = false;            // fsync
  bool bypasses_row_security = false;  // the role of the session: a superuser, BYPASSRLS,
  bool owns_tables = false;            // or the owner of a table in the schema
};

class Session {
 public:
  virtual ~Session() = default;
  const ServerFacts& facts() const { return facts_; }
  // When the server last answered.
  int64_t heard_ms() const { return heard_ms_; }
  // The last Run ended without an answer: its time was up, or the connection was lost.
  bool unanswered() const { return unanswered_; }
  // What it commits has to be on a standby before it is acknowledged (durability: replicated).
  bool replicates() const { return replicates_; }
  // Its server is not any more what it was when the session was opened: it is of no more use, and
  // neither are the others to that server.
  void Retire() { retired_ = true; }
  bool retired() const { return retired_; }
  virtual std::string server() const = 0;  // host:port
  // Sends all and waits for all. Gives up at the deadline or when asked to stop: the session is
  // then broken. What was prepared once is not prepared again.
  virtual Reply Run(std::span<const Statement> statements, int64_t deadline_ms,
                    const std::stop_token& stop = {}) = 0;
  // Run, of what commits. A session that replicates() also learns, in the same round trip, whether
  // commits still wait for a standby behind this one; if not there is doubt, and it retires.
  virtual Reply Commit(std::span<const Statement> statements, int64_t deadline_ms) = 0;
  virtual Poco::Data::Session& poco() = 0;
  // Turns a Poco exception that is being handled into an Error, by the server's SQLSTATE.
  virtual Error CaughtError() = 0;
  // False once it retired, the connection is lost, was left inside a transaction, or its server is
  // no primary; looks for a word of farewell from the server first.
  virtual bool Usable() = 0;
  virtual int64_t backend_pid() const = 0;  // of the process on the server

 protected:
  ServerFacts facts_;
  int64_t heard_ms_ = 0;
  bool unanswered_ = false;
  bool replicates_ = false;
  bool retired_ = false;
};

// Connects and sets up the session, in the time that the call has (but for Poco's connect).
Result<std::unique_ptr<Session>> OpenSession(const Call& call, const std::string& conninfo,
                                             const Options& options);

}  // namespace a4c::postgres
