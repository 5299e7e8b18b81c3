#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/api/openapi.h"
#include "apps/a4cd/api/problem.h"

namespace a4cd {

Response GetStatus(ApiContext& api, Request& request) {
  return JsonResponse(200, api.process.Status(api.CallFor(request)));
}

Response GetLive(ApiContext&, Request&) {
  return TextResponse(200, "ok\n");
}

Response GetReady(ApiContext& api, Request& request) {
  const std::string why = api.process.WhyNotReady(api.CallFor(request), request.Query("role"));
  return why.empty() ? TextResponse(200, "ok\n") : TextResponse(503, why + "\n");
}

Response GetMetrics(ApiContext& api, Request&) {
  Response response = TextResponse(200, api.process.MetricsText());
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  return response;
}

Response GetOpenApi(ApiContext&, Request&) {
  Response response;
  response.body = OpenApiText();
  return response;
}

}  // namespace a4cd
