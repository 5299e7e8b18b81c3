#include <functional>
#include <memory>
#include <utility>

#include "apps/a4cd/api/commit.h"
#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/api/problem.h"
#include "apps/a4cd/api/query_rules.h"
#include "apps/a4cd/worker.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;

constexpr int kFacetValues = 10;
constexpr int kFacetValuesMax = 1'000;

// Tokens of earlier writes: token=, repeated or separated by commas, or the A4C-Token header.
Result<std::vector<a4c::Token>> Tokens(const Request& request) {
  std::string texts = request.Header("A4C-Token");
  for (const auto& [name, value] : request.query) {
    if (name == "token") texts += "," + value;
  }
  std::vector<a4c::Token> tokens;
  for (const std::string& text : BetweenCommas(texts)) {
    A4C_TRY(a4c::Token token, a4c::ParseToken(text, request.principal.tenant));
    tokens.push_back(std::move(token));
  }
  return tokens;
}

// facets=state,labels.team, each with facet_limit values at most.
Result<std::vector<a4c::FacetKey>> Facets(const Request& request) {
  A4C_TRY(const int limit, LimitNamed(request, "facet_limit", kFacetValues, kFacetValuesMax));
  std::vector<a4c::FacetKey> facets;
  for (std::string& field : BetweenCommas(request.Query("facets"))) {
    facets.push_back({.field = std::move(field), .limit = limit});
  }
  return facets;
}

Result<JobList> ReadList(const ApiContext& api, const Request& request, const std::string& list) {
  JobList jobs;
  jobs.query = request.Query("q");
  jobs.filter = request.Query("filter");
  if (request.HasQuery("sort")) jobs.sort = request.Query("sort");
  jobs.require_fresh = Flag(request, "require_fresh");
  jobs.may_be_old = MayBeOld(request);
  jobs.highlight = Flag(request, "highlight");
  A4C_TRY(jobs.after, PagePosition(request, list));
  A4C_TRY(jobs.limit, PageLimit(api, request));
  A4C_TRY(jobs.tokens, Tokens(request));
  A4C_TRY(jobs.facets, Facets(request));
  return jobs;
}

// A fragment in pieces, of which those say match that the query found.
Json FragmentJson(const a4c::Fragment& fragment) {
  Json pieces(Json::Array{});
  size_t at = 0;
  const auto add = [&](size_t end, bool match) {
    if (at == end) return;
    Json piece(Json::Object{{"text", fragment.text.substr(at, end - at)}});
    if (match) piece.AppendMember("match", true);
    pieces.Append(std::move(piece));
    at = end;
  };
  for (const a4c::TextSpan& match : fragment.matches) {
    add(match.offset, false);
    add(match.offset + match.size, true);
  }
  add(fragment.text.size(), false);
  return pieces;
}

Json HighlightsJson(const std::vector<a4c::Highlight>& highlights) {
  Json fields(Json::Array{});
  for (const a4c::Highlight& highlight : highlights) {
    Json fragments(Json::Array{});
    for (const a4c::Fragment& fragment : highlight.fragments) {
      fragments.Append(FragmentJson(fragment));
    }
    fields.Append(
        Json(Json::Object{{"field", highlight.field}, {"fragments", std::move(fragments)}}));
  }
  return fields;
}

Json ItemsJson(const JobPage& page) {
  Json items(Json::Array{});
  for (size_t i = 0; i < page.jobs.size(); ++i) {
    Json item = JobView(page.jobs[i]);
    if (i < page.highlights.size()) {
      item.AppendMember("highlights", HighlightsJson(page.highlights[i]));
    }
    items.Append(std::move(item));
  }
  return items;
}

Json FacetValueJson(const a4c::Scalar& value) {
  if (const bool* flag = std::get_if<bool>(&value)) return *flag;
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? Json() : Json(*text);
}

Json FacetsJson(const std::vector<a4c::FacetKey>& keys,
                const std::vector<std::vector<a4c::FacetValue>>& facets) {
  Json all(Json::Array{});
  for (size_t i = 0; i < facets.size(); ++i) {
    Json values(Json::Array{});
    for (const a4c::FacetValue& value : facets[i]) {
      values.Append(
          Json(Json::Object{{"value", FacetValueJson(value.value)}, {"count", value.count}}));
    }
    all.Append(Json(Json::Object{{"field", keys[i].field}, {"values", std::move(values)}}));
  }
  return all;
}

