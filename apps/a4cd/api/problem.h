// Errors as clients see them: application/problem+json (RFC 9457) with `type`, `title`, `status`,
// `detail`, a `hint`, for bodies `errors`, each with a JSON pointer, and `instance`.
#pragma once

#include <string>
#include <string_view>

#include "a4c/result.h"
#include "apps/a4cd/api/http.h"
#include "apps/a4cd/jobs/fields.h"

namespace a4cd {

struct Problem {
  int status = 500;
  std::string_view type = "internal";  // the last word of urn:a4c:problem:<type>
  std::string detail = {};
  std::string hint = {};
  Faults errors = {};
  int retry_after_s = 0;  // 0: no Retry-After
};

a4c::Json ProblemJson(const Problem& problem);
Response ProblemResponse(const Problem& problem);

// Says in a problem, if it is one, which request it is of: `instance`, urn:a4c:request:<id>.
void NameInstance(const std::string& request_id, Response& response);

// The one table from error codes to HTTP.
Problem ProblemOf(const a4c::Error& error);
Response ErrorResponse(const a4c::Error& error);
// 403: the key lacks this scope.
Problem ForbiddenProblem(std::string_view scope);
// 400 with all faults of a body.
Response FaultsResponse(Faults faults);

}  // namespace a4cd
