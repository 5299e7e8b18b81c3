// The API without sockets: takes a Request through routing, authentication, rate, body limits and
// its handler to a Response. Also what handlers work with.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "a4c/clock.h"
#include "a4c/collection.h"
#include "a4c/host_provider.h"
#include "a4c/sinks.h"
#include "apps/a4cd/api/http.h"
#include "apps/a4cd/api/in_flight.h"
#include "apps/a4cd/api/rate_limit.h"
#include "apps/a4cd/api/refused_lines.h"
#include "apps/a4cd/api/router.h"
#include "apps/a4cd/api/tenant_places.h"
#include "apps/a4cd/auth/key_service.h"
#include "apps/a4cd/auth/key_watch.h"
#include "apps/a4cd/config/settings.h"
#include "apps/a4cd/jobs/job_service.h"
#include "apps/a4cd/secrets/secret_service.h"

namespace a4cd {

class EventFeed;
class Worker;

// What the API asks of the process around it.
class ProcessView {
 public:
  virtual ~ProcessView() = default;
  // Empty: ready; else why not. role empty: only what serving requests needs.
  virtual std::string WhyNotReady(const a4c::Call& call, const std::string& role) = 0;
  virtual a4c::Json Status(const a4c::Call& call) = 0;
  virtual std::string MetricsText() = 0;
};

struct ApiPlaces {
  ApiPlaces(a4c::MetricSink& metrics, const ApiSettings& settings);

  TenantPlaces sessions;
  TenantPlaces streams;
  TenantPlaces slow_requests;  // that hold a thread for long
};

struct ApiContext {
  const a4c::Runtime runtime;
  const ApiSettings settings;
  a4c::Database& database;
  JobService& jobs;
  KeyService& keys;
  KeyWatch& key_watch;
  SecretService& secrets;
  a4c::HostProvider* hosts;  // null: this installation has none
  EventFeed& events;
  ProcessView& process;
  a4c::IdSource& ids;
  RateLimiter limiter;
  InFlight in_flight;
  Worker* worker = nullptr;  // null: this installation has no host provider
  ApiPlaces places{runtime.metrics, settings};

  a4c::Call CallFor(const Request& request) const {
    a4c::Call call{runtime.clock, request.deadline_ms, {}, request.traceparent};
    if (request.may_touch) call.scopes = &*request.may_touch;
    return call;
  }
};

// [any thread]
class Api {
 public:
  explicit Api(ApiContext& context) : context_(context), refused_(context.runtime.clock) {}
  Response Handle(Request& request);

 private:
  Response Dispatch(Request& request, const Route*& route);
  Response Answer(Request& request, const Route& route);
  void Note(const Request& request, const Route* route, const Response& response,
            int64_t started_ns);
  a4c::LogLevel LevelOf(const Request& request, int status);

  ApiContext& context_;
  RefusedLines refused_;
};

// The body as JSON, within the API's limits; kInvalid says where it is wrong.
a4c::Result<a4c::Json> ParseBody(const ApiContext& api, const std::string& text);
// limit=, bounded; kInvalid if it is no number from 1 to page_limit_max.
a4c::Result<int> PageLimit(const ApiContext& api, const Request& request);
// Another such parameter; the fallback if it is absent.
a4c::Result<int> LimitNamed(const Request& request, const std::string& name, int fallback, int max,
                            int min = 1);
// A page of a list: the body with "next", and the Link header, if it goes on at a position.
Response PageResponse(const Request& request, const std::string& list, const std::string& position,
                      a4c::Json body);
// Whether a list may be a little old: it names no write that must be seen (token= or A4C-Token),
// and no require_fresh.
bool MayBeOld(const Request& request);
// How old a list may be; nothing is added to one that is current.
void AddStaleness(int64_t stale_ms, a4c::Json& body);
// The position in cursor=.
a4c::Result<std::string> PagePosition(const Request& request, const std::string& list);
std::string ETag(int64_t rev);

}  // namespace a4cd
