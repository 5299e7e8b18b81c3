#include "apps/a4cd/api/commit.h"

#include <charconv>
#include <utility>

#include "a4c/sinks.h"
#include "apps/a4cd/api/audit.h"
#include "apps/a4cd/api/cursor.h"
#include "apps/a4cd/api/problem.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Committed;
using a4c::Error;
using a4c::Json;
using a4c::Result;

constexpr int kDecisionsMax = 5;
constexpr size_t kKeyBytesMax = 180;

// What is stored with the commit and told again to whoever sends the request again. Takes the view.
Json StoredAnswer(const WriteRules& rules, PreparedWrite& write) {
  Json stored(Json::Object{});
  stored.AppendMember("status", rules.status);
  stored.AppendMember("rev", write.rev);
  if (!rules.location_prefix.empty()) {
    stored.AppendMember("location", rules.location_prefix + write.id);
  }
  if (!write.commit.changes.empty()) {
    stored.AppendMember("token", a4c::TokenText({write.commit.changes[0].ref, write.rev}));
  }
  stored.AppendMember("body", std::move(write.view));
  return stored;
}

Json StoredProblem(const Problem& problem) {
  return Json::Object{
      {"status", problem.status}, {"body", ProblemJson(problem)}, {"problem", true}};
}

Response ResponseOf(const Json& stored) {
  Response response = JsonResponse(static_cast<int>(stored["status"].Int()), stored["body"]);
  if (stored["problem"].Bool()) response.content_type = "application/problem+json";
  if (stored["rev"].Int() > 0) response.Add("ETag", ETag(stored["rev"].Int()));
  if (stored["location"].IsText()) response.Add("Location", stored["location"].Text());
  if (stored["token"].IsText()) response.Add("A4C-Token", stored["token"].Text());
  return response;
}

Response Replayed(const Committed& committed) {
  const Result<Json> stored = a4c::ParseJson(committed.answer);
  if (!stored) return ErrorResponse(stored.error().Within("the stored answer"));
  Response response = ResponseOf(*stored);
  response.Add("Idempotent-Replayed", "true");
  return response;
}

Response KeyReused() {
  return ProblemResponse({.status = 422,
                          .type = "idempotency-key-reused",
                          .detail = "this Idempotency-Key was sent with another request",
                          .hint = "make a new key for each new request"});
}

Response InProgress() {
  return ProblemResponse({.status = 409,
                          .type = "idempotency-in-progress",
                          .detail = "the first request with this Idempotency-Key is not done yet",
                          .hint = "send it again later, with the same key",
                          .errors = {},
                          .retry_after_s = 1});
}

const Problem kChanged{.status = 412,
                       .type = "precondition-failed",
                       .detail = "it has changed since the version that If-Match names",
                       .hint = "read it again, and decide anew"};

const Problem kNoMatch{.status = 428,
                       .type = "precondition-required",
                       .detail = "say with If-Match which version is meant",
                       .hint = "send the ETag of what was read, or * for any version"};

// The request's identity; a key is made if the client sent none, so that an unknown outcome can be
// resolved by sending the commit again.
Result<a4c::Idempotency> IdempotencyOf(ApiContext& api, const Request& request,
                                       const WriteRules& rules) {
  A4C_TRY(std::string key, IdempotencyKey(request));
  key = key.empty() ? "a4cd:" + api.ids.Next() : "client:" + key;
  std::string path = request.path;
  for (const auto& [name, value] : request.query) {
    path.append("\n?").append(name).append("=").append(value);
  }
  std::string identity = request.method + '\n' + path + '\n' + request.Header("If-Match") + '\n' +
                         request.principal.key_id + '\n';
  identity += rules.body_identity.value_or(request.body);
  return a4c::Idempotency{request.principal.tenant, key, HashHex(identity), ""};
}

// Gives the key back when it goes, also by a throw.
class Stay {
 public:
  Stay(InFlight& in_flight, const std::string& key) : in_flight_(in_flight), key_(key) {}
  ~Stay() { in_flight_.Leave(key_); }
  Stay(const Stay&) = delete;
  Stay& operator=(const Stay&) = delete;

 private:
  InFlight& in_flight_;
  const std::string& key_;
};

class Writer {
 public:
  Writer(ApiContext& api, const Request& request, const WriteRules& rules)
      : api_(api), request_(request), rules_(rules) {}

  Response Run(const Decide& decide) {
    Result<a4c::Idempotency> identity = IdempotencyOf(api_, request_, rules_);
    if (!identity) return ErrorResponse(identity.error());
    idempotency_ = *std::move(identity);
    if (rules_.if_match || !request_.Header("If-Match").empty()) {
      const Result<std::optional<int64_t>> match = IfMatch(request_);
      if (!match) return ErrorResponse(match.error());
      if (!*match) return ProblemResponse(kNoMatch);
      match_rev_ = **match;
    }
    if (request_.Header("Idempotency-Key").empty()) return Attempt(decide);
    const std::string flight = idempotency_.scope + '\n' + idempotency_.key;
    if (!api_.in_flight.Enter(flight, request_.deadline_ms)) return InProgress();
    const Stay stay(api_.in_flight, flight);
    return Attempt(decide);
  }

