// Makes the writes of the API: once per Idempotency-Key, guarded by If-Match, with the answer
// stored in the same commit, so that a replay is told the same.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "apps/a4cd/api/api.h"
#include "apps/a4cd/jobs/prepared_write.h"

namespace a4cd {

struct WriteRules {
  int status = 200;
  std::string location_prefix = {};  // Location: prefix + id
  // True: the request must say with If-Match which version it means (428, 412).
  bool if_match = false;
  // Stands for the body in the request's identity, where a hash of the body would give it away.
  std::optional<std::string> body_identity = {};
  // Puts into a first answer what is not stored with it and not shown again.
  std::function<void(a4c::Json& view)> reveal = {};
};

using Decide = std::function<a4c::Result<PreparedWrite>()>;

// As the client sent it; empty: it has sent none.
a4c::Result<std::string> IdempotencyKey(const Request& request);

// The rev named by If-Match; nullopt: none. `*` means any version that exists, rev 0.
a4c::Result<std::optional<int64_t>> IfMatch(const Request& request);

Response MakeWrite(ApiContext& api, const Request& request, const WriteRules& rules,
                   const Decide& decide);

// Why a commit failed, in words.
a4c::Error ConflictError(const a4c::Committed& committed);

}  // namespace a4cd
