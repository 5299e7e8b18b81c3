// The API as the command line uses it: keeps one connection, sends an Idempotency-Key with every
// write and so may send anything again, and waits as Retry-After says.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "a4c/clock.h"
#include "a4c/json.h"
#include "a4c/result.h"

namespace a4c_websocket {
class Connection;
}

namespace a4c_cli {

struct Endpoint {
  std::string url;  // http(s)://host[:port][/prefix]
  std::string api_key;
  int64_t timeout_ms = 30'000;       // of a request with all its repetitions
  int64_t slow_timeout_ms = 90'000;  // of one that is slow: more than hosts.enrol_timeout of a4cd
  std::string ca_file = {};          // whose CAs are trusted; empty: the system's
};

struct Reply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string text;
  a4c::Json body;  // null if the text is no JSON

  bool ok() const { return status >= 200 && status < 300; }
  std::string Header(const std::string& name) const;
};

// A connection that has become a WebSocket.
class WebSocketLink {
 public:
  virtual ~WebSocketLink() = default;
  virtual a4c_websocket::Connection& connection() = 0;
};

struct Switched {
  std::unique_ptr<WebSocketLink> link;  // null: refused
  Reply refusal = {};
};

struct Ask {
  std::string method = "GET";
  std::string path;  // with its query, without the prefix of the URL
  std::string body = {};
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
  bool is_slow = false;  // something has to be done on a server before it is answered
};

class Client {
 public:
  virtual ~Client() = default;
  // An answer of any status, or why there is none.
  virtual a4c::Result<Reply> Send(const Ask& ask) = 0;
  // Hands the body on as it comes, until it ends or `take` answers false; then the reply without
  // text. An answer that is no success is returned whole.
  virtual a4c::Result<Reply> Stream(const Ask& ask,
                                    const std::function<bool(std::string_view)>& take) = 0;
  // Asks for a WebSocket of this protocol, once.
  virtual a4c::Result<Switched> Switch(const std::string& path, const std::string& protocol) = 0;
  // Sends a body of that length as `source` gives it, once, and waits for the answer as long as it
  // takes. An error of the source is returned as it is.
  virtual a4c::Result<Reply> Upload(const Ask& ask, int64_t body_bytes,
                                    const std::function<a4c::Result<std::string>()>& source) = 0;
};

// kInvalid: the URL is none, or the CA file.
a4c::Result<std::unique_ptr<Client>> NewClient(const Endpoint& endpoint,
                                               const a4c::Runtime& runtime);

// Whether the same may be asked again: it was too much or too early, or there was no answer.
bool IsRepeatable(const a4c::Result<Reply>& answer);
// As Retry-After asks for; 0: it does not.
int64_t RetryAfterMs(const a4c::Result<Reply>& answer);

// Whether whoever is on the way can read the key: it goes over http:// to another machine.
bool IsKeyReadable(const Endpoint& endpoint);
inline constexpr const char* kKeyIsReadable =
    "over http:// whoever is on the way to that machine can read the API key";

std::string PercentEncode(const std::string& text);

}  // namespace a4c_cli
