#include "postgres_session.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "postgres_errors.h"
#include "postgres_security.h"

namespace a4c::search_postgres {
namespace {

constexpr size_t kPreparedMax = 100;
constexpr int64_t kStopPollMs = 50;
constexpr int kReadsMax = 8;

std::string FieldOf(const PGresult* result, int field) {
  const char* text = PQresultErrorField(result, field);
  return text == nullptr ? std::string() : std::string(text);
}

std::optional<Error> WhyOver(const Call& call) {
  if (call.Stopping()) return Error(Code::kCanceled, "search-postgres: asked to stop");
  if (!call.Expired()) return std::nullopt;
  return Error(Code::kTimeout, "search-postgres: PostgreSQL did not answer in time");
}

// Returns when the socket is ready, or some time later.
void PollFor(const Call& call, int socket, short events) {
  const int64_t slice = call.stop.stop_possible() ? kStopPollMs : 1000;
  pollfd waited{socket, events, 0};
  poll(&waited, 1, static_cast<int>(std::min(call.RemainingMs(), slice)));
}

void IgnoreNotice(void*, const PGresult*) {}

// Compiling costs more than it brings for statements of some milliseconds. The first eight digits
// of a WAL file's name are the timeline that is being written.
Statement SetUp(const Options& options) {
  return {
      "SELECT (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user), "
      "EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident($1)) "
      "AND relkind IN ('r', 'v') AND pg_has_role(relowner, 'MEMBER')), "
      "CASE WHEN pg_is_in_recovery() THEN 0 ELSE ('x' || "
      "left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint END, "
      "set_config('jit', 'off', false)",
      {options.schema}};
}

}  // namespace

std::string_view Rows::Text(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<size_t>(PQgetlength(result_.get(), row, column))};
}

int64_t Rows::Int(int row, int column) const {
  const std::string_view text = Text(row, column);
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Result<std::unique_ptr<Session>> Session::Open(const Call& call, const std::string& conninfo,
                                               const Options& options, Role role) {
  std::unique_ptr<Session> session(new Session(PQconnectStart(conninfo.c_str())));
  A4C_CHECK(session->Connect(call));
  PQsetNoticeReceiver(session->connection_.get(), IgnoreNotice, nullptr);
  PQsetnonblocking(session->connection_.get(), 1);
  const Statement set_up = SetUp(options);
  const Reply reply = session->Run(call, {&set_up, 1});
  if (reply.failure) return reply.failure->error.Within("setting up a session");
  if (role == Role::kBound) A4C_CHECK(CheckIsBound(reply.rows[0]));
  session->timeline_ = reply.rows[0].Int(0, 2);
  return session;
}

Result<void> Session::Connect(const Call& call) {
  PGconn* connection = connection_.get();
  for (PostgresPollingStatusType status = PGRES_POLLING_WRITING; status != PGRES_POLLING_OK;
       status = PQconnectPoll(connection)) {
    if (PQstatus(connection) == CONNECTION_BAD || status == PGRES_POLLING_FAILED) {
      return ConnectErrorOf(PQerrorMessage(connection));
    }
    const short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    PollFor(call, PQsocket(connection), events);
    if (auto over = WhyOver(call)) return over->Within("connecting");
  }
  return {};
}

Reply Session::Run(const Call& call, std::span<const Statement> statements) {
  Reply reply;
  RunPipeline(call, statements, reply);
  if (!broken_ && PQtransactionStatus(connection_.get()) != PQTRANS_IDLE) {
    Reply undone;
    const Statement rollback{"ROLLBACK"};
    RunPipeline(call, {&rollback, 1}, undone);
    broken_ = broken_ || undone.failure;
  }
  return reply;
}

void Session::RunPipeline(const Call& call, std::span<const Statement> statements, Reply& reply) {
  std::vector<Owed> owed;
  gave_up_.reset();
  if (PQenterPipelineMode(connection_.get()) != 1 || !Send(statements, owed)) {
    Fail(reply, nullptr);
    return;
  }
  for (const Owed& one : owed) {
    if (!broken_) ReceiveOne(call, one, reply);
  }
  if (!broken_) ReceiveEnd(call, reply);
  if (!broken_ && PQexitPipelineMode(connection_.get()) != 1) broken_ = true;
}

bool Session::Send(std::span<const Statement> statements, std::vector<Owed>& owed) {
  for (const Statement& statement : statements) {
    if (!SendOne(statement, owed)) return false;
  }
  return PQpipelineSync(connection_.get()) == 1;
}

bool Session::SendOne(const Statement& statement, std::vector<Owed>& owed) {
  std::vector<const char*> values;
  for (const auto& param : statement.params) values.push_back(param ? param->c_str() : nullptr);
  const int count = static_cast<int>(values.size());
  auto found = prepared_.find(statement.sql);
  const bool keep = statement.kept && (found != prepared_.end() || prepared_.size() < kPreparedMax);
  if (!keep) {
    owed.push_back({nullptr});
    return PQsendQueryParams(connection_.get(), statement.sql.c_str(), count, nullptr,
                             values.data(), nullptr, nullptr, 0) == 1;
  }
  if (found == prepared_.end()) {
    found = prepared_.emplace(statement.sql, "a4c_" + std::to_string(names_given_++)).first;
    owed.push_back({&found->first});
    if (PQsendPrepare(connection_.get(), found->second.c_str(), statement.sql.c_str(), 0,
                      nullptr) != 1) {
      return false;
    }
  }
  owed.push_back({nullptr});
  return PQsendQueryPrepared(connection_.get(), found->second.c_str(), count, values.data(),
                             nullptr, nullptr, 0) == 1;
}

void Session::ReceiveOne(const Call& call, const Owed& owed, Reply& reply) {
  PGresult* result = Next(call);
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
    Rows rows(result);
    if (owed.prepares == nullptr) reply.rows.push_back(std::move(rows));
  } else {
    Fail(reply, result);
    if (owed.prepares != nullptr) prepared_.erase(prepared_.find(*owed.prepares));
    PQclear(result);
  }
  if (!broken_) PQclear(Next(call));  // the null that ends a statement's answers
}

