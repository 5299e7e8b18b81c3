#include "apps/a4cd/api/server.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/String.h>
#include <Poco/ThreadPool.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdint>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "a4c/sinks.h"
#include "apps/a4cd/api/polled_socket.h"
#include "apps/a4cd/api/problem.h"

namespace a4cd {
namespace {

namespace net = Poco::Net;
using a4c::Code;
using a4c::Error;
using a4c::Result;

// What connections share; outlives them.
struct Shared {
  const a4c::Runtime runtime;
  Api& api;
  StreamHub& streams;
  SessionHub& sessions;
  const TrustedProxies proxies;
  const int64_t answer_timeout_ms;  // and as long as it takes at this rate; 0: at any
  const int64_t answer_rate_min;
  net::HTTPServer* server = nullptr;
  std::atomic<bool> sending_away{false};
  std::atomic<bool> stopping{false};
  std::unique_ptr<a4c::Waiter> idle;
  int active = 0;  // guarded by idle

  int64_t AnswerUntilMs(size_t bytes) const {
    if (answer_rate_min == 0) return INT64_MAX;
    return runtime.clock.MonotonicMs() + answer_timeout_ms +
           static_cast<int64_t>(bytes) * 1000 / answer_rate_min;
  }
};

class Active {
 public:
  explicit Active(Shared& shared) : shared_(shared) {
    a4c::Waiter::Lock lock(*shared_.idle);
    ++shared_.active;
  }
  ~Active() {
    a4c::Waiter::Lock lock(*shared_.idle);
    if (--shared_.active == 0) shared_.idle->NotifyAll();
  }
  Active(const Active&) = delete;
  Active& operator=(const Active&) = delete;

 private:
  Shared& shared_;
};

// A header that comes several times is one list (RFC 9110, section 5.3).
std::string ForwardedFor(const net::HTTPServerRequest& http) {
  std::string all;
  for (const auto& [name, value] : http) {
    if (Poco::icompare(name, "X-Forwarded-For") == 0) all += (all.empty() ? "" : ",") + value;
  }
  return all;
}

constexpr size_t kRequestIdMin = 8;
constexpr size_t kRequestIdMax = 64;

// What a proxy calls the request; "" if it is nothing that may stand everywhere, or said twice.
std::string GivenRequestId(const net::HTTPServerRequest& http) {
  std::string given;
  for (const auto& [name, value] : http) {
    if (Poco::icompare(name, "X-Request-Id") != 0) continue;
    if (!given.empty()) return "";
    given = value;
  }
  const bool is_plain = std::ranges::all_of(given, [](unsigned char c) {
    return (c < 0x80 && std::isalnum(c) != 0) || c == '.' || c == '_' || c == '-';
  });
  const bool is_fit = given.size() >= kRequestIdMin && given.size() <= kRequestIdMax;
  return is_plain && is_fit ? given : "";
}

// Two who understand the length of a body differently, a gateway and a4cd, would take the rest of
// one request for another (RFC 9112, section 6.3).
Result<void> CheckFraming(const net::HTTPServerRequest& http) {
  int lengths = 0;
  int encodings = 0;
  for (const auto& [name, value] : http) {
    lengths += Poco::icompare(name, "Content-Length") == 0 ? 1 : 0;
    encodings += Poco::icompare(name, "Transfer-Encoding") == 0 ? 1 : 0;
  }
  if (lengths + encodings > 1) {
    return Error(Code::kInvalid, "the length of the body is said twice",
                 "send one Content-Length, or Transfer-Encoding: chunked");
  }
  if (encodings == 1 && !http.getChunkedTransferEncoding()) {
    return Error(Code::kUnsupported, "the only Transfer-Encoding that is understood is chunked");
  }
  return {};
}

Result<Request> ToRequest(net::HTTPServerRequest& http, const TrustedProxies& proxies) {
  Request request;
  request.method = http.getMethod();
  const std::string& uri = http.getURI();
  const size_t question = std::min(uri.find('?'), uri.size());
  request.path = uri.substr(0, question);
  A4C_TRY(request.query, ParseQueryString(uri.substr(std::min(question + 1, uri.size()))));
  for (const auto& [name, value] : http) request.headers.emplace_back(name, value);
  const auto peer = http.clientAddress().host();
  request.remote = proxies.ClientOf(peer, ForwardedFor(http));
  if (proxies.IsTrusted(peer)) request.request_id = GivenRequestId(http);
  A4C_CHECK(CheckFraming(http));
  if (http.hasContentLength()) request.content_length = http.getContentLength64();
  if (http.getChunkedTransferEncoding() || request.content_length > 0) {
    request.input = &http.stream();
  }
  return request;
}

class Handler final : public net::HTTPRequestHandler {
 public:
  explicit Handler(Shared& shared) : shared_(shared) {}

