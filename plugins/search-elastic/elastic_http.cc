#include "elastic_http.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/Timespan.h>

#include <algorithm>
#include <istream>
#include <optional>
#include <vector>

#include "a4c/sinks.h"

namespace a4c::elastic {
namespace {

constexpr int64_t kDownMs = 1'000;   // how long a node that failed is asked last
constexpr int kDepthMax = 1'100;     // of answers: a body is a string in them
constexpr int kSilentMax = 2;        // so many silent nodes does one request wait for
constexpr int kRefusedForNow = 429;  // this status and those of servers: it may be done later

struct Node {
  std::string url;
  std::vector<std::unique_ptr<Session>> idle = {};
  int64_t down_until_ms = 0;
  bool silent = false;  // it let the last request wait for all of its time
};

struct Turn {
  size_t index = 0;
  bool was_silent = false;
};

// What one attempt came to, beside its answer: whether another may do better.
struct Failure {
  std::string what;
  std::string hint = {};
  bool sent = false;
  bool timed_out = false;
};

Poco::Timespan Milliseconds(int64_t ms) {
  return {ms / 1000, (ms % 1000) * 1000};
}

class Pool final : public HttpPool {
 public:
  Pool(const HttpOptions& options, const Runtime& runtime, SessionFactory factory)
      : options_(options),
        runtime_(runtime),
        factory_(std::move(factory)),
        waiter_(runtime.threads.NewWaiter()) {
    for (const std::string& url : options_.urls) nodes_.push_back({.url = url});
  }

  Result<HttpAnswer> Send(const Call& call, const HttpRequest& request) override {
    A4C_CHECK(TakeSlot(call));
    const Slot slot(*this);
    return SendToAnyNode(call, request);
  }

 private:
  // One that was taken is given back, also where something is thrown.
  class Slot {
   public:
    explicit Slot(Pool& pool) : pool_(pool) {}
    ~Slot() {
      const Waiter::Lock lock(*pool_.waiter_);
      ++pool_.free_;
      pool_.waiter_->NotifyAll();
    }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;

   private:
    Pool& pool_;
  };

  Result<void> TakeSlot(const Call& call) {
    const Waiter::Lock lock(*waiter_);
    while (free_ == 0) {
      if (call.Stopping()) return Error(Code::kCanceled, "search-elastic: asked to stop");
      if (call.Expired()) {
        return Error(Code::kExhausted, "search-elastic: all connections are busy",
                     "raise connections_max");
      }
      // Wakes now and then to look at the stop token, of which the waiter knows nothing.
      waiter_->Wait(std::min(call.deadline_ms, call.clock.MonotonicMs() + 100));
    }
    --free_;
    return {};
  }

  // Every node once; the first may fail twice, as a kept connection that the server has closed says
  // nothing about the server. Of nodes that are silent no more than two are waited for: a request
  // may be slow by itself, and each further node would only work on it too.
  Result<HttpAnswer> SendToAnyNode(const Call& call, const HttpRequest& request) {
    std::optional<Error> last;
    int silent = 0;
    const std::vector<Turn> turns = NodesInTurn(request.effect);
    for (size_t i = 0; i < turns.size() && silent < kSilentMax; ++i) {
      const bool shares = request.effect == Effect::kReads && silent == 0 && i + 1 < turns.size();
      const int64_t wait_ms = shares ? ShareMs(call, turns[i]) : call.RemainingMs();
      Failure failure;
      for (bool reused = true; reused && !failure.timed_out;) {
        if (call.Stopping() || call.Expired()) return ErrorOfEnd(call, last);
        std::unique_ptr<Session> session = TakeIdle(turns[i].index);
        reused = session != nullptr;
        if (!reused) session = factory_(nodes_[turns[i].index].url);
        failure = {};
        auto answer = Attempt(Within(call, wait_ms), request, *session, failure);
        if (answer) Keep(turns[i].index, std::move(session));
        if (answer && IsUnknown(last) && answer->status >= kRefusedForNow) return *last;
        if (answer || failure.what.empty()) return answer;
        // A write that may have been done stays so, whatever becomes of it elsewhere.
        if (!IsUnknown(last)) last = ErrorOf(turns[i].index, failure, request.effect);
      }
      MarkDown(turns[i].index, failure);
      if (failure.timed_out && failure.sent) ++silent;
    }
    return last.value_or(Error(Code::kUnavailable, "search-elastic: no node"));
  }