void Session::ReceiveEnd(const Call& call, Reply& reply) {
  PGresult* result = Next(call);
  const bool ended = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
  if (!ended) {
    Fail(reply, result);
    broken_ = true;
  }
  PQclear(result);
}

PGresult* Session::Next(const Call& call) {
  return Await(call) ? PQgetResult(connection_.get()) : nullptr;
}

// True once PQgetResult would not block.
bool Session::Await(const Call& call) {
  PGconn* connection = connection_.get();
  for (;;) {
    const int unsent = PQflush(connection);
    if (unsent < 0 && PQstatus(connection) == CONNECTION_BAD) return true;  // a result says why
    if (PQisBusy(connection) == 0) return true;
    gave_up_ = WhyOver(call);
    if (gave_up_) {
      broken_ = true;
      return false;
    }
    PollFor(call, PQsocket(connection),
            static_cast<short>(unsent != 0 ? POLLIN | POLLOUT : POLLIN));
    if (PQconsumeInput(connection) != 1) return true;
  }
}

// The first failure counts: what comes after it was not tried.
void Session::Fail(Reply& reply, const PGresult* result) {
  const std::string state = FieldOf(result, PG_DIAG_SQLSTATE);
  const bool skipped = PQresultStatus(result) == PGRES_PIPELINE_ABORTED;
  if (!skipped && EndsSession(state)) broken_ = true;
  if (reply.failure) return;
  std::string message = FieldOf(result, PG_DIAG_MESSAGE_PRIMARY);
  if (message.empty()) message = PQerrorMessage(connection_.get());
  reply.failure = Failure{state, gave_up_ ? *gave_up_ : ErrorOf(state, message)};
}

bool Session::Usable() {
  PGconn* connection = connection_.get();
  if (broken_ || PQstatus(connection) != CONNECTION_OK) return false;
  // A server that says goodbye sends a word first and then the end, each read by itself.
  for (int reads = 0; reads < kReadsMax; ++reads) {
    pollfd waited{PQsocket(connection), POLLIN, 0};
    if (poll(&waited, 1, 0) == 0) break;
    if (PQconsumeInput(connection) != 1) return false;
  }
  return PQstatus(connection) == CONNECTION_OK && PQtransactionStatus(connection) == PQTRANS_IDLE;
}

}  // namespace a4c::search_postgres
