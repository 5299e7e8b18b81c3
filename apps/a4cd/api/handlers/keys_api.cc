#include <utility>

#include "apps/a4cd/api/commit.h"
#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/api/problem.h"

namespace a4cd {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;

Response CreateKey(ApiContext& api, Request& request) {
  const Result<Json> body = ParseBody(api, request.body);
  if (!body) return ErrorResponse(body.error());
  Faults faults;
  const KeyDraft draft = api.keys.ReadDraft(*body, request.principal, faults);
  if (!faults.empty()) return FaultsResponse(std::move(faults));
  const Result<bool> known = api.keys.TenantExists(api.CallFor(request), draft.tenant);
  if (!known) return ErrorResponse(known.error());
  if (!*known) {
    return ErrorResponse(Error(Code::kNotFound, "there is no tenant " + draft.tenant,
                               "make it: a4c tenant create " + draft.tenant));
  }
  std::string key;
  const WriteRules rules{
      .status = 201, .location_prefix = "/v1/keys/", .if_match = false, .reveal = [&](Json& view) {
        view.Set("key", key);
      }};
  return MakeWrite(api, request, rules, [&]() -> Result<PreparedWrite> {
    KeyService::NewKey made = api.keys.PrepareCreate(draft, request.principal.key_id);
    key = made.key;
    return std::move(made.write);
  });
}

Response ListKeys(ApiContext& api, Request& request) {
  const std::string list = "keys";
  const Result<int> limit = PageLimit(api, request);
  if (!limit) return ErrorResponse(limit.error());
  const Result<std::string> position = PagePosition(request, list);
  if (!position) return ErrorResponse(position.error());
  const Result<KeyService::Page> page =
      api.keys.List(api.CallFor(request), request.principal.tenant, *position, *limit);
  if (!page) return ErrorResponse(page.error());
  Json items(Json::Array{});
  for (const ApiKey& key : page->keys) items.Append(ApiKeyView(key));
  Json body(Json::Object{{"items", std::move(items)}});
  return PageResponse(request, list, page->next, std::move(body));
}

Response GetKey(ApiContext& api, Request& request) {
  const Result<ApiKey> key =
      api.keys.Get(api.CallFor(request), request.principal.tenant, request.Param("id"));
  if (!key) return ErrorResponse(key.error());
  Response response = JsonResponse(200, ApiKeyView(*key));
  response.Add("ETag", ETag(key->rev));
  return response;
}

Response RevokeKey(ApiContext& api, Request& request) {
  Response response = MakeWrite(api, request, {}, [&]() -> Result<PreparedWrite> {
    A4C_TRY(const ApiKey key,
            api.keys.Get(api.CallFor(request), request.principal.tenant, request.Param("id")));
    return api.keys.PrepareRevoke(key);
  });
  api.keys.Forget(request.Param("id"));
  return response;
}

Response CreateTenant(ApiContext& api, Request& request) {
  const Result<Json> body = ParseBody(api, request.body);
  if (!body) return ErrorResponse(body.error());
  Faults faults;
  const PreparedWrite write = api.keys.PrepareTenant(*body, faults);
  if (!faults.empty()) return FaultsResponse(std::move(faults));
  return MakeWrite(api, request, {.status = 201}, [&]() -> Result<PreparedWrite> { return write; });
}

Response GetTenant(ApiContext& api, Request& request) {
  const Result<Tenant> tenant = api.keys.GetTenant(api.CallFor(request), request.Param("id"));
  if (!tenant) return ErrorResponse(tenant.error());
  Response response = JsonResponse(200, TenantView(*tenant));
  if (tenant->rev > 0) response.Add("ETag", ETag(tenant->rev));
  return response;
}

Response UpdateTenant(ApiContext& api, Request& request) {
  const Result<Json> body = ParseBody(api, request.body);
  if (!body) return ErrorResponse(body.error());
  Faults faults;
  const TenantChange change = ReadTenantChange(*body, faults);
  if (!faults.empty()) return FaultsResponse(std::move(faults));
  return MakeWrite(api, request, {.if_match = true}, [&]() -> Result<PreparedWrite> {
    A4C_TRY(const Tenant tenant, api.keys.GetTenant(api.CallFor(request), request.Param("id")));
    return api.keys.PrepareUpdate(tenant, change);
  });
}

Response ListTenants(ApiContext& api, Request& request) {
  const Result<Json> body = api.keys.ListTenants(api.CallFor(request));
  return body ? JsonResponse(200, *body) : ErrorResponse(body.error());
}

}  // namespace a4cd
