#include "session/postgres_connector.h"

#include <utility>

#include "a4c/sinks.h"
#include "session/postgres_server.h"

namespace a4c::postgres {

Result<std::unique_ptr<Session>> Connector::Connect() {
  return Connect(options_);
}

Result<std::unique_ptr<Session>> Connector::Connect(const Options& options) {
  const size_t first = served_last_;
  std::optional<Error> failure;
  for (size_t i = 0; i < conninfos_.size(); ++i) {
    const size_t server = (first + i) % conninfos_.size();
    auto session = ConnectTo(server, options);
    if (session) {
      served_last_ = server;
      return session;
    }
    // Of several, the one that a retry cannot help tells more than one that is down.
    const Error& error = session.error();
    if (!failure) {
      failure = error;
    } else {
      const Error& told = failure->retryable() ? error : *failure;
      failure = Error(told.code(), failure->message() + "; " + error.message(), told.hint());
    }
  }
  return *failure;
}

Result<std::unique_ptr<Session>> Connector::ConnectTo(size_t server, const Options& options) {
  A4C_TRY(std::unique_ptr<Session> session,
          OpenSession(conninfos_[server], options, runtime_.clock));
  if (wanted_ == Wanted::kReplica) return session;
  const int64_t timeline = session->facts().timeline;
  Result<void> fit = CheckPrimary(session->facts(), timeline_seen_, options_);
  if (fit && options_.row_security && wanted_ == Wanted::kPrimary) {
    fit = CheckIsBound(session->facts());
  }
  if (!fit) return fit.error().Within(session->server());
  int64_t seen = timeline_seen_;
  while (seen < timeline && !timeline_seen_.compare_exchange_weak(seen, timeline)) {
  }
  if (seen != 0 && seen < timeline) {
    runtime_.metrics.Count("a4c_store_postgres_failovers_total", {});
    runtime_.log.Write(LogLevel::kWarning, "store-postgres", "another server is primary now",
                       {{"server", session->server()}, {"timeline", std::to_string(timeline)}});
  }
  return session;
}

}  // namespace a4c::postgres
