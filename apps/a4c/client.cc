#include "apps/a4c/client.h"

#include <Poco/Base64Encoder.h>
#include <Poco/Buffer.h>
#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/URI.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <istream>
#include <optional>
#include <sstream>
#include <type_traits>

#include "a4c/resolve.h"
#include "apps/a4c/server_url.h"
#include "apps/a4c/tls.h"
#include "apps/websocket/connection.h"

namespace a4c_cli {
namespace {

namespace net = Poco::Net;
using a4c::Code;
using a4c::Error;
using a4c::Result;

constexpr int kAttemptsMax = 5;
constexpr int64_t kWaitMaxMs = 5'000;
constexpr size_t kAnswerBytesMax = 256u << 20;
constexpr int64_t kUploadStallS = 120;      // while nothing of it is taken: a builder may be busy
constexpr int64_t kUploadWaitS = 4 * 3600;  // for what is done with it, a build

std::string Hex(uint64_t value) {
  std::array<char, 16> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return std::string(digits.data(), end);
}

class PocoLink final : public WebSocketLink {
 public:
  PocoLink(const net::StreamSocket& socket, std::string_view early, const a4c::Runtime& runtime)
      : socket_(socket) {
    socket_.setBlocking(false);
    constexpr auto kSide = a4c_websocket::Side::kClient;
    if (socket_.secure()) {
      connection_.emplace(NewTlsTransport(socket_), kSide, kOptions, runtime, early);
    } else {
      connection_.emplace(socket_.impl()->sockfd(), kSide, kOptions, runtime, early);
    }
  }
  a4c_websocket::Connection& connection() override { return *connection_; }

 private:
  static constexpr a4c_websocket::ConnectionOptions kOptions = {};
  net::StreamSocket socket_;  // outlives the connection over it
  std::optional<a4c_websocket::Connection> connection_;
};

class PocoClient final : public Client {
 public:
  // tls: null without.
  PocoClient(const Endpoint& endpoint, ServerUrl url, std::shared_ptr<SSL_CTX> tls,
             const a4c::Runtime& runtime)
      : endpoint_(endpoint), url_(std::move(url)), tls_(std::move(tls)), runtime_(runtime) {}

  Result<Reply> Send(const Ask& ask) override {
    const int64_t deadline_ms = runtime_.clock.MonotonicMs() +
                                (ask.is_slow ? endpoint_.slow_timeout_ms : endpoint_.timeout_ms);
    const std::string key = Hex(runtime_.random.Next()) + Hex(runtime_.random.Next());
    for (int attempt = 1;; ++attempt) {
      Result<Reply> reply = Try(ask, key, deadline_ms, nullptr);
      const int64_t wait_ms = WaitBefore(attempt, reply);
      if (!IsRepeatable(reply) || attempt == kAttemptsMax ||
          runtime_.clock.MonotonicMs() + wait_ms >= deadline_ms) {
        return reply;
      }
      Pause(wait_ms);
    }
  }

  Result<Switched> Switch(const std::string& path, const std::string& protocol) override {
    const int64_t deadline_ms = runtime_.clock.MonotonicMs() + endpoint_.timeout_ms;
    session_.reset();
    return Guarded([&]() -> Result<Switched> {
      A4C_TRY(net::HTTPClientSession* const session, Session(deadline_ms, false));
      net::HTTPRequest request("GET", url_.prefix + path, net::HTTPMessage::HTTP_1_1);
      request.setHost(url_.host, url_.port);
      if (!endpoint_.api_key.empty()) request.set("Authorization", "Bearer " + endpoint_.api_key);
      request.set("Connection", "Upgrade");
      request.set("Upgrade", "websocket");
      request.set("Sec-WebSocket-Version", "13");
      request.set("Sec-WebSocket-Key", HandshakeKey());
      request.set("Sec-WebSocket-Protocol", protocol);
      session->sendRequest(request).flush();
      net::HTTPResponse response;
      std::istream& input = session->receiveResponse(response);
      if (response.getStatus() != net::HTTPResponse::HTTP_SWITCHING_PROTOCOLS) {
        A4C_TRY(Reply refusal, Receive(response, input, nullptr));
        return Switched{nullptr, std::move(refusal)};
      }
      const std::string expected = a4c_websocket::AcceptKey(request.get("Sec-WebSocket-Key"));
      if (response.get("Sec-WebSocket-Accept", "") != expected ||
          response.get("Sec-WebSocket-Protocol", "") != protocol) {
        return Error(Code::kUnavailable, endpoint_.url + " answered as no WebSocket of ours does",
                     "is there something between that does not know WebSockets?");
      }
      Poco::Buffer<char> early(0);
      session->drainBuffer(early);
      auto link = std::make_unique<PocoLink>(
          session->detachSocket(), std::string_view(early.begin(), early.size()), runtime_);
      session_.reset();
      return Switched{std::move(link)};
    });
  }

