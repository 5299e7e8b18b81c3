#include "apps/a4cd/api/event_feed.h"
#include "apps/a4cd/api/handlers/handlers.h"

namespace a4cd {

Response StreamEvents(ApiContext& api, Request& request) {
  Response response;
  response.content_type = "text/event-stream";
  response.Add("Cache-Control", "no-store");
  response.stream = api.events.NewSource(request.principal.tenant, request.Header("Last-Event-ID"),
                                         request.principal.Allows("hosts:read"));
  return response;
}

}  // namespace a4cd
