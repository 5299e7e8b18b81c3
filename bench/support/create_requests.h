// The create that the questions about HTTP send: a small job that is not due for a day, with an
// Idempotency-Key of its own. Nothing but the request itself works on it.
#pragma once

#include <string>

#include "bench/support/http_load.h"

namespace a4c::bench {

class CreateRequests {
 public:
  explicit CreateRequests(std::string key) : key_(std::move(key)) {}

  std::string Next() {
    const std::string number = std::to_string(++made_);
    const std::string body = R"({"type":"image.build","title":"build number )" + number +
                             R"(","delay":"24h","labels":{"team":"infra"},)" +
                             R"("payload":{"tag":"t)" + number + R"(","context":"eA=="}})";
    return RequestText("POST", "/v1/jobs", key_, body, "Idempotency-Key: bench-" + number + "\r\n");
  }

 private:
  const std::string key_;
  int64_t made_ = 0;
};

}  // namespace a4c::bench