  void handleRequest(net::HTTPServerRequest& http, net::HTTPServerResponse& answer) override {
    const Active active(shared_);
    net::SocketImpl& socket = SocketOf(http);
    BeginBody(socket, {});
    Result<Request> request = ToRequest(http, shared_.proxies);
    Response response;
    bool unread = false;
    if (request) {
      request->before_body = [&](const BodyBound& bound) {
        BeginBody(socket, bound);
        if (http.getExpectContinue()) answer.sendContinue();
      };
      response = shared_.api.Handle(*request);
      BeginBody(socket, {});  // its bound goes with the request
      tenant_ = request->principal.tenant;
      // Where the last chunk has ended is not known for sure: Poco reads one line of trailers.
      unread = request->body_unread || http.getChunkedTransferEncoding();
    } else {
      response = ErrorResponse(request.error());
      unread = true;
    }
    const bool head = http.getMethod() == "HEAD";
    if (!head && response.stream != nullptr) {
      Detach(http, std::move(response));
      return;
    }
    if (!head && response.session != nullptr) {
      Switch(http, std::move(response));
      return;
    }
    Send(http, std::move(response), unread, head);
  }

 private:
  static net::SocketImpl& SocketOf(net::HTTPServerRequest& http) {
    return *dynamic_cast<net::HTTPServerRequestImpl&>(http).socket().impl();
  }

  void Send(net::HTTPServerRequest& http, Response response, bool unread, bool head) {
    net::HTTPServerResponse& answer = http.response();
    answer.setStatus(static_cast<net::HTTPResponse::HTTPStatus>(response.status));
    answer.setReason(net::HTTPResponse::getReasonForStatus(answer.getStatus()));
    answer.setContentType(response.content_type);
    for (const auto& [name, value] : response.headers) answer.add(name, value);
    if (unread || shared_.sending_away || shared_.server->queuedConnections() > 0) {
      answer.setKeepAlive(false);
    }
    answer.setContentLength64(static_cast<Poco::Int64>(response.body.size()));
    std::ostringstream first;
    answer.write(first);
    if (head) response.body.clear();
    Send(http, response.body.insert(0, first.view()), unread);
  }

  // Not by Poco's streams, whose last bytes would go when the handler is long gone.
  void Send(net::HTTPServerRequest& http, std::string_view bytes, bool unread) {
    net::SocketImpl& socket = SocketOf(http);
    const int64_t until_ms = shared_.AnswerUntilMs(bytes.size());
    try {
      std::string rest = SendAnswer(socket, bytes, until_ms);
      if (!rest.empty()) {
        auto& connection = dynamic_cast<net::HTTPServerRequestImpl&>(http);
        shared_.streams.Finish(tenant_, connection.detachSocket(), std::move(rest), until_ms);
        return;
      }
    } catch (const Poco::Exception&) {
      // Poco would send an answer of its own after this one's half.
      http.response().setKeepAlive(false);
      return;
    }
    unread ? Linger(socket, shared_.runtime.clock) : BeginHead(socket);
  }

  // The answer goes on without end: its socket leaves this thread.
  void Detach(net::HTTPServerRequest& http, Response response) {
    auto& connection = dynamic_cast<net::HTTPServerRequestImpl&>(http);
    if (shared_.stopping) {
      response = ProblemResponse({.status = 503,
                                  .type = "draining",
                                  .detail = "this instance begins no more streams",
                                  .hint = "come back to another instance",
                                  .errors = {},
                                  .retry_after_s = 2});
      Send(http, std::move(response), true, false);
      return;
    }
    const std::string first =
        "HTTP/1.1 200 OK\r\nContent-Type: " + response.content_type + "\r\nConnection: close\r\n";
    shared_.streams.Add(connection.detachSocket(), HeadOf(first, response),
                        std::move(response.stream));
  }

  // From here on it is no HTTP; the socket leaves this thread.
  void Switch(net::HTTPServerRequest& http, Response response) {
    auto& connection = dynamic_cast<net::HTTPServerRequestImpl&>(http);
    shared_.sessions.Start(connection.detachSocket(),
                           HeadOf("HTTP/1.1 101 Switching Protocols\r\n", response),
                           std::move(response.session));
  }

  static std::string HeadOf(const std::string& first, const Response& response) {
    std::string head = first;
    for (const auto& [name, value] : response.headers) {
      head.append(name).append(": ").append(value).append("\r\n");
    }
    return head + "\r\n";
  }

  Shared& shared_;
  std::string tenant_;  // who asks, as soon as that is known
};

class Factory final : public net::HTTPRequestHandlerFactory {
 public:
  explicit Factory(Shared& shared) : shared_(shared) {}
  net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest&) override {
    return new Handler(shared_);
  }

 private:
  Shared& shared_;
};

// Poco drops what its queue has no room for without a word: this says 503 before.
class Filter final : public net::TCPServerConnectionFilter {
 public:
  Filter(Shared& shared, int queue) : shared_(shared), queue_(queue) {}

