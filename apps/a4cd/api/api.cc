#include "apps/a4cd/api/api.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

#include "apps/a4cd/api/cursor.h"
#include "apps/a4cd/api/held_response.h"
#include "apps/a4cd/api/problem.h"
#include "apps/a4cd/api/query_rules.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::LogLevel;
using a4c::Result;

constexpr size_t kBodyPieceBytes = 8192;  // as much as Poco's stream has at a time
constexpr size_t kLoggedPathBytes = 200;

// The path as a line of the log may have it, whatever was sent.
std::string LoggedPath(const Request& request) {
  std::string path = request.path.substr(0, kLoggedPathBytes);
  std::ranges::replace_if(
      path, [](char c) { return c <= ' ' || c > '~'; }, '?');
  return path;
}

Response NotFound(const Request& request) {
  return ProblemResponse({.status = 404,
                          .type = "not-found",
                          .detail = "there is nothing at " + request.path.substr(0, 200),
                          .hint = "all paths are listed at /openapi.json"});
}

Response WrongMethod(const Request& request, const std::string& allow) {
  Response response = ProblemResponse({.status = 405,
                                       .type = "method-not-allowed",
                                       .detail = request.method + " is not one of: " + allow});
  response.Add("Allow", allow);
  return response;
}

Response TooLarge(int64_t bytes_max) {
  return ProblemResponse(
      {.status = 413,
       .type = "body-too-large",
       .detail = "a body here has at most " + std::to_string(bytes_max) + " bytes",
       .hint = "send many jobs by POST /v1/jobs:batch, line by line"});
}

std::string KeyOf(const Request& request) {
  const std::string& header = request.Header("Authorization");
  if (header.starts_with("Bearer ")) return header.substr(7);
  return request.Header("X-API-Key");
}

Response Unauthenticated(std::string detail, std::string hint, const char* challenge) {
  Response response = ProblemResponse({.status = 401,
                                       .type = "unauthenticated",
                                       .detail = std::move(detail),
                                       .hint = std::move(hint)});
  response.Add("WWW-Authenticate", challenge);
  return response;
}

Response NoKey() {
  return Unauthenticated("the request has no API key", "send it as `Authorization: Bearer a4c_...`",
                         "Bearer");
}

Response WrongKey(const Error& error) {
  if (error.code() != Code::kDenied) return ErrorResponse(error);
  return Unauthenticated(error.message(), error.hint(), "Bearer error=\"invalid_token\"");
}