  Result<Reply> Stream(const Ask& ask, const std::function<bool(std::string_view)>& take) override {
    return Try(ask, "", runtime_.clock.MonotonicMs() + endpoint_.timeout_ms, &take);
  }

  // On a connection of its own, which nobody has kept waiting.
  Result<Reply> Upload(const Ask& ask, int64_t body_bytes,
                       const std::function<Result<std::string>()>& source) override {
    try {
      A4C_TRY(const auto own, NewHttp(runtime_.clock.MonotonicMs() + endpoint_.timeout_ms));
      net::HTTPClientSession& session = *own;
      session.setTimeout(Poco::Timespan(endpoint_.timeout_ms * 1000),
                         Poco::Timespan(kUploadStallS, 0), Poco::Timespan(kUploadWaitS, 0));
      net::HTTPRequest request = Head(ask);
      request.setContentType(ask.content_type);
      request.setContentLength64(static_cast<Poco::Int64>(body_bytes));
      std::ostream& out = session.sendRequest(request);
      while (out.good()) {
        A4C_TRY(const std::string piece, source());
        if (piece.empty()) break;
        out.write(piece.data(), static_cast<std::streamsize>(piece.size()));
      }
      out.flush();
      // Also if the other side stopped reading: it may have said why.
      net::HTTPResponse response;
      std::istream& input = session.receiveResponse(response);
      return Receive(response, input, nullptr);
    } catch (const TlsRefusal& refusal) {
      return refusal.error();
    } catch (const Poco::Exception& error) {
      return Error(Code::kUnavailable, endpoint_.url + ": " + error.displayText());
    }
  }

 private:
  // Not before Retry-After: who comes back earlier is refused again, and may make it longer.
  int64_t WaitBefore(int attempt, const Result<Reply>& reply) {
    const int64_t wait_ms = std::min(int64_t{100} << attempt, kWaitMaxMs);
    const auto part_ms = static_cast<int64_t>(runtime_.random.Next() % (wait_ms / 2 + 1));
    return std::max(RetryAfterMs(reply), wait_ms / 2) + part_ms;
  }

  void Pause(int64_t wait_ms) {
    const auto waiter = runtime_.threads.NewWaiter();
    const int64_t until_ms = runtime_.clock.MonotonicMs() + wait_ms;
    a4c::Waiter::Lock lock(*waiter);
    while (runtime_.clock.MonotonicMs() < until_ms) waiter->Wait(until_ms);
  }

  // It has the address: Poco would resolve the name without a bound.
  Result<std::unique_ptr<net::HTTPClientSession>> NewHttp(int64_t deadline_ms) const {
    const auto address = a4c::ResolveToOne(a4c::Call{runtime_.clock, deadline_ms}, url_.host);
    if (!address) return address.error().Within(endpoint_.url);
    if (tls_ == nullptr) return std::make_unique<net::HTTPClientSession>(*address, url_.port);
    auto http = std::make_unique<net::HTTPClientSession>(
        net::StreamSocket(new TlsSocket(tls_, url_.host, runtime_)));
    http->setHost(*address);
    http->setPort(url_.port);
    return http;
  }

