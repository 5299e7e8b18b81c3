#include "apps/a4cd/api/problem.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Json;

constexpr const char* kProblemType = "application/problem+json";

struct Row {
  Code code;
  int status;
  std::string_view type;
  int retry_after_s;
};
constexpr Row kRows[] = {
    {Code::kInvalid, 400, "invalid", 0},         {Code::kNotFound, 404, "not-found", 0},
    {Code::kConflict, 409, "conflict", 0},       {Code::kDenied, 502, "refused", 0},
    {Code::kExhausted, 503, "exhausted", 1},     {Code::kUnavailable, 503, "unavailable", 1},
    {Code::kTimeout, 504, "timeout", 1},         {Code::kCanceled, 503, "draining", 1},
    {Code::kUnsupported, 501, "unsupported", 0}, {Code::kUnknownOutcome, 503, "outcome-unknown", 1},
    {Code::kInternal, 500, "internal", 0},
};

struct Title {
  std::string_view type;
  std::string_view title;
};
constexpr Title kTitles[] = {
    {"invalid", "The request is wrong"},
    {"not-found", "There is no such thing"},
    {"conflict", "It is not in a state that allows this"},
    {"unauthenticated", "An API key is needed"},
    {"forbidden", "The API key does not allow this"},
    {"refused", "What is behind the API refuses this a4cd"},
    {"no-capacity", "No server has room for it"},
    {"exhausted", "A bound is reached"},
    {"unavailable", "A back end is not available"},
    {"timeout", "The deadline passed"},
    {"draining", "This instance is ending"},
    {"unsupported", "This installation cannot do it"},
    {"outcome-unknown", "It may or may not have been done"},
    {"internal", "Something is broken inside"},
    {"method-not-allowed", "This path has other methods"},
    {"length-required", "The length of the body has to be announced"},
    {"body-too-large", "The body is too large"},
    {"media-type", "The body has another media type"},
    {"precondition-required", "If-Match is needed"},
    {"precondition-failed", "It has changed since it was read"},
    {"idempotency-key-reused", "The Idempotency-Key belongs to another request"},
    {"idempotency-in-progress", "The first request with this Idempotency-Key is not done"},
    {"rate-limited", "Too many requests"},
    {"upgrade-required", "This is spoken over another protocol"},
};

std::string_view TitleOf(std::string_view type) {
  const auto* found = std::ranges::find(kTitles, type, &Title::type);
  return found == std::end(kTitles) ? type : found->title;
}

}  // namespace

Json ProblemJson(const Problem& problem) {
  Json body(Json::Object{});
  body.AppendMember("type", "urn:a4c:problem:" + std::string(problem.type));
  body.AppendMember("title", TitleOf(problem.type));
  body.AppendMember("status", problem.status);
  if (!problem.detail.empty()) body.AppendMember("detail", problem.detail);
  if (!problem.hint.empty()) body.AppendMember("hint", problem.hint);
  if (problem.errors.empty()) return body;
  Json errors(Json::Array{});
  for (const Fault& fault : problem.errors) {
    Json error(Json::Object{{"pointer", fault.pointer}, {"detail", fault.detail}});
    if (!fault.hint.empty()) error.AppendMember("hint", fault.hint);
    errors.Append(std::move(error));
  }
  body.AppendMember("errors", std::move(errors));
  return body;
}

Response ProblemResponse(const Problem& problem) {
  Response response = JsonResponse(problem.status, ProblemJson(problem));
  response.content_type = kProblemType;
  if (problem.retry_after_s > 0) {
    response.Add("Retry-After", std::to_string(problem.retry_after_s));
  }
  return response;
}

void NameInstance(const std::string& request_id, Response& response) {
  if (response.content_type != kProblemType) return;
  a4c::Result<Json> body = a4c::ParseJson(response.body);
  if (!body || !body->IsObject()) return;
  body->Set("instance", "urn:a4c:request:" + request_id);
  response.body = body->ToString() + "\n";
}

Problem ProblemOf(const a4c::Error& error) {
  const auto* row = std::ranges::find(kRows, error.code(), &Row::code);
  Problem problem{row->status, row->type, error.message(), error.hint(), {}, row->retry_after_s};
  if (error.unknown_outcome() && problem.hint.empty()) {
    problem.hint = "send the same request with the same Idempotency-Key to learn it";
  }
  return problem;
}

Response ErrorResponse(const a4c::Error& error) {
  return ProblemResponse(ProblemOf(error));
}

Problem ForbiddenProblem(std::string_view scope) {
  const std::string name(scope);
  return {.status = 403,
          .type = "forbidden",
          .detail = "this needs the scope " + name,
          .hint = "ask for a key that has it: a4c key create --scope " + name};
}

Response FaultsResponse(Faults faults) {
  Problem problem{.status = 400, .type = "invalid"};
  problem.detail = faults.size() == 1 ? faults[0].pointer + " " + faults[0].detail
                                      : std::to_string(faults.size()) + " members are wrong";
  if (faults.size() == 1) problem.hint = faults[0].hint;
  problem.errors = std::move(faults);
  return ProblemResponse(problem);
}

}  // namespace a4cd
