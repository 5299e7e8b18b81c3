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
#include "elastic_session.h"

namespace a4c::elastic {
namespace {

constexpr int64_t kDownMs = 1'000;  // how long a node that failed is asked last
constexpr int kDepthMax = 1'100;    // of answers: a body is a string in them

struct Node {
  std::string url;
  std::vector<std::unique_ptr<Session>> idle = {};
  int64_t down_until_ms = 0;
};

// What one attempt came to, beside its answer: whether another may do better.
struct Failure {
  std::string what;
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
    auto answer = SendToAnyNode(call, request);
    const Waiter::Lock lock(*waiter_);
    ++free_;
    waiter_->NotifyAll();
    return answer;
  }

 private:
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
  // nothing about the server.
  Result<HttpAnswer> SendToAnyNode(const Call& call, const HttpRequest& request) {
    std::optional<Error> last;
    for (const size_t index : NodesInTurn()) {
      for (bool reused = true; reused;) {
        if (call.Stopping()) return Error(Code::kCanceled, "search-elastic: asked to stop");
        if (call.Expired())
          return last.value_or(Error(Code::kTimeout, "search-elastic: the time is up"));
        std::unique_ptr<Session> session = TakeIdle(index);
        reused = session != nullptr;
        if (!reused) session = factory_(nodes_[index].url);
        Failure failure;
        auto answer = Attempt(call, request, *session, failure);
        if (answer || failure.what.empty()) {
          if (answer) Keep(index, std::move(session));
          return answer;
        }
        last = ErrorOfConnection(nodes_[index].url, failure.what, failure.sent, failure.timed_out,
                                 request.effect);
        if (failure.timed_out && failure.sent) return *last;
      }
      MarkDown(index, *last);
    }
    return last.value_or(Error(Code::kUnavailable, "search-elastic: no node"));
  }

  // Fills `failure` if the connection failed; an error without it is final.
  Result<HttpAnswer> Attempt(const Call& call, const HttpRequest& request, Session& session,
                             Failure& failure) {
    try {
      SetTimeouts(call, session);
      Poco::Net::HTTPRequest head(request.method, request.path, Poco::Net::HTTPMessage::HTTP_1_1);
      head.setKeepAlive(true);
      head.setContentType(request.path.starts_with("/_bulk") ? "application/x-ndjson"
                                                             : "application/json");
      head.setContentLength(static_cast<std::streamsize>(request.body.size()));
      session.Authorize(head);
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

  // All nodes, those that are up first, each time beginning with another.
  std::vector<size_t> NodesInTurn() {
    const Waiter::Lock lock(*waiter_);
    const int64_t now_ms = runtime_.clock.MonotonicMs();
    std::vector<size_t> order;
    for (size_t i = 0; i < nodes_.size(); ++i) order.push_back((turn_ + i) % nodes_.size());
    ++turn_;
    std::ranges::stable_partition(order,
                                  [&](size_t i) { return nodes_[i].down_until_ms <= now_ms; });
    return order;
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
    if (nodes_[index].idle.size() < static_cast<size_t>(options_.connections_max)) {
      nodes_[index].idle.push_back(std::move(session));
    }
  }

  void MarkDown(size_t index, const Error& error) {
    runtime_.log.Write(LogLevel::kWarning, "search-elastic", "a node does not answer",
                       {{"url", nodes_[index].url}, {"error", error.message()}});
    const Waiter::Lock lock(*waiter_);
    nodes_[index].idle.clear();
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
  return std::unique_ptr<HttpPool>(std::make_unique<Pool>(options, runtime, std::move(factory)));
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
