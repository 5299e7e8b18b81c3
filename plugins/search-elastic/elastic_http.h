// HttpPool: JSON requests to the nodes of one cluster, over connections that stay open.
//
// Nodes take turns. One that cannot be reached is asked last for a second, and the request goes to
// the next; every request of this plugin may be sent twice (documents carry versions), so that an
// answer lost on the way is asked for again too. A read waits for a silent node for half of its
// time and then asks another; writes leave such a node alone until a read got through, as they wait
// for all of theirs. All methods [any thread].
#pragma once

#include <memory>
#include <string>

#include "a4c/call.h"
#include "a4c/clock.h"
#include "a4c/json.h"
#include "a4c/result.h"
#include "elastic_errors.h"
#include "elastic_options.h"
#include "elastic_session.h"

namespace a4c::elastic {

struct HttpRequest {
  std::string method;  // "POST"
  std::string path;    // "/jobs/_search?..."
  std::string body = {};
  Effect effect = Effect::kReads;
};

struct HttpAnswer {
  int status = 0;
  std::string body;
};

class HttpPool {
 public:
  virtual ~HttpPool() = default;
  // Any status is an answer. Errors: see ErrorOfConnection, of a write that was sent always
  // kUnknownOutcome, whatever other nodes say; kExhausted: no connection became free, or the answer
  // is longer than response_bytes_max.
  virtual Result<HttpAnswer> Send(const Call& call, const HttpRequest& request) = 0;
};

// kInvalid: a URL that is not http(s)://host[:port], or none.
Result<std::unique_ptr<HttpPool>> NewHttpPool(const HttpOptions& options, const Runtime& runtime);
// The same over sessions of the caller's making.
std::unique_ptr<HttpPool> NewHttpPool(const HttpOptions& options, const Runtime& runtime,
                                      SessionFactory factory);

// The parsed answer of status below 400; what else came back as an error.
Result<Json> SendJson(HttpPool& pool, const Call& call, const HttpRequest& request);
// The same of an answer that is there already.
Result<Json> JsonOf(const HttpAnswer& answer, Effect effect);

}  // namespace a4c::elastic
