// Session: one connection to one node, with TLS and authentication as configured.
#pragma once

#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>

#include <functional>
#include <memory>
#include <string>

#include "a4c/call.h"
#include "a4c/result.h"
#include "elastic_options.h"

namespace a4c::elastic {

class Session {
 public:
  Session(std::unique_ptr<Poco::Net::HTTPClientSession> http, std::string authorization)
      : http_(std::move(http)), host_(http_->getHost()), authorization_(std::move(authorization)) {}

  Poco::Net::HTTPClientSession& http() { return *http_; }
  // Before each request: Poco would resolve the name without a bound.
  Result<void> Resolve(const Call& call);
  void Address(Poco::Net::HTTPRequest& request) const {
    request.setHost(host_, http_->getPort());
    if (!authorization_.empty()) request.set("Authorization", authorization_);
  }

 private:
  std::unique_ptr<Poco::Net::HTTPClientSession> http_;
  std::string host_;
  std::string authorization_;
};

using SessionFactory = std::function<std::unique_ptr<Session>(const std::string& url)>;

// kInvalid: a URL that is not http(s)://host[:port], or none.
Result<SessionFactory> NewSessionFactory(const HttpOptions& options);

}  // namespace a4c::elastic
