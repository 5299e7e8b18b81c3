// FakePool: answers requests by a function, for tests without a server.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "elastic_http.h"

namespace a4c::elastic {

class FakePool final : public HttpPool {
 public:
  using Answer = std::function<Result<HttpAnswer>(const HttpRequest&)>;

  explicit FakePool(Answer answer) : answer_(std::move(answer)) {}

  Result<HttpAnswer> Send(const Call&, const HttpRequest& request) override {
    requests.push_back(request);
    return answer_(request);
  }

  std::vector<HttpRequest> requests;

 private:
  Answer answer_;
};

}  // namespace a4c::elastic