  static bool IsUnknown(const std::optional<Error>& error) {
    return error && error->unknown_outcome();
  }

  Error ErrorOf(size_t index, const Failure& failure, Effect effect) const {
    const Error error =
        ErrorOfConnection(nodes_[index].url, failure.what, failure.sent, failure.timed_out, effect);
    return failure.hint.empty() ? error : Error(error.code(), error.message(), failure.hint);
  }

  static Error ErrorOfEnd(const Call& call, const std::optional<Error>& last) {
    if (IsUnknown(last)) return *last;
    if (call.Stopping()) return Error(Code::kCanceled, "search-elastic: asked to stop");
    return last.value_or(Error(Code::kTimeout, "search-elastic: the time is up"));
  }

  // How long a read may wait for this node, so that another can answer in what is left. Who was
  // silent the last time gets less: it only has to show that it answers again.
  int64_t ShareMs(const Call& call, const Turn& turn) const {
    const int64_t half_ms = std::min(call.RemainingMs(), options_.request_timeout_ms) / 2;
    return turn.was_silent ? std::min(half_ms, options_.connect_timeout_ms) : half_ms;
  }

  static Call Within(const Call& call, int64_t wait_ms) {
    Call part = call;
    part.deadline_ms = std::min(call.deadline_ms, call.clock.MonotonicMs() + wait_ms);
    return part;
  }

  // Fills `failure` if the connection failed; an error without it is final.
  Result<HttpAnswer> Attempt(const Call& call, const HttpRequest& request, Session& session,
                             Failure& failure) {
    try {
      A4C_CHECK(ResolveFor(call, session, failure));
      SetTimeouts(call, session);
      Poco::Net::HTTPRequest head(request.method, request.path, Poco::Net::HTTPMessage::HTTP_1_1);
      head.setKeepAlive(true);
      head.setContentType(request.path.starts_with("/_bulk") ? "application/x-ndjson"
                                                             : "application/json");
      head.setContentLength(static_cast<std::streamsize>(request.body.size()));
      session.Address(head);
      failure.sent = false;
      std::ostream& out = session.http().sendRequest(head);
      failure.sent = true;
      out.write(request.body.data(), static_cast<std::streamsize>(request.body.size()));
      out.flush();
      Poco::Net::HTTPResponse response;
      std::istream& in = session.http().receiveResponse(response);
      return Read(call, session, response, in);
    } catch (const Poco::TimeoutException& error) {
      failure.timed_out = true;
      failure.what = error.displayText();
    } catch (const Poco::Exception& error) {
      failure.what = error.displayText();
    } catch (const std::ios_base::failure& error) {
      failure.what = error.what();
    }
    return Error(Code::kUnavailable, failure.what);
  }

  Result<void> ResolveFor(const Call& call, Session& session, Failure& failure) const {
    auto resolved = session.Resolve(Within(call, options_.connect_timeout_ms));
    if (resolved || resolved.error().code() == Code::kCanceled) return resolved;
    failure.timed_out = resolved.error().code() == Code::kTimeout;
    failure.what = resolved.error().message();
    failure.hint = resolved.error().hint();
    return resolved;
  }

  void SetTimeouts(const Call& call, Session& session) const {
    const int64_t left =
        std::max<int64_t>(1, std::min(call.RemainingMs(), options_.request_timeout_ms));
    const Poco::Timespan io = Milliseconds(left);
    session.http().setTimeout(Milliseconds(std::min(left, options_.connect_timeout_ms)), io, io);
    if (!session.http().connected()) return;
    session.http().socket().setSendTimeout(io);
    session.http().socket().setReceiveTimeout(io);
  }

  Result<HttpAnswer> Read(const Call& call, Session& session,
                          const Poco::Net::HTTPResponse& response, std::istream& in) const {
    HttpAnswer answer{.status = static_cast<int>(response.getStatus()), .body = {}};
    char part[64 * 1024];
    do {
      in.read(part, sizeof(part));
      answer.body.append(part, static_cast<size_t>(in.gcount()));
      if (answer.body.size() > static_cast<size_t>(options_.response_bytes_max)) {
        return Error(Code::kExhausted,
                     "search-elastic: an answer is longer than response_bytes_max",
                     "ask for fewer hits at once, or raise it");
      }
      if (call.Expired() && in) throw Poco::TimeoutException("the time is up amid an answer");
    } while (in);
    if (session.http().networkException() != nullptr) session.http().networkException()->rethrow();
    if (response.hasContentLength() &&
        response.getContentLength64() != static_cast<Poco::Int64>(answer.body.size())) {
      throw Poco::Net::NetException("an answer broke off");
    }
    return answer;
  }

