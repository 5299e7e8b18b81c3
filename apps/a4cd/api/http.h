// A request and its answer, free of the HTTP library: what handlers see and tests make.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "a4c/call.h"
#include "a4c/json.h"
#include "a4c/result.h"
#include "apps/a4cd/auth/principal.h"
#include "apps/a4cd/sessions/session.h"

namespace a4cd {

using NameValues = std::vector<std::pair<std::string, std::string>>;

// Of a body: what comes later, or slower, is a timeout.
struct BodyBound {
  int64_t until_ms = 0;  // on the monotonic clock; 0: any time
  int64_t rate_min = 0;  // bytes a second, of the time that was spent waiting for them; 0: any
  // With until_ms: asked once, when it has been waited for for a second; false ends it.
  std::function<bool()> may_be_slow = {};
};

struct Request {
  std::string method;
  std::string path;  // still percent-encoded, without the query
  NameValues query;
  NameValues headers;
  std::string remote;  // "127.0.0.1"
  // Set by the edge: the body, read only once it is known that and how much of it is wanted.
  std::istream* input = nullptr;
  int64_t content_length = -1;  // -1: unknown (chunked) or none
  // Tells a waiting client to go on, and bounds the body.
  std::function<void(const BodyBound&)> before_body = {};

  // Set while the request is handled.
  std::string body;
  std::map<std::string, std::string, std::less<>> params;  // from the path
  Principal principal;
  // The scopes of records that its handler may touch; nothing: all. Set with the principal.
  std::optional<a4c::ScopeSet> may_touch = {};
  std::string operation;  // of the route
  // In answer, log and audit row: as a trusted proxy gave it to the edge, or else own_id. Who asks
  // may have chosen it, and may choose the same again.
  std::string request_id;
  std::string traceparent;
  int64_t deadline_ms = 0;   // on the monotonic clock
  bool body_unread = false;  // some of the body is still on the wire: the connection must end
  std::string own_id;        // of no other request

  // The first of that name ("" if none); header names compare without case.
  const std::string& Header(std::string_view name) const;
  const std::string& Query(std::string_view name) const;
  bool HasQuery(std::string_view name) const;
  const std::string& Param(std::string_view name) const { return params.find(name)->second; }
};

// Produces a stream that outlives its request: events, a log that is followed. One of server-sent
// events gives a sign of life after so long without an event: neither end takes silence for a
// break.
inline constexpr int64_t kSignOfLifeMs = 15'000;
inline constexpr const char* kSignOfLife = ":\n\n";

class StreamSource {
 public:
  virtual ~StreamSource() = default;
  struct Piece {
    std::string bytes;
    bool last = false;
  };
  // What there is to send now; asked again every period. Must not block beyond the call.
  virtual a4c::Result<Piece> Next(const a4c::Call& call) = 0;
};

struct Response {
  int status = 200;
  NameValues headers = {};
  std::string content_type = "application/json";
  std::string body = {};
  std::unique_ptr<StreamSource> stream = {};  // the body follows, off the thread pool
  std::unique_ptr<Session> session = {};      // with status 101: it takes the connection over

  void Add(std::string name, std::string value) {
    headers.emplace_back(std::move(name), std::move(value));
  }
};

Response JsonResponse(int status, const a4c::Json& body);
Response TextResponse(int status, std::string text);

// "%41" as "A"; kInvalid for a broken escape or a NUL.
a4c::Result<std::string> PercentDecode(std::string_view text, bool plus_is_space);
a4c::Result<NameValues> ParseQueryString(std::string_view text);
// "a, b" as its parts, without the empty ones.
std::vector<std::string> BetweenCommas(const std::string& texts);

}  // namespace a4cd