 private:
  Response Attempt(const Decide& decide) {
    for (int left = kDecisionsMax;;) {
      Result<PreparedWrite> write = decide();
      if (!write) return Refuse(ProblemOf(write.error()), write.error().code());
      if (match_rev_ != 0) {
        if (match_rev_ != RevBefore(*write)) return Refuse(kChanged, Code::kConflict);
        // What is not written by it may change until it is committed.
        if (write->before) write->commit.also.emplace_back(*write->before);
      }
      const bool is_last = --left == 0;
      std::optional<Response> answer = Commit(*write, is_last);
      if (answer) return *std::move(answer);
    }
  }

  static int64_t RevBefore(const PreparedWrite& write) {
    return write.before ? write.before->rev.value_or(0) : write.rev - 1;
  }

  // Nothing: it has to be decided again.
  std::optional<Response> Commit(PreparedWrite& write, bool is_last) {
    Json stored = StoredAnswer(rules_, write);
    write.commit.idempotency = idempotency_;
    write.commit.idempotency->answer = stored.ToString();
    AuditEntry entry{.outcome = "applied", .ref = {}, .rev = write.rev};
    if (!write.commit.changes.empty()) entry.ref = write.commit.changes[0].ref;
    AddAudit(api_, request_, entry, write.commit);
    const Result<Committed> committed = api_.database.Write(api_.CallFor(request_), write.commit);
    if (!committed) return ErrorResponse(committed.error());
    switch (committed->outcome) {
      case Committed::Outcome::kApplied:
        return Applied(std::move(stored));
      case Committed::Outcome::kReplayed:
        return Replayed(*committed);
      case Committed::Outcome::kKeyReused:
        return KeyReused();
      case Committed::Outcome::kConflict:
      case Committed::Outcome::kOutOfBounds:
        break;
    }
    if (match_rev_ != 0) return Refuse(kChanged, Code::kConflict);
    if (write.decide_again && !is_last) return std::nullopt;
    const Error conflict = ConflictError(*committed);
    return Refuse(ProblemOf(conflict), conflict.code());
  }

  Response Applied(Json stored) {
    if (rules_.reveal) {
      Json body = stored["body"];
      rules_.reveal(body);
      stored.Set("body", std::move(body));
    }
    return ResponseOf(stored);
  }

  // A refusal that rests on the state that was read, or found by the commit: the state may be so
  // because this very request was done before. Only the key can tell.
  Response Refuse(const Problem& problem, Code code) {
    const bool by_state = code == Code::kConflict || code == Code::kNotFound;
    const bool by_key = by_state && !request_.Header("Idempotency-Key").empty();
    if (!by_key) return RefuseNoted(api_, request_, problem);
    a4c::Commit commit;
    AddAudit(api_, request_, {.outcome = std::string(problem.type), .ref = {}}, commit);
    commit.idempotency = idempotency_;
    commit.idempotency->answer = StoredProblem(problem).ToString();
    const Result<Committed> committed = api_.database.Write(api_.CallFor(request_), commit);
    if (!committed) return ErrorResponse(committed.error());
    if (committed->outcome == Committed::Outcome::kReplayed) return Replayed(*committed);
    if (committed->outcome == Committed::Outcome::kKeyReused) return KeyReused();
    return ProblemResponse(problem);
  }

  ApiContext& api_;
  const Request& request_;
  const WriteRules& rules_;
  a4c::Idempotency idempotency_;
  int64_t match_rev_ = 0;  // 0: any version
};

}  // namespace

Error ConflictError(const Committed& committed) {
  for (const a4c::OpFailure& failure : committed.failures) {
    if (failure.reason == a4c::OpFailure::Reason::kUnique) {
      return Error(Code::kConflict, "the name is taken", "choose another, or use what is there");
    }
  }
  if (committed.outcome == Committed::Outcome::kOutOfBounds) {
    return Error(Code::kExhausted, "a bound is reached");
  }
  if (!committed.failures.empty() &&
      committed.failures[0].reason == a4c::OpFailure::Reason::kPresent) {
    return Error(Code::kConflict, "it exists already");
  }
  return Error(Code::kConflict, "it was changed by somebody else at this moment",
               "try again, as a new request");
}

Result<std::string> IdempotencyKey(const Request& request) {
  const std::string& key = request.Header("Idempotency-Key");
  if (key.size() <= kKeyBytesMax) return key;
  return Error(Code::kInvalid,
               "the Idempotency-Key is longer than " + std::to_string(kKeyBytesMax) + " bytes",
               "a UUID has 36");
}

Result<std::optional<int64_t>> IfMatch(const Request& request) {
  const std::string& header = request.Header("If-Match");
  if (header.empty()) return std::optional<int64_t>();
  if (header == "*") return std::optional<int64_t>(0);
  int64_t rev = 0;
  const bool quoted = header.size() > 2 && header.front() == '"' && header.back() == '"';
  const char* end = header.data() + header.size() - 1;
  const auto [at, error] = std::from_chars(header.data() + (quoted ? 1 : 0), end, rev);
  if (quoted && error == std::errc() && at == end && rev > 0) return std::optional<int64_t>(rev);
  return Error(Code::kInvalid, "If-Match is no ETag of this API", "send the ETag as it was given");
}

Response MakeWrite(ApiContext& api, const Request& request, const WriteRules& rules,
                   const Decide& decide) {
  return Writer(api, request, rules).Run(decide);
}

}  // namespace a4cd
