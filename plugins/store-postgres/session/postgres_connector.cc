#include "session/postgres_connector.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "a4c/batch_rules.h"
#include "a4c/sinks.h"
#include "session/postgres_error.h"
#include "session/postgres_server.h"

namespace a4c::postgres {

namespace {

// Where the call is over that is what counts, and not that the servers might answer later.
Error Because(const Call& call, const Error& failure) {
  const Result<void> in_time = CheckCall(call);
  if (in_time) return failure;
  return Error(in_time.error().code(), in_time.error().message() + "; " + failure.message(),
               failure.hint());
}

}  // namespace

Result<std::unique_ptr<Session>> Connector::Connect(const Call& call) {
  return Connect(call, options_);
}

Result<std::unique_ptr<Session>> Connector::Connect(const Call& call, const Options& options) {
  A4C_CHECK(CheckCall(call));
  if (timeline_seen_ == 0) LookAround(ForOne(call, 2));
  const size_t first = served_last_;
  std::optional<Error> failure;
  for (size_t i = 0; i < conninfos_.size(); ++i) {
    if (failure && !CheckCall(call)) break;
    const size_t server = (first + i) % conninfos_.size();
    auto session = ConnectTo(ForOne(call, conninfos_.size() - i), server, options);
    if (session) {
      served_last_ = server;
      return session;
    }
    failure = Together(failure, session.error());
  }
  return Because(call, *failure);
}

// Of the time that is left one of so many shares, and no more than connect_timeout.
Call Connector::ForOne(Call call, size_t shares) const {
  const int64_t share_ms = call.RemainingMs() / static_cast<int64_t>(shares);
  call.deadline_ms = call.clock.MonotonicMs() + std::min(options_.connect_timeout_ms, share_ms);
  return call;
}

Result<std::unique_ptr<Session>> Connector::ConnectTo(const Call& call, size_t server,
                                                      const Options& options) {
  A4C_TRY(std::unique_ptr<Session> session, OpenSession(call, conninfos_[server], options));
  if (wanted_ == Wanted::kReplica) {
    A4C_CHECK(CheckFollows(call, *session));
    return session;
  }
  A4C_CHECK(CheckFit(*session));
  NoteTimeline(*session);
  return session;
}

// So that one which is left behind does not hide another.
Result<void> Connector::CheckFollows(const Call& call, Session& session) const {
  const Statement ask = ReplicaFactsOf();
  const Reply reply = session.Run({&ask, 1}, call.deadline_ms, call.stop);
  if (reply.failure) return reply.failure->error.Within(session.server());
  const Result<void> fit = CheckReplica(ReplicaFactsFrom(reply.rows.at(0)), timeline_seen_);
  if (!fit) return fit.error().Within(session.server());
  return {};
}

Result<void> Connector::CheckFit(const Session& session) {
  Result<void> fit = CheckPrimary(session.facts(), timeline_seen_, options_);
  if (fit && options_.row_security && wanted_ == Wanted::kPrimary) {
    fit = CheckIsBound(session.facts());
  }
  if (fit) {
    any_was_fit_ = true;
    return {};
  }
  const Error& error = fit.error();
  const bool for_now = error.code() == Code::kInvalid && any_was_fit_;
  return Error(for_now ? Code::kUnavailable : error.code(), error.message(), error.hint())
      .Within(session.server());
}

// Nothing is noted before all have answered: who connects meanwhile asks for himself.
void Connector::LookAround(const Call& call) {
  if (wanted_ == Wanted::kReplica || conninfos_.size() < 2) return;
  const Call once = ForOne(call, 1);
  std::vector<std::unique_ptr<Session>> found(conninfos_.size());
  {
    std::vector<std::unique_ptr<Thread>> asking;
    for (size_t i = 0; i < conninfos_.size(); ++i) {
      const auto ask = [&, i](const std::stop_token&) {
        auto session = OpenSession(once, conninfos_[i], options_);
        if (session) found[i] = *std::move(session);
      };
      try {
        asking.push_back(runtime_.threads.Start("pg-look", ask));
      } catch (const std::system_error& e) {  // a server that did not answer
        runtime_.log.Write(LogLevel::kWarning, "store-postgres",
                           "no thread could be started to ask a server", {{"error", e.what()}});
      }
    }
  }
  const auto newest = std::ranges::max_element(found, {}, [](const auto& session) {
    return session == nullptr ? 0 : session->facts().timeline;
  });
  if (*newest != nullptr) NoteTimeline(**newest);
}

void Connector::NoteTimeline(const Session& session) {
  const int64_t timeline = session.facts().timeline;
  int64_t seen = timeline_seen_;
  while (seen < timeline && !timeline_seen_.compare_exchange_weak(seen, timeline)) {
  }
  if (seen == 0 || seen >= timeline) return;
  runtime_.metrics.Count("a4c_store_postgres_failovers_total", {});
  runtime_.log.Write(LogLevel::kWarning, "store-postgres", "another server is primary now",
                     {{"server", session.server()}, {"timeline", std::to_string(timeline)}});
}

}  // namespace a4c::postgres