  bool accept(const net::StreamSocket& socket) override {
    if (shared_.server->queuedConnections() < queue_) return true;
    static const std::string kBody =
        R"({"type":"urn:a4c:problem:exhausted","title":"A bound is reached","status":503,)"
        R"("detail":"too many connections wait for this instance"})";
    static const std::string kAnswer =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n"
        "Retry-After: 1\r\nConnection: close\r\nContent-Length: " +
        std::to_string(kBody.size()) + "\r\n\r\n" + kBody;
    shared_.runtime.metrics.Count("a4c_http_connections_refused_total", {});
    try {
      net::StreamSocket copy(socket);
      copy.setBlocking(false);
      copy.sendBytes(kAnswer.data(), static_cast<int>(kAnswer.size()));
      copy.shutdownSend();
    } catch (const Poco::Exception&) {
      return false;  // it has gone already
    }
    return false;
  }

 private:
  Shared& shared_;
  const int queue_;
};

class PocoServer final : public ApiServer {
 public:
  PocoServer(const a4c::Runtime& runtime, const ApiSettings& settings, Api& api, StreamHub& streams,
             SessionHub& sessions, const net::ServerSocket& socket,
             std::shared_ptr<std::atomic<net::HTTPServer*>> running)
      : shared_{runtime,
                api,
                streams,
                sessions,
                settings.trusted_proxies,
                settings.request_timeout_ms,
                settings.body_rate_min,
                nullptr,
                false,
                false,
                runtime.threads.NewWaiter()},
        pool_("api", 2, settings.threads),
        socket_(socket),
        running_(std::move(running)) {
    net::HTTPServerParams::Ptr params = new net::HTTPServerParams;
    params->setMaxThreads(settings.threads);
    params->setMaxQueued(settings.queue + 16);
    params->setKeepAlive(settings.keep_alive_ms > 0);
    params->setKeepAliveTimeout(Poco::Timespan(settings.keep_alive_ms * 1000));
    params->setTimeout(Poco::Timespan(settings.request_timeout_ms * 1000));
    params->setThreadIdleTime(Poco::Timespan(10, 0));
    params->setSoftwareVersion("");
    server_ = std::make_unique<net::HTTPServer>(new Factory(shared_), pool_, socket, params);
    shared_.server = server_.get();
    *running_ = server_.get();
    server_->setConnectionFilter(new Filter(shared_, settings.queue));
    port_ = socket.address().port();
    server_->start();
  }

  ~PocoServer() override {
    StopAccepting();
    server_->stopAll(true);
    pool_.joinAll();
    *running_ = nullptr;
  }

  int port() const override { return port_; }

  void SendAway() override { shared_.sending_away = true; }

  void StopAccepting() override {
    SendAway();
    if (shared_.stopping.exchange(true)) return;
    server_->stop();
    // Who connects from now on, or waits to be taken, goes to another instance at once.
    ::shutdown(socket_.impl()->sockfd(), SHUT_RD);
  }

  int WaitIdle(int64_t deadline_ms) override {
    a4c::Waiter::Lock lock(*shared_.idle);
    while (shared_.active > 0 && shared_.runtime.clock.MonotonicMs() < deadline_ms) {
      shared_.idle->Wait(deadline_ms);
    }
    return shared_.active;
  }

 private:
  Shared shared_;
  Poco::ThreadPool pool_;
  const net::ServerSocket socket_;
  const std::shared_ptr<std::atomic<net::HTTPServer*>> running_;
  std::unique_ptr<net::HTTPServer> server_;
  int port_ = 0;
};

}  // namespace

Result<std::unique_ptr<ApiServer>> StartApiServer(const a4c::Runtime& runtime,
                                                  const ApiSettings& settings, Api& api,
                                                  StreamHub& streams, SessionHub& sessions) {
  try {
    const net::SocketAddress address(settings.listen);
    const auto running = std::make_shared<std::atomic<net::HTTPServer*>>(nullptr);
    PolledServerSocket socket(runtime.clock, settings.request_timeout_ms, [running] {
      const net::HTTPServer* const server = *running;
      return server != nullptr && server->queuedConnections() > 0;
    });
    // Not shared with another instance, which may have other keys.
    socket.bind(address, /*reuseAddress=*/true, /*reusePort=*/false);
    socket.listen(settings.queue);
    return std::unique_ptr<ApiServer>(
        std::make_unique<PocoServer>(runtime, settings, api, streams, sessions, socket, running));
  } catch (const Poco::Exception& error) {
    return Error(Code::kUnavailable,
                 "cannot listen on " + settings.listen + ": " + error.displayText(),
                 "set api.listen, or A4C_API_LISTEN");
  }
}

}  // namespace a4cd
