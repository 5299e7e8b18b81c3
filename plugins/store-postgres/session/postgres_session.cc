#include "session/postgres_session.h"

#include <Poco/AutoPtr.h>
#include <Poco/Data/PostgreSQL/SessionImpl.h>
#include <Poco/Data/Session.h>
#include <Poco/Exception.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <utility>

#include "session/postgres_binary.h"
#include "session/postgres_error.h"
#include "session/postgres_probe.h"
#include "session/postgres_server.h"

namespace a4c::postgres {
namespace {

using PocoImpl = Poco::Data::PostgreSQL::SessionImpl;

constexpr size_t kPreparedMax = 500;
constexpr int64_t kStopPollMs = 50;
constexpr const char* kSyncWaitCanceled =
    "the commit may not have reached a standby: the wait for it was cancelled";
constexpr const char* kNotLearned = "it was not learned whether the commit waited for a standby";

std::string Text(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

std::string FieldOf(const PGresult* result, int field) {
  return Text(PQresultErrorField(result, field));
}

// Known by the server's function, because the text is in the server's language and the SQLSTATE
// that of any warning. After such a warning COMMIT is answered as if all were well.
bool IsSyncWaitCanceled(const PGresult* notice) {
  return FieldOf(notice, PG_DIAG_SEVERITY_NONLOCALIZED) == "WARNING" &&
         FieldOf(notice, PG_DIAG_SOURCE_FUNCTION) == "SyncRepWaitForLSN";
}

void ReceiveNotice(void* flag, const PGresult* notice) {
  if (IsSyncWaitCanceled(notice)) *static_cast<bool*>(flag) = true;
}

class PocoSession final : public Session {
 public:
  PocoSession(Poco::AutoPtr<PocoImpl> impl, const Clock& clock)
      : clock_(clock),
        impl_(std::move(impl)),
        poco_(std::in_place, impl_),
        connection_(impl_->handle()) {
    PQsetNoticeReceiver(connection_, ReceiveNotice, &sync_wait_canceled_);
    PQsetErrorVerbosity(connection_, PQERRORS_VERBOSE);  // Poco's exceptions carry the text alone
    PQsetnonblocking(connection_, 1);
  }
  // Poco 1.11 forgets to free a connection that was cut (poco#4231), and leaves it to us.
  ~PocoSession() override {
    const bool cut = PQstatus(connection_) != CONNECTION_OK;
    poco_.reset();
    impl_.reset();
    if (cut) PQfinish(connection_);
  }
  PocoSession(const PocoSession&) = delete;
  PocoSession& operator=(const PocoSession&) = delete;

  Reply Run(std::span<const Statement> statements, int64_t deadline_ms,
            const std::stop_token& stop) override;
  Reply Commit(std::span<const Statement> statements, int64_t deadline_ms) override;
  Poco::Data::Session& poco() override { return *poco_; }
  Error CaughtError() override;
  bool Usable() override;
  int64_t backend_pid() const override { return PQbackendPID(connection_); }
  std::string server() const override {
    return Text(PQhost(connection_)) + ":" + Text(PQport(connection_));
  }
  Result<void> SetUp(const Call& call, const Options& options);

 private:
  // One answer that the pipeline owes us: of a Prepare or of a statement.
  struct Owed {
    size_t statement;
    const std::string* prepares;  // its SQL, or null
  };

  // What goes up to the end of a transaction, and comes back for it.
  struct Exchange {
    std::span<const Statement> statements;
    std::vector<Owed> owed = {};
    Reply reply = {};
  };

  void RunExchanges(std::span<Exchange> exchanges, int64_t deadline_ms,
                    const std::stop_token& stop);
  void RunPipeline(std::span<Exchange> exchanges);
  bool Send(std::span<const Statement> statements, std::vector<Owed>& owed);
  bool SendOne(const Statement& statement, size_t number, std::vector<Owed>& owed);
  void Receive(const std::vector<Owed>& owed, Reply& reply);
  void ReceiveOne(const Owed& owed, Reply& reply);
  void ReceiveEnd(size_t statements, Reply& reply);
  PGresult* Next();
  bool WaitForAnswer();
  Failure Lost(size_t statement);
  Failure FailureOf(const PGresult* result, size_t statement);

  const Clock& clock_;
  Poco::AutoPtr<PocoImpl> impl_;
  std::optional<Poco::Data::Session> poco_;
  PGconn* connection_;
  std::map<std::string, std::string> prepared_;  // SQL to name
  int64_t names_given_ = 0;
  bool sync_wait_canceled_ = false;
  bool broken_ = false;
  int64_t deadline_ms_ = 0;
  std::stop_token stop_;
  std::optional<Error> gave_up_;
};

Reply PocoSession::Run(std::span<const Statement> statements, int64_t deadline_ms,
                       const std::stop_token& stop) {
  Exchange exchange{statements};
  RunExchanges({&exchange, 1}, deadline_ms, stop);
  return std::move(exchange.reply);
}

// Asked behind the commit, because a commit that waits is let go when the names of the standbys are
// taken away, without a warning. The server tells its sessions of new settings before the process
// that lets them go, and a session reads them before its next statement.
Reply PocoSession::Commit(std::span<const Statement> statements, int64_t deadline_ms) {
  if (!replicates_) return Run(statements, deadline_ms, {});
  static const Statement kLook{std::string("SELECT ") + kWaitsSql};
  std::array<Exchange, 2> exchanges{Exchange{statements}, Exchange{{&kLook, 1}}};
  RunExchanges(exchanges, deadline_ms, {});
  Reply& reply = exchanges[0].reply;
  if (reply.failure) return std::move(reply);
  const std::vector<Rows>& look = exchanges[1].reply.rows;
  if (look.empty()) {
    reply.doubt = kNotLearned;
  } else if (!look[0].Bool(0, 0)) {
    reply.doubt = kNoStandbyAskedFor;
    Retire();
  }
  return std::move(reply);
}

void PocoSession::RunExchanges(std::span<Exchange> exchanges, int64_t deadline_ms,
                               const std::stop_token& stop) {
  deadline_ms_ = deadline_ms;
  stop_ = stop;
  gave_up_.reset();
  sync_wait_canceled_ = false;
  RunPipeline(exchanges);
  if (sync_wait_canceled_) exchanges[0].reply.doubt = kSyncWaitCanceled;
  const auto lost = std::ranges::find_if(exchanges, [](const Exchange& exchange) {
    return exchange.reply.failure && exchange.reply.failure->sqlstate.empty();
  });
  if (lost == exchanges.end()) heard_ms_ = clock_.MonotonicMs();
  unanswered_ = lost != exchanges.end() && lost->reply.failure->error.code() != Code::kCanceled;
}

void PocoSession::RunPipeline(std::span<Exchange> exchanges) {
  bool sent = PQenterPipelineMode(connection_) == 1;
  for (Exchange& exchange : exchanges) sent = sent && Send(exchange.statements, exchange.owed);
  if (!sent) {
    exchanges[0].reply.failure = Lost(0);
    return;
  }
  for (Exchange& exchange : exchanges) {
    if (!broken_) Receive(exchange.owed, exchange.reply);
    if (!broken_) ReceiveEnd(exchange.statements.size(), exchange.reply);
  }
  if (!broken_ && PQexitPipelineMode(connection_) != 1) broken_ = true;
}

bool PocoSession::Send(std::span<const Statement> statements, std::vector<Owed>& owed) {
  for (size_t i = 0; i < statements.size(); ++i) {
    if (!SendOne(statements[i], i, owed)) return false;
  }
  return PQpipelineSync(connection_) == 1;
}

bool PocoSession::SendOne(const Statement& statement, size_t number, std::vector<Owed>& owed) {
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const std::string& param : statement.params) {
    values.push_back(param.data());
    lengths.push_back(static_cast<int>(param.size()));
  }
  const std::vector<int> formats(values.size(), 1);
  const int count = static_cast<int>(values.size());
  const auto found = prepared_.find(statement.sql);
  if (found == prepared_.end() && prepared_.size() >= kPreparedMax) {
    owed.push_back({number, nullptr});
    return PQsendQueryParams(connection_, statement.sql.c_str(), count, nullptr, values.data(),
                             lengths.data(), formats.data(), 1) == 1;
  }
  std::string name = "a4c_" + std::to_string(names_given_);
  if (found != prepared_.end()) {
    name = found->second;
  } else {
    ++names_given_;
    const auto added = prepared_.emplace(statement.sql, name).first;
    owed.push_back({number, &added->first});
    if (PQsendPrepare(connection_, name.c_str(), statement.sql.c_str(), 0, nullptr) != 1) {
      return false;
    }
  }
  owed.push_back({number, nullptr});
  return PQsendQueryPrepared(connection_, name.c_str(), count, values.data(), lengths.data(),
                             formats.data(), 1) == 1;
}

void PocoSession::Receive(const std::vector<Owed>& owed, Reply& reply) {
  for (const Owed& one : owed) {
    if (broken_) return;
    ReceiveOne(one, reply);
  }
}

void PocoSession::ReceiveOne(const Owed& owed, Reply& reply) {
  PGresult* result = Next();
  if (result == nullptr) {
    if (!reply.failure) reply.failure = Lost(owed.statement);
    broken_ = true;
    return;
  }
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
    Rows rows(result);
    if (owed.prepares == nullptr) reply.rows.push_back(std::move(rows));
  } else {
    if (!reply.failure) reply.failure = FailureOf(result, owed.statement);
    if (owed.prepares != nullptr) prepared_.erase(prepared_.find(*owed.prepares));
    PQclear(result);
    if (reply.failure->fatal || reply.failure->sqlstate.empty()) broken_ = true;
  }
  if (broken_) return;
  PQclear(Next());  // the null that ends a statement's answers
}

// The transaction of a pipeline without BEGIN commits here, so it can also fail here.
void PocoSession::ReceiveEnd(size_t statements, Reply& reply) {
  for (int nulls = 0;;) {
    PGresult* result = Next();
    if (result == nullptr) {
      // A failed commit is answered by an error and a null before the end.
      if (PQstatus(connection_) == CONNECTION_OK && !gave_up_ && ++nulls < 3) continue;
      if (!reply.failure) reply.failure = Lost(statements);
      broken_ = true;
      return;
    }
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_FATAL_ERROR && !reply.failure) {
      reply.failure = FailureOf(result, statements);
    }
    PQclear(result);
    if (status == PGRES_PIPELINE_SYNC) return;
    if (reply.failure && (reply.failure->fatal || reply.failure->sqlstate.empty())) {
      broken_ = true;
      return;
    }
  }
}