  Result<net::HTTPClientSession*> Session(int64_t deadline_ms, bool endless) {
    if (session_ == nullptr) {
      A4C_TRY(session_, NewHttp(deadline_ms));
      session_->setKeepAlive(true);
    }
    const int64_t left_ms = std::max<int64_t>(1, deadline_ms - runtime_.clock.MonotonicMs());
    // A stream is alive as long as something comes; the server sends a sign of life each 15 s.
    const Poco::Timespan wait((endless ? 60'000 : left_ms) * 1000);
    session_->setTimeout(Poco::Timespan(left_ms * 1000), wait, wait);
    return session_.get();
  }

  net::HTTPRequest Head(const Ask& ask) const {
    net::HTTPRequest request(ask.method, url_.prefix + ask.path, net::HTTPMessage::HTTP_1_1);
    request.setHost(url_.host, url_.port);
    request.set("Accept", "application/json, */*");
    if (!endpoint_.api_key.empty()) request.set("Authorization", "Bearer " + endpoint_.api_key);
    for (const auto& [name, value] : ask.headers) request.set(name, value);
    return request;
  }

  // One exchange. A broken connection after sending is unavailable too: the key makes it safe.
  Result<Reply> Try(const Ask& ask, const std::string& key, int64_t deadline_ms,
                    const std::function<bool(std::string_view)>* take) {
    return Guarded([&]() -> Result<Reply> {
      A4C_TRY(net::HTTPClientSession* const session, Session(deadline_ms, take != nullptr));
      net::HTTPRequest request = Head(ask);
      if (ask.method != "GET") {
        if (!request.has("Idempotency-Key")) request.set("Idempotency-Key", key);
        request.setContentType(ask.content_type);
        request.setContentLength64(static_cast<Poco::Int64>(ask.body.size()));
      }
      session->sendRequest(request) << ask.body << std::flush;
      net::HTTPResponse response;
      std::istream& input = session->receiveResponse(response);
      return Receive(response, input, take);
    });
  }

  // What the connection throws, as an error; the connection is not used again.
  template <typename Exchange>
  std::invoke_result_t<Exchange> Guarded(const Exchange& exchange) {
    try {
      return exchange();
    } catch (const Poco::TimeoutException&) {
      session_.reset();
      return Error(Code::kTimeout, endpoint_.url + " did not answer in time");
    } catch (const TlsRefusal& refusal) {
      session_.reset();
      return refusal.error();
    } catch (const Poco::Exception& error) {
      session_.reset();
      if (HasHungUp(error) && WantsTls()) return TlsWanted();
      return NotThere(error);
    }
  }

  // On us, or has answered with what is no HTTP.
  static bool HasHungUp(const Poco::Exception& error) {
    return dynamic_cast<const net::MessageException*>(&error) != nullptr ||
           dynamic_cast<const net::NoMessageException*>(&error) != nullptr ||
           dynamic_cast<const net::ConnectionResetException*>(&error) != nullptr;
  }

  Error NotThere(const Poco::Exception& error) const {
    return Error(Code::kUnavailable, endpoint_.url + ": " + error.displayText(),
                 "is a4cd running there? see a4c doctor");
  }

  // Whether a server of http:// that does not answer as one speaks TLS: looked at once.
  bool WantsTls() {
    if (tls_ != nullptr) return false;
    if (!wants_tls_) wants_tls_ = SpeaksTls(url_.host, url_.port, runtime_);
    return *wants_tls_;
  }
  Error TlsWanted() const {
    return Error(Code::kInvalid, endpoint_.url + " answers with TLS only",
                 "write https:// in --url, and --ca-file FILE if its CA is one of your own");
  }

  // 16 random bytes in Base64.
  std::string HandshakeKey() {
    std::string bytes;
    for (const uint64_t number : {runtime_.random.Next(), runtime_.random.Next()}) {
      for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
    }
    std::ostringstream text;
    Poco::Base64Encoder encoder(text);
    encoder << bytes;
    encoder.close();
    return text.str();
  }

  Result<Reply> Receive(const net::HTTPResponse& response, std::istream& input,
                        const std::function<bool(std::string_view)>* take) {
    Reply reply;
    reply.status = response.getStatus();
    for (const auto& [name, value] : response) reply.headers.emplace_back(name, value);
    std::array<char, 16384> chunk{};
    std::streamsize received = 0;
    bool enough = false;
    while (input.good() && !enough) {
      // Only what is there: a stream's next bytes may be long in coming.
      input.peek();
      std::streamsize got = input.readsome(chunk.data(), chunk.size());
      if (got <= 0) {
        if (!input.good()) break;
        chunk[0] = static_cast<char>(input.get());
        got = 1;
      }
      received += got;
      const std::string_view bytes(chunk.data(), static_cast<size_t>(got));
      if (take != nullptr && reply.ok()) {
        enough = !(*take)(bytes);
      } else {
        reply.text += bytes;
      }
      if (reply.text.size() > kAnswerBytesMax) {
        return Error(Code::kExhausted, "the answer is larger than 256 MiB");
      }
    }
    if (take != nullptr || !response.getKeepAlive()) session_.reset();
    const bool is_cut =
        !enough && response.hasContentLength() && received < response.getContentLength64();
    if (is_cut) return NotWhole("its answer was cut off");
    if (take == nullptr || !reply.ok()) A4C_CHECK(ReadBody(response.getContentType(), reply));
    // What some say in plain words to those who do not begin with TLS.
    if (reply.status == 400 && reply.body.IsNull() && WantsTls()) return TlsWanted();
    return reply;
  }

  // An answer of success is what it says, or none: what cannot be read is no empty list.
  Result<void> ReadBody(const std::string& content_type, Reply& reply) {
    if (reply.text.empty()) return {};
    if (content_type.starts_with("application/json") ||
        content_type.find("+json") != std::string::npos) {
      Result<a4c::Json> body = a4c::ParseJson(reply.text, {.bytes_max = kAnswerBytesMax});
      if (!body && reply.ok()) return NotWhole("its answer is no JSON: " + body.error().message());
      if (body) reply.body = *std::move(body);
    }
    if (!reply.ok() || !content_type.starts_with("text/html")) return {};
    return Error(Code::kInvalid, endpoint_.url + " answers with a web page",
                 "is --url the address of a4cd or its gateway?");
  }

  Error NotWhole(const std::string& why) {
    session_.reset();
    return Error(Code::kUnavailable, endpoint_.url + ": " + why, "is a4cd well? see its log");
  }

  const Endpoint endpoint_;
  const ServerUrl url_;
  const std::shared_ptr<SSL_CTX> tls_;
  const a4c::Runtime runtime_;
  std::optional<bool> wants_tls_;
  std::unique_ptr<net::HTTPClientSession> session_;
};

}  // namespace

std::string Reply::Header(const std::string& name) const {
  for (const auto& [known, value] : headers) {
    if (std::ranges::equal(known, name, [](unsigned char a, unsigned char b) {
          return std::tolower(a) == std::tolower(b);
        })) {
      return value;
    }
  }
  return {};
}

bool IsRepeatable(const Result<Reply>& answer) {
  if (!answer) return answer.error().retryable();
  const int status = answer->status;
  return status == 429 || status == 502 || status == 503 || status == 504;
}

int64_t RetryAfterMs(const Result<Reply>& answer) {
  if (!answer) return 0;
  int64_t asked_s = 0;
  const std::string text = answer->Header("Retry-After");
  std::from_chars(text.data(), text.data() + text.size(), asked_s);
  return std::clamp<int64_t>(asked_s, 0, 86'400) * 1000;
}

std::string PercentEncode(const std::string& text) {
  std::string out;
  Poco::URI::encode(text, ":/?#[]@!$&'()*+,;=%", out);
  return out;
}

bool IsKeyReadable(const Endpoint& endpoint) {
  const auto url = ParseServerUrl(endpoint.url);
  return url && !url->tls && !url->IsLoopback() && !endpoint.api_key.empty();
}

Result<std::unique_ptr<Client>> NewClient(const Endpoint& endpoint, const a4c::Runtime& runtime) {
  A4C_TRY(ServerUrl url, ParseServerUrl(endpoint.url));
  std::shared_ptr<SSL_CTX> tls;
  if (url.tls) {
    A4C_TRY(tls, NewTls(url.host, endpoint.ca_file));
  }
  return std::unique_ptr<Client>(
      std::make_unique<PocoClient>(endpoint, std::move(url), std::move(tls), runtime));
}

}  // namespace a4c_cli
