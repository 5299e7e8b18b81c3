// The routes of the API, as one table, and the matching of a request to it.
//
// A pattern is a path whose segments may be parameters: "/v1/jobs/{id}:cancel". A parameter takes
// one whole segment, up to the last ":word" if the pattern has one there.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "apps/a4cd/api/http.h"

namespace a4cd {

struct ApiContext;
using Handler = Response (*)(ApiContext& api, Request& request);

enum class BodyRule : uint8_t {
  kNone,     // any body is refused
  kEmpty,    // nothing to say: no body, or an empty JSON object
  kJson,     // read whole, at most body_bytes_max
  kStream,   // the handler reads Request::input itself, at most batch_bytes_max
  kContext,  // the same, at most context_bytes_max
};

// Which records a handler may touch. Past that the store refuses, whatever the handler asks for.
enum class Reach : uint8_t {
  kTenant,        // those of the principal's tenant
  kInstallation,  // all: also servers, keys, tenants and the state of the sync, which are no
                  // tenant's
};

struct Route {
  const char* method;
  const char* pattern;
  const char* operation;  // operationId in openapi.json, label in metrics
  const char* scope;      // what the key must allow; null: no key is needed
  Handler handler;
  BodyRule body = BodyRule::kNone;
  Reach reach = Reach::kTenant;
  std::string_view query = {};  // the names that may stand behind "?", separated by a space
};

struct Match {
  const Route* route = nullptr;  // null: see allow
  std::string allow = {};        // methods that this path has; empty: no such path
  std::map<std::string, std::string, std::less<>> params = {};
};

Match MatchRoute(std::span<const Route> routes, std::string_view method, std::string_view path);

// All routes; routes.cc.
std::span<const Route> Routes();

}  // namespace a4cd
