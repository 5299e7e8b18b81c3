#include "tests/integration/support/session_client.h"

#include <poll.h>

#include <array>

#include "a4c/sinks.h"

namespace a4cd {

using a4c::Json;
using a4c_websocket::Kind;

namespace {

constexpr int kWaitMs = 60'000;

const a4c::Runtime& TestRuntime() {
  static const a4c::Runtime runtime = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
  return runtime;
}

}  // namespace

SessionClient::SessionClient(int port, const std::string& key, const std::string& path,
                             const std::string& protocol)
    : socket_(Poco::Net::SocketAddress("127.0.0.1", static_cast<Poco::UInt16>(port))) {
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
                              key +
                              "\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
                              "Sec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                              "Sec-WebSocket-Protocol: " +
                              protocol + "\r\n\r\n";
  socket_.setReceiveTimeout(Poco::Timespan(kWaitMs / 1000, 0));
  socket_.sendBytes(request.data(), static_cast<int>(request.size()));
  std::array<char, 4096> piece{};
  while (head_.find("\r\n\r\n") == std::string::npos) {
    const int got = socket_.receiveBytes(piece.data(), static_cast<int>(piece.size()));
    if (got <= 0) break;
    head_.append(piece.data(), static_cast<size_t>(got));
  }
  status_ =
      std::atoi(head_.substr(std::min(head_.size(), std::string("HTTP/1.1 ").size())).c_str());
  const size_t end = std::min(head_.find("\r\n\r\n") + 4, head_.size());
  connection_ = std::make_unique<a4c_websocket::Connection>(
      socket_.impl()->sockfd(), a4c_websocket::Side::kClient, a4c_websocket::ConnectionOptions{},
      TestRuntime(), std::string_view(head_).substr(end));
}

void SessionClient::Send(Kind kind, const std::string& bytes) {
  connection_->Send(kind, bytes);
  (void)connection_->Flush();
}

bool SessionClient::Step(std::optional<Json>& heard) {
  if (!connection_->Flush()) return false;
  auto message = connection_->Receive();
  if (!message) return false;
  if (!*message) {
    pollfd entry{connection_->fd(), connection_->Events(true), 0};
    return poll(&entry, 1, kWaitMs) > 0;
  }
  if ((*message)->kind == Kind::kClose) return false;
  if ((*message)->kind == Kind::kBinary) {
    ((*message)->bytes[0] == 2 ? errors : output).append((*message)->bytes, 1);
  } else if (auto parsed = a4c::ParseJson((*message)->bytes)) {
    heard = *std::move(parsed);
  }
  return true;
}

Json SessionClient::Hear() {
  std::optional<Json> heard;
  while (!heard && Step(heard)) {
  }
  return heard.value_or(Json());
}

bool SessionClient::HearOutput(const std::string& text) {
  std::optional<Json> heard;
  while (output.find(text) == std::string::npos) {
    if (!Step(heard)) return false;
  }
  return true;
}

Json SessionClient::HearTheEnd() {
  std::optional<Json> heard;
  while (Step(heard)) {
  }
  return heard.value_or(Json());
}

bool SessionClient::WaitUntilClosed() {
  pollfd entry{connection_->fd(), POLLRDHUP, 0};
  return poll(&entry, 1, kWaitMs) > 0;
}

}  // namespace a4cd