PGresult* PocoSession::Next() {
  return WaitForAnswer() ? PQgetResult(connection_) : nullptr;
}

// True once PQgetResult would not block.
bool PocoSession::WaitForAnswer() {
  for (;;) {
    const int unsent = PQflush(connection_);
    if (unsent < 0 && PQstatus(connection_) == CONNECTION_BAD) return true;  // a result says why
    if (PQisBusy(connection_) == 0) return true;
    const int64_t left =
        deadline_ms_ == Waiter::kForever ? Waiter::kForever : deadline_ms_ - clock_.MonotonicMs();
    if (stop_.stop_requested()) gave_up_ = Error(Code::kCanceled, "asked to stop");
    if (left <= 0) gave_up_ = Error(Code::kTimeout, "PostgreSQL did not answer in time");
    if (gave_up_) {
      broken_ = true;
      return false;
    }
    pollfd waited{PQsocket(connection_), POLLIN, 0};
    if (unsent != 0) waited.events |= POLLOUT;
    const int64_t slice = stop_.stop_possible() ? kStopPollMs : 1000;
    if (poll(&waited, 1, static_cast<int>(std::min(left, slice))) < 0 && errno != EINTR) {
      return true;
    }
    if ((waited.revents & (POLLIN | POLLERR | POLLHUP)) != 0) PQconsumeInput(connection_);
  }
}