  // All nodes, those that are up first, each time beginning with another. Whether a node that was
  // silent answers again is tried by one read at a time: a write would wait for its whole time.
  std::vector<Turn> NodesInTurn(Effect effect) {
    const Waiter::Lock lock(*waiter_);
    const int64_t now_ms = runtime_.clock.MonotonicMs();
    std::vector<Turn> turns;
    for (size_t i = 0; i < nodes_.size(); ++i) {
      const size_t index = (turn_ + i) % nodes_.size();
      turns.push_back({.index = index, .was_silent = nodes_[index].silent});
    }
    ++turn_;
    std::ranges::stable_partition(turns, [&](const Turn& turn) {
      const bool may_try = !turn.was_silent || effect == Effect::kReads;
      return may_try && nodes_[turn.index].down_until_ms <= now_ms;
    });
    Node& first = nodes_[turns[0].index];
    if (first.silent) first.down_until_ms = std::max(first.down_until_ms, now_ms + kDownMs);
    return turns;
  }

  std::unique_ptr<Session> TakeIdle(size_t index) {
    const Waiter::Lock lock(*waiter_);
    std::vector<std::unique_ptr<Session>>& idle = nodes_[index].idle;
    if (idle.empty()) return nullptr;
    std::unique_ptr<Session> session = std::move(idle.back());
    idle.pop_back();
    return session;
  }

  // At most connections_max are under way at once, so no more than that are ever kept per node.
  void Keep(size_t index, std::unique_ptr<Session> session) {
    const Waiter::Lock lock(*waiter_);
    nodes_[index].down_until_ms = 0;
    nodes_[index].silent = false;
    if (nodes_[index].idle.size() < static_cast<size_t>(options_.connections_max)) {
      nodes_[index].idle.push_back(std::move(session));
    }
  }

  void MarkDown(size_t index, const Failure& failure) {
    runtime_.log.Write(LogLevel::kWarning, "search-elastic", "a node does not answer",
                       {{"url", nodes_[index].url}, {"error", failure.what}});
    const Waiter::Lock lock(*waiter_);
    nodes_[index].idle.clear();
    nodes_[index].silent = failure.timed_out;
    nodes_[index].down_until_ms = runtime_.clock.MonotonicMs() + kDownMs;
  }

  const HttpOptions options_;
  const Runtime runtime_;
  const SessionFactory factory_;
  const std::unique_ptr<Waiter> waiter_;  // guards what follows
  std::vector<Node> nodes_;               // their urls never change
  size_t turn_ = 0;
  int64_t free_ = options_.connections_max;
};

}  // namespace

Result<std::unique_ptr<HttpPool>> NewHttpPool(const HttpOptions& options, const Runtime& runtime) {
  A4C_TRY(SessionFactory factory, NewSessionFactory(options));
  return NewHttpPool(options, runtime, std::move(factory));
}

std::unique_ptr<HttpPool> NewHttpPool(const HttpOptions& options, const Runtime& runtime,
                                      SessionFactory factory) {
  return std::make_unique<Pool>(options, runtime, std::move(factory));
}

Result<Json> JsonOf(const HttpAnswer& answer, Effect effect) {
  if (answer.status >= 400) return ErrorOfAnswer(answer.status, answer.body, effect);
  auto parsed = ParseJson(answer.body, {answer.body.size() + 1, kDepthMax});
  if (parsed) return parsed;
  return Error(effect == Effect::kWrites ? Code::kUnknownOutcome : Code::kUnavailable,
               "search-elastic: an answer is no JSON: " + parsed.error().message(),
               "do the urls name Elasticsearch or OpenSearch?");
}

Result<Json> SendJson(HttpPool& pool, const Call& call, const HttpRequest& request) {
  A4C_TRY(HttpAnswer answer, pool.Send(call, request));
  return JsonOf(answer, request.effect);
}

}  // namespace a4c::elastic