// A traceparent of version 00 is passed on; anything else is dropped.
std::string TraceParent(const std::string& header) {
  const bool shape =
      header.size() == 55 && header.starts_with("00-") && header[35] == '-' && header[52] == '-';
  const bool digits = std::ranges::all_of(
      header, [](char c) { return c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  return shape && digits ? header : "";
}

Response TooSlow() {
  return ProblemResponse({.status = 408,
                          .type = "timeout",
                          .detail = "the body of the request did not come in time",
                          .hint = "it has api.request_timeout; is the network slow?"});
}

// The place of a request that holds its thread for as long as its client likes.
class SlowRequest {
 public:
  SlowRequest(TenantPlaces& places, const Request& request) : places_(places), request_(request) {}

  // False: there is none.
  bool Enter() {
    full_ = places_.Enter(request_.principal.tenant, place_);
    return !full_;
  }
  const std::optional<Problem>& full() const { return full_; }

 private:
  TenantPlaces& places_;
  const Request& request_;
  std::unique_ptr<TenantPlaces::Place> place_;
  std::optional<Problem> full_;
};

// Reads the body; an answer if it cannot be taken.
std::optional<Response> ReadBody(Request& request, int64_t bytes_max, const a4c::Clock& clock,
                                 SlowRequest& slow) {
  if (request.content_length > bytes_max) {
    request.body_unread = true;
    return TooLarge(bytes_max);
  }
  if (request.input == nullptr) return std::nullopt;
  if (request.before_body) {
    request.before_body(
        {.until_ms = request.deadline_ms, .may_be_slow = [&] { return slow.Enter(); }});
  }
  std::array<char, kBodyPieceBytes> chunk;
  while (request.input->good()) {
    request.input->read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    request.body.append(chunk.data(), static_cast<size_t>(request.input->gcount()));
    if (static_cast<int64_t>(request.body.size()) > bytes_max) {
      request.body_unread = true;
      return TooLarge(bytes_max);
    }
  }
  // Poco says by badbit that a chunk was none, or that nothing came in time.
  const bool short_body =
      request.input->bad() || (request.content_length >= 0 &&
                               static_cast<int64_t>(request.body.size()) != request.content_length);
  if (!short_body) return std::nullopt;
  request.body_unread = true;
  if (slow.full()) return ProblemResponse(*slow.full());
  if (clock.MonotonicMs() >= request.deadline_ms) return TooSlow();
  return ErrorResponse(Error(Code::kInvalid, "the body ended before it was whole"));
}

// What is said where there is nothing to say was meant for something else.
std::optional<Response> RefuseWords(const ApiContext& api, const Request& request) {
  if (request.body.empty()) return std::nullopt;
  const Result<Json> body = ParseBody(api, request.body);
  if (!body) return ErrorResponse(body.error());
  Faults faults;
  FieldReader(*body, "", faults).RefuseOthers();
  if (faults.empty()) return std::nullopt;
  return FaultsResponse(std::move(faults));
}

bool IsJsonType(const std::string& type) {
  return type.empty() || type.starts_with("application/json") ||
         type.starts_with("application/x-ndjson");
}

}  // namespace

ApiPlaces::ApiPlaces(a4c::MetricSink& metrics, const ApiSettings& settings)
    : sessions({"sessions", settings.sessions_max, settings.sessions_per_tenant_max},
               [&metrics](int64_t count) {
                 metrics.Gauge("a4c_sessions_open", {}, static_cast<double>(count));
               }),
      streams({"streams", settings.streams_max, settings.streams_per_tenant_max},
              [&metrics](int64_t count) {
                metrics.Gauge("a4c_http_streams_open", {}, static_cast<double>(count));
              }),
      slow_requests(
          {"slow_requests", settings.slow_requests_max, settings.slow_requests_per_tenant_max},
          [&metrics](int64_t count) {
            metrics.Gauge("a4c_http_slow_requests", {}, static_cast<double>(count));
          }) {}

Response Api::Handle(Request& request) {
  const int64_t started_ns = context_.runtime.clock.MonotonicNs();
  request.deadline_ms = started_ns / 1'000'000 + context_.settings.request_timeout_ms;
  request.traceparent = TraceParent(request.Header("traceparent"));
  request.own_id = context_.ids.Next();
  if (request.request_id.empty()) request.request_id = request.own_id;
  const Route* route = nullptr;
  Response response = Dispatch(request, route);
  response.Add("X-Request-Id", request.request_id);
  NameInstance(request.request_id, response);
  Note(request, route, response, started_ns);
  return response;
}

Response Api::Dispatch(Request& request, const Route*& route) {
  // Until somebody has read it, what the client sent is still on the wire.
  request.body_unread = request.input != nullptr;
  Match match = MatchRoute(Routes(), request.method, request.path);
  if (match.route == nullptr) {
    return match.allow.empty() ? NotFound(request) : WrongMethod(request, match.allow);
  }
  route = match.route;
  request.operation = route->operation;
  request.params = std::move(match.params);
  if (route->scope == nullptr) return Answer(request, *route);

  const std::string key = KeyOf(request);
  if (key.empty()) return NoKey();
  Result<Principal> principal = context_.keys.Authenticate(context_.CallFor(request), key);
  if (!principal) return WrongKey(principal.error());
  request.principal = *std::move(principal);
  if (route->reach == Reach::kTenant) request.may_touch = {request.principal.tenant};
  const RateLimiter::Decision decision = context_.limiter.Take(request.principal.key_id);
  Response response;
  if (!decision.allowed) {
    response = ProblemResponse({.status = 429,
                                .type = "rate-limited",
                                .detail = "this key is past its rate",
                                .hint = "wait as Retry-After says",
                                .errors = {},
                                .retry_after_s = static_cast<int>(decision.reset_s)});
  } else if (!request.principal.Allows(route->scope)) {
    response = ProblemResponse(ForbiddenProblem(route->scope));
  } else {
    response = Answer(request, *route);
    HoldByKey(context_.key_watch, context_.places.streams, request.principal, response);
  }
  if (context_.limiter.enabled()) {
    const std::string burst = std::to_string(context_.limiter.burst());
    const int64_t window_s =
        std::max<int64_t>(1, context_.limiter.burst() / context_.limiter.rate_per_s());
    response.Add("RateLimit-Policy", "\"key\";q=" + burst + ";w=" + std::to_string(window_s));
    response.Add("RateLimit", "\"key\";r=" + std::to_string(decision.remaining) +
                                  ";t=" + std::to_string(decision.reset_s));
  }
  return response;
}

Response Api::Answer(Request& request, const Route& route) {
  if (const Result<void> known = CheckQuery(route, request); !known) {
    return ErrorResponse(known.error());
  }
  SlowRequest slow(context_.places.slow_requests, request);
  if (route.body == BodyRule::kJson || route.body == BodyRule::kEmpty) {
    if (!IsJsonType(request.Header("Content-Type"))) {
      return ProblemResponse({.status = 415,
                              .type = "media-type",
                              .detail = "the body is read as application/json",
                              .hint = "with curl: -H 'Content-Type: application/json'"});
    }
    request.body_unread = false;
    std::optional<Response> refused =
        ReadBody(request, context_.settings.body_bytes_max, context_.runtime.clock, slow);
    if (refused) return *std::move(refused);
    if (route.body == BodyRule::kEmpty) refused = RefuseWords(context_, request);
    if (refused) return *std::move(refused);
  } else if (route.body == BodyRule::kStream || route.body == BodyRule::kContext) {
    const int64_t bytes_max = route.body == BodyRule::kStream ? context_.settings.batch_bytes_max
                                                              : context_.settings.context_bytes_max;
    if (request.content_length > bytes_max) return TooLarge(bytes_max);
    if (!slow.Enter()) return ProblemResponse(*slow.full());
    if (request.before_body) request.before_body({.rate_min = context_.settings.body_rate_min});
  }
  try {
    return route.handler(context_, request);
  } catch (const std::exception& error) {
    context_.runtime.log.Write(LogLevel::kError, "api", "a handler threw",
                               {{"operation", route.operation},
                                {"request_id", request.request_id},
                                {"error", error.what()}});
    return ErrorResponse(
        Error(Code::kInternal, "request " + request.request_id + " failed inside"));
  }
}

void Api::Note(const Request& request, const Route* route, const Response& response,
               int64_t started_ns) {
  const std::string_view operation = route == nullptr ? "none" : route->operation;
  const std::string status = std::to_string(response.status);
  const double seconds =
      static_cast<double>(context_.runtime.clock.MonotonicNs() - started_ns) / 1e9;
  context_.runtime.metrics.Count("a4c_http_requests_total",
                                 {{"operation", operation}, {"status", status}});
  context_.runtime.metrics.Observe("a4c_http_request_seconds", {{"operation", operation}}, seconds);
  if (const int64_t left_out = refused_.TakeLeftOut(); left_out > 0) {
    context_.runtime.log.Write(LogLevel::kWarning, "api", "refused requests were left out here",
                               {{"requests", std::to_string(left_out)}});
  }
  context_.runtime.log.Write(LevelOf(request, response.status), "api", "request",
                             {{"operation", std::string(operation)},
                              {"status", status},
                              {"remote", request.remote},
                              {"path", LoggedPath(request)},
                              {"request_id", request.request_id},
                              {"traceparent", request.traceparent},
                              {"tenant", request.principal.tenant},
                              {"key_id", request.principal.key_id},
                              {"seconds", std::to_string(seconds)}});
}

// Who tries keys is to be seen, and can fill no disk with it.
LogLevel Api::LevelOf(const Request& request, int status) {
  if (status >= 500) return LogLevel::kWarning;
  const bool is_refused = status == 401 || status == 403;
  return is_refused && refused_.Take(request.remote) ? LogLevel::kInfo : LogLevel::kDebug;
}

Result<Json> ParseBody(const ApiContext& api, const std::string& text) {
  if (text.empty()) {
    return Error(Code::kInvalid, "the body is empty", "send a JSON object, see /openapi.json");
  }
  Result<Json> body =
      a4c::ParseJson(text, {.bytes_max = text.size(), .depth_max = api.settings.json_depth_max});
  if (!body) return body.error().Within("the body is not taken as JSON");
  return body;
}

Result<int> PageLimit(const ApiContext& api, const Request& request) {
  const int max = api.settings.page_limit_max;
  return LimitNamed(request, "limit", std::min(50, max), max);
}

Result<int> LimitNamed(const Request& request, const std::string& name, int fallback, int max,
                       int min) {
  if (!request.HasQuery(name)) return fallback;
  const std::string& text = request.Query(name);
  int limit = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  const bool whole = error == std::errc() && at == text.data() + text.size();
  if (whole && limit >= min && limit <= max) return limit;
  return Error(Code::kInvalid, name + " is a whole number from " + std::to_string(min) + " to " +
                                   std::to_string(max));
}

bool MayBeOld(const Request& request) {
  return !Flag(request, "require_fresh") && !request.HasQuery("token") &&
         request.Header("A4C-Token").empty();
}

void AddStaleness(int64_t stale_ms, Json& body) {
  if (stale_ms > 0) body.AppendMember("stale_ms", stale_ms);
}

namespace {

std::string ParameterText(const std::string& name, const std::string& value) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string text = "&" + name + "=";
  for (const unsigned char c : value) {
    if (std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.') {
      text += static_cast<char>(c);
    } else {
      text += {'%', kHex[c >> 4], kHex[c & 15]};
    }
  }
  return text;
}

// The same list, from there on: with its tokens, since they decide where it is read. A reference to
// another query of the same path is right behind a gateway too that has put something before it.
std::string LinkToNext(const Request& request, const std::string& cursor) {
  std::string link = "<?cursor=" + cursor;
  for (const auto& [name, value] : request.query) {
    if (name != "cursor") link += ParameterText(name, value);
  }
  const std::string& token = request.Header("A4C-Token");
  if (!token.empty()) link += ParameterText("token", token);
  return link + ">; rel=\"next\"";
}

}  // namespace

Result<std::string> PagePosition(const Request& request, const std::string& list) {
  return DecodeCursor(request.principal.tenant + '\n' + list, request.Query("cursor"));
}

Response PageResponse(const Request& request, const std::string& list, const std::string& position,
                      Json body) {
  Response response;
  if (!position.empty()) {
    const std::string cursor = EncodeCursor(request.principal.tenant + '\n' + list, position);
    body.Set("next", cursor);
    response.Add("Link", LinkToNext(request, cursor));
  }
  response.body = body.ToString() + "\n";
  return response;
}

std::string ETag(int64_t rev) {
  return "\"" + std::to_string(rev) + "\"";
}

}  // namespace a4cd