Failure PocoSession::Lost(size_t statement) {
  broken_ = true;
  Error error = gave_up_ ? *gave_up_ : ErrorOf("", PQerrorMessage(connection_));
  return {.statement = statement, .error = std::move(error)};
}

Failure PocoSession::FailureOf(const PGresult* result, size_t statement) {
  const std::string state = FieldOf(result, PG_DIAG_SQLSTATE);
  std::string message = FieldOf(result, PG_DIAG_MESSAGE_PRIMARY);
  if (message.empty()) message = PQerrorMessage(connection_);
  if (EndsSession(state)) broken_ = true;
  const std::string severity = FieldOf(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  return {.statement = statement,
          .sqlstate = state,
          .constraint = FieldOf(result, PG_DIAG_CONSTRAINT_NAME),
          .fatal = severity != "ERROR",
          .error = ErrorOf(state, message)};
}

// A verbose message reads "ERROR:  42P01: relation ...", its first word in the server's language.
Error PocoSession::CaughtError() {
  std::string message = "unknown exception";
  try {
    throw;
  } catch (const Poco::Exception& e) {
    message = e.message();
  } catch (const std::exception& e) {
    message = e.what();
  }
  if (PQstatus(connection_) != CONNECTION_OK) {
    broken_ = true;
    return ErrorOf("", message);
  }
  for (size_t at = message.find(":  "); at != std::string::npos; at = message.find(":  ", at + 1)) {
    const std::string state = message.substr(at + 3, 5);
    const bool is_state = state.size() == 5 && message.substr(at + 8, 1) == ":" &&
                          std::ranges::all_of(state, [](char c) {
                            return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
                          });
    if (is_state) return ErrorOf(state, message);
  }
  return ErrorOf("XX000", message);
}

bool PocoSession::Usable() {
  if (broken_ || retired() || PQstatus(connection_) != CONNECTION_OK) return false;
  pollfd waited{PQsocket(connection_), POLLIN, 0};
  if (poll(&waited, 1, 0) > 0 && PQconsumeInput(connection_) != 1) return false;
  return PQstatus(connection_) == CONNECTION_OK && PQtransactionStatus(connection_) == PQTRANS_IDLE;
}

// Plans are made once, without looking at values, and with nothing but index scans and nested loops
// to choose from: a plan that was made while the table was small stays right when it has grown.
// Warnings are sent whatever the role or the database says: see IsSyncWaitCanceled.
std::vector<Statement> SettingsOf(const Options& options) {
  const std::string timeouts = "SELECT set_config('statement_timeout', '" +
                               std::to_string(options.statement_timeout_ms) +
                               "', false), set_config('lock_timeout', '" +
                               std::to_string(options.lock_timeout_ms) + "', false)";
  return {ServerFactsOf(options),
          {timeouts},
          {"SELECT set_config(name, 'off', false) FROM unnest('{enable_seqscan,enable_hashjoin,"
           "enable_mergejoin,enable_bitmapscan,jit}'::text[]) AS name"},
          {"SELECT set_config('plan_cache_mode', 'force_generic_plan', false),"
           " set_config('default_transaction_isolation', 'read committed', false),"
           " set_config('client_min_messages', 'warning', false),"
           " set_config('a4c.writer', 'plugin', false)"}};
}

Result<void> PocoSession::SetUp(const Call& call, const Options& options) {
  const Reply reply = Run(SettingsOf(options), call.deadline_ms, call.stop);
  if (reply.failure) return reply.failure->error.Within("setting up a session to " + server());
  facts_ = ServerFactsFrom(reply.rows.at(0));
  replicates_ = options.durability == Durability::kReplicated;
  return {};
}

}  // namespace

