#include <utility>

#include "apps/a4cd/api/audit.h"
#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/api/list_filter.h"
#include "apps/a4cd/api/problem.h"

namespace a4cd {

using a4c::Json;
using a4c::Result;

namespace {

constexpr FilterMember kFilterMembers[] = {
    {"key_id"}, {"operation"}, {"outcome"}, {"record_kind"}, {"record_id"}};

Result<ViewPage> ReadRows(const ApiContext& api, const Request& request, const std::string& after,
                          int limit) {
  A4C_TRY(const a4c::ScanAnswer scan,
          api.database.Scan(api.CallFor(request), {.kind = "audit",
                                                   .index = "by_at",
                                                   .scope = request.principal.tenant,
                                                   .descending = true,
                                                   .after = after,
                                                   .limit = limit}));
  ViewPage views{.items = {}, .next = scan.next};
  for (const a4c::Record& record : scan.records) {
    A4C_TRY(Json view, AuditView(record));
    views.items.push_back(std::move(view));
  }
  return views;
}

}  // namespace

Response ListAudit(ApiContext& api, Request& request) {
  const Result<ListFilter> filter = ListFilter::Of(request, kFilterMembers);
  if (!filter) return ErrorResponse(filter.error());
  const std::string list = "audit" + filter->Name();
  const Result<int> limit = PageLimit(api, request);
  if (!limit) return ErrorResponse(limit.error());
  const Result<std::string> position = PagePosition(request, list);
  if (!position) return ErrorResponse(position.error());
  Result<ViewPage> page = ReadWanted(
      *filter, *position, *limit,
      [&](const std::string& after, int most) { return ReadRows(api, request, after, most); });
  if (!page) return ErrorResponse(page.error());
  Json body(Json::Object{{"items", std::move(page->items)}});
  return PageResponse(request, list, page->next, std::move(body));
}

}  // namespace a4cd
