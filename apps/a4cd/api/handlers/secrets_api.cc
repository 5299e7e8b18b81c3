#include <utility>

#include "apps/a4cd/api/commit.h"
#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/api/problem.h"

namespace a4cd {

using a4c::Json;
using a4c::Result;

Response SetSecret(ApiContext& api, Request& request) {
  const Result<Json> body = ParseBody(api, request.body);
  if (!body) return ErrorResponse(body.error());
  Faults faults;
  const std::string value = SecretService::ReadValue(*body, faults);
  if (!faults.empty()) return FaultsResponse(std::move(faults));
  Result<std::string> fingerprint = api.secrets.Fingerprint(value);
  if (!fingerprint) return ErrorResponse(fingerprint.error());
  const WriteRules rules{.body_identity = *std::move(fingerprint)};
  return MakeWrite(api, request, rules, [&] {
    return api.secrets.PrepareSet(api.CallFor(request), request.principal, request.Param("id"),
                                  value);
  });
}

Response ListSecrets(ApiContext& api, Request& request) {
  const std::string list = "secrets";
  const Result<int> limit = PageLimit(api, request);
  if (!limit) return ErrorResponse(limit.error());
  const Result<std::string> position = PagePosition(request, list);
  if (!position) return ErrorResponse(position.error());
  const Result<SecretService::Page> page =
      api.secrets.List(api.CallFor(request), request.principal.tenant, *position, *limit);
  if (!page) return ErrorResponse(page.error());
  Json items(Json::Array{});
  for (const Secret& secret : page->secrets) items.Append(SecretView(secret));
  Json body(Json::Object{{"items", std::move(items)}});
  return PageResponse(request, list, page->next, std::move(body));
}

Response GetSecret(ApiContext& api, Request& request) {
  const Result<Secret> secret =
      api.secrets.Get(api.CallFor(request), request.principal.tenant, request.Param("id"));
  if (!secret) return ErrorResponse(secret.error());
  Response response = JsonResponse(200, SecretView(*secret));
  response.Add("ETag", ETag(secret->rev));
  return response;
}

Response DeleteSecret(ApiContext& api, Request& request) {
  return MakeWrite(api, request, {}, [&] {
    return api.secrets.PrepareDelete(api.CallFor(request), request.principal, request.Param("id"));
  });
}

}  // namespace a4cd
