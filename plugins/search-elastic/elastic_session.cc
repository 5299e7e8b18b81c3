#include "elastic_session.h"

#include <Poco/Base64Encoder.h>
#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/Net/NetSSL.h>
#include <Poco/Net/RejectCertificateHandler.h>
#include <Poco/Net/SSLManager.h>
#include <Poco/URI.h>

#include <sstream>

#include "a4c/resolve.h"

namespace a4c::elastic {
namespace {

constexpr int kKeepAliveSeconds = 30;  // below the idle timeouts of servers and load balancers

std::string AuthorizationOf(const HttpOptions& options) {
  if (!options.api_key.empty()) return "ApiKey " + options.api_key;
  if (options.username.empty()) return {};
  std::ostringstream text;
  Poco::Base64Encoder encoder(text);
  encoder.rdbuf()->setLineLength(0);
  encoder << options.username << ':' << options.password;
  encoder.close();
  return "Basic " + text.str();
}

// Certificates are verified, with the system's authorities and those of ca_file.
Poco::Net::Context::Ptr NewTlsContext(const HttpOptions& options) {
  Poco::Net::initializeSSL();
  Poco::Net::Context::Ptr context =
      new Poco::Net::Context(Poco::Net::Context::TLS_CLIENT_USE, "", "", options.ca_file,
                             Poco::Net::Context::VERIFY_RELAXED, 9, true);
  Poco::Net::SSLManager::instance().initializeClient(
      nullptr, new Poco::Net::RejectCertificateHandler(false), context);
  return context;
}

Result<bool> UsesTls(const std::string& url) {
  try {
    const Poco::URI uri(url);
    const bool plain = uri.getScheme() == "http";
    const bool bare = uri.getPath().empty() || uri.getPath() == "/";
    if ((plain || uri.getScheme() == "https") && !uri.getHost().empty() && bare) return !plain;
  } catch (const Poco::Exception&) {
    // Said below.
  }
  return Error(Code::kInvalid, "search-elastic: \"" + url + "\" is not http(s)://host[:port]");
}

}  // namespace

// The certificate is still held against the name, which the socket has had from the beginning.
Result<void> Session::Resolve(const Call& call) {
  if (http_->connected()) return {};
  A4C_TRY(const std::string address, ResolveToOne(call, host_));
  http_->setHost(address);
  return {};
}

Result<SessionFactory> NewSessionFactory(const HttpOptions& options) {
  if (options.urls.empty()) return Error(Code::kInvalid, "search-elastic: urls is empty");
  bool any_tls = false;
  for (const std::string& url : options.urls) {
    A4C_TRY(bool tls, UsesTls(url));
    any_tls = any_tls || tls;
  }
  Poco::Net::Context::Ptr context;
  try {
    if (any_tls) context = NewTlsContext(options);
  } catch (const Poco::Exception& error) {
    return Error(Code::kInvalid, "search-elastic: TLS: " + error.displayText(), "check ca_file");
  }
  const std::string authorization = AuthorizationOf(options);
  return SessionFactory([context, authorization](const std::string& url) {
    const Poco::URI uri(url);
    std::unique_ptr<Poco::Net::HTTPClientSession> http;
    if (uri.getScheme() == "https") {
      http = std::make_unique<Poco::Net::HTTPSClientSession>(uri.getHost(), uri.getPort(), context);
    } else {
      http = std::make_unique<Poco::Net::HTTPClientSession>(uri.getHost(), uri.getPort());
    }
    http->setKeepAlive(true);
    http->setKeepAliveTimeout(Poco::Timespan(kKeepAliveSeconds, 0));
    return std::make_unique<Session>(std::move(http), authorization);
  });
}

}  // namespace a4c::elastic
