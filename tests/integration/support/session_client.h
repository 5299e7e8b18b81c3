// A client of sessions: a WebSocket that says exactly what it is told.
#pragma once

#include <Poco/Net/StreamSocket.h>

#include <memory>
#include <optional>
#include <string>

#include "a4c/json.h"
#include "apps/websocket/connection.h"
#include "tests/integration/support/api_fixture.h"

namespace a4cd {

class SessionClient {
 public:
  SessionClient(int port, const std::string& key, const std::string& path,
                const std::string& protocol);

  // Of the handshake: 101, or the refusal.
  int status() const { return status_; }
  const std::string& head() const { return head_; }

  void Say(const a4c::Json& message) { Send(a4c_websocket::Kind::kText, message.ToString()); }
  void Input(const std::string& bytes) { Send(a4c_websocket::Kind::kBinary, '\0' + bytes); }
  void EndInput() { Say(a4c::Json::Object{{"type", "end_of_input"}}); }
  void Send(a4c_websocket::Kind kind, const std::string& bytes);

  // The next text message; null at the end of the connection. Output on the way is kept.
  a4c::Json Hear();
  // Until this is in the output; false at the end of the connection.
  bool HearOutput(const std::string& text);
  // Until the end; what the last text message was.
  a4c::Json HearTheEnd();
  // Without a word.
  void Vanish() { socket_.close(); }
  // Closed by the other side, nothing read and nothing answered before.
  bool WaitUntilClosed();

  std::string output;
  std::string errors;

 private:
  // False at the end of the connection.
  bool Step(std::optional<a4c::Json>& heard);

  Poco::Net::StreamSocket socket_;
  int status_ = 0;
  std::string head_;
  std::unique_ptr<a4c_websocket::Connection> connection_;
};

}  // namespace a4cd
