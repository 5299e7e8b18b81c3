#include <utility>

#include "apps/a4cd/api/audit.h"
#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/api/problem.h"

namespace a4cd {

using a4c::Json;
using a4c::Result;

Response ListAudit(ApiContext& api, Request& request) {
  const std::string list = "audit";
  const Result<int> limit = PageLimit(api, request);
  if (!limit) return ErrorResponse(limit.error());
  const Result<std::string> position = PagePosition(request, list);
  if (!position) return ErrorResponse(position.error());
  const Result<a4c::ScanAnswer> page =
      api.database.Scan(api.CallFor(request), {.kind = "audit",
                                               .index = "by_at",
                                               .scope = request.principal.tenant,
                                               .descending = true,
                                               .after = *position,
                                               .limit = *limit});
  if (!page) return ErrorResponse(page.error());
  Json items(Json::Array{});
  for (const a4c::Record& record : page->records) {
    Result<Json> view = AuditView(record);
    if (!view) return ErrorResponse(view.error());
    items.Append(*std::move(view));
  }
  Json body(Json::Object{{"items", std::move(items)}});
  Response response;
  AddNext(request, list, page->next, body, response);
  response.body = body.ToString() + "\n";
  return response;
}

}  // namespace a4cd