Json PageJson(const JobPage& page, const std::vector<a4c::FacetKey>& facets) {
  Json items = ItemsJson(page);
  Json body(Json::Object{{"items", std::move(items)}});
  if (page.total) body.AppendMember("total", *page.total);
  if (!facets.empty()) body.AppendMember("facets", FacetsJson(facets, page.facets));
  body.AppendMember("source", page.from_index ? "index" : "store");
  body.AppendMember("fresh", page.fresh);
  body.AppendMember("lag_ms", page.lag_ms);
  AddStaleness(page.stale_ms, body);
  if (page.lost.empty()) return body;
  Json lost(Json::Array{});
  for (const a4c::Token& token : page.lost) lost.Append(a4c::TokenText(token));
  body.AppendMember("lost", std::move(lost));
  return body;
}

// An index that is down is told together with the list that does without it.
Error SearchError(const Error& error) {
  if (!error.retryable() && error.code() != Code::kUnsupported) return error;
  const std::string hint = "GET /v1/jobs without q, filter, sort and token reads the store";
  return Error(error.code(), error.message(),
               error.hint().empty() ? hint : error.hint() + "; " + hint);
}

// Of a job that is about a server itself: one that nobody knows is told at once. Servers are no
// tenant's, and who may give such jobs may see them.
Result<void> KnowServer(ApiContext& api, const Request& request, const JobDraft& draft) {
  if (!draft.type.starts_with("host.") || api.worker == nullptr) return {};
  const a4c::Call call{api.runtime.clock, request.deadline_ms, {}, request.traceparent};
  A4C_CHECK(api.worker->disks().Find(call, draft.payload["host"].Text()));
  return {};
}

using Step = std::function<Result<PreparedWrite>(const a4c::Call&, const Job&)>;

Response StepJob(ApiContext& api, Request& request, const Step& prepare) {
  return MakeWrite(api, request, {.if_match = true}, [&]() -> Result<PreparedWrite> {
    const a4c::Call call = api.CallFor(request);
    A4C_TRY(const Job job, api.jobs.Get(call, request.principal.tenant, request.Param("id")));
    return prepare(call, job);
  });
}

}  // namespace

Response CreateJob(ApiContext& api, Request& request) {
  const Result<Json> body = ParseBody(api, request.body);
  if (!body) return ErrorResponse(body.error());
  Faults faults;
  const JobDraft draft = ReadJobDraft(*body, faults);
  if (!faults.empty()) return FaultsResponse(std::move(faults));
  if (const std::string_view scope = ExtraScopeOf(draft.type); !request.principal.Allows(scope)) {
    return ProblemResponse(ForbiddenProblem(scope));
  }
  return MakeWrite(api, request, {.status = 201, .location_prefix = "/v1/jobs/"},
                   [&]() -> Result<PreparedWrite> {
                     A4C_CHECK(KnowServer(api, request, draft));
                     return api.jobs.PrepareCreate(api.CallFor(request), request.principal, draft);
                   });
}

Response ListJobs(ApiContext& api, Request& request) {
  std::string list = "jobs\n" + request.Query("q") + '\n' + request.Query("sort");
  if (request.HasQuery("filter")) list += '\n' + request.Query("filter");
  const Result<JobList> wanted = ReadList(api, request, list);
  if (!wanted) return ErrorResponse(wanted.error());
  const Result<JobPage> page =
      api.jobs.List(api.CallFor(request), request.principal.tenant, *wanted);
  if (!page) return ErrorResponse(SearchError(page.error()));
  Json body = PageJson(*page, wanted->facets);
  return PageResponse(request, list, page->next, std::move(body));
}

Response GetJob(ApiContext& api, Request& request) {
  const Result<Job> job =
      api.jobs.Get(api.CallFor(request), request.principal.tenant, request.Param("id"));
  if (!job) return ErrorResponse(job.error());
  Response response = JsonResponse(200, JobView(*job));
  response.Add("ETag", ETag(job->rev));
  return response;
}

Response CancelJob(ApiContext& api, Request& request) {
  return StepJob(api, request, [&](const a4c::Call& call, const Job& job) {
    return api.jobs.PrepareCancel(call, request.principal, job);
  });
}

Response RetryJob(ApiContext& api, Request& request) {
  const Result<Job> job =
      api.jobs.Get(api.CallFor(request), request.principal.tenant, request.Param("id"));
  if (!job) return ErrorResponse(job.error());
  if (const std::string_view scope = ExtraScopeOf(job->type); !request.principal.Allows(scope)) {
    return ProblemResponse(ForbiddenProblem(scope));
  }
  return StepJob(api, request, [&](const a4c::Call&, const Job& again) {
    return api.jobs.PrepareRetry(request.principal, again);
  });
}

}  // namespace a4cd