std::string_view Rows::Bytes(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<size_t>(PQgetlength(result_.get(), row, column))};
}

int64_t Rows::Int(int row, int column) const {
  return Int64FromBinary(Bytes(row, column));
}

int64_t Rows::affected() const {
  const std::string text = PQcmdTuples(result_.get());
  return text.empty() ? 0 : std::stoll(text);
}

bool Failure::ProvesRollback(size_t commit) const {
  if (sqlstate.empty()) return false;
  return !fatal || statement < commit;
}

// Poco 1.11 leaks the connection if connecting fails (poco#4231): it is only asked to when it can.
// It also has no deadline but libpq's connect_timeout, which is two seconds at least: that is how
// long a server may hold a caller who falls silent in between.
Result<std::unique_ptr<Session>> OpenSession(const Call& call, const std::string& conninfo,
                                             const Options& options) {
  A4C_TRY(const std::string to_address, Probe(call, conninfo));
  std::unique_ptr<PocoSession> session;
  try {
    const Poco::AutoPtr<PocoImpl> impl(new PocoImpl(to_address));
    session = std::make_unique<PocoSession>(impl, call.clock);
  } catch (const Poco::Exception& e) {
    return ConnectErrorOf(e.message());
  }
  A4C_CHECK(session->SetUp(call, options));
  return std::unique_ptr<Session>(std::move(session));
}

}  // namespace a4c::postgres
