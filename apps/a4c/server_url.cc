#include "apps/a4c/server_url.h"

#include <Poco/Exception.h>
#include <Poco/Net/IPAddress.h>
#include <Poco/URI.h>

#include <optional>

namespace a4c_cli {

using a4c::Code;
using a4c::Error;
using a4c::Result;

namespace {

constexpr const char* kForm = "write http://host:port or https://host[:port][/prefix]";

std::optional<ServerUrl> Parse(const std::string& url) {
  try {
    const Poco::URI uri(url);
    const bool tls = uri.getScheme() == "https";
    const bool bare =
        uri.getUserInfo().empty() && uri.getRawQuery().empty() && uri.getFragment().empty();
    if ((!tls && uri.getScheme() != "http") || uri.getHost().empty() || !bare) return {};
    std::string prefix = uri.getPathEtc();
    while (prefix.ends_with('/')) prefix.pop_back();
    return ServerUrl{tls, uri.getHost(), uri.getPort(), std::move(prefix)};
  } catch (const Poco::Exception&) {
    return {};
  }
}

}  // namespace

bool ServerUrl::IsLoopback() const {
  Poco::Net::IPAddress address;
  return host == "localhost" ||
         (Poco::Net::IPAddress::tryParse(host, address) && address.isLoopback());
}

Result<ServerUrl> ParseServerUrl(const std::string& url) {
  if (std::optional<ServerUrl> parsed = Parse(url)) return *std::move(parsed);
  if (url.find('@') == std::string::npos) {
    return Error(Code::kInvalid, "\"" + url + "\" is no URL of an API", kForm);
  }
  return Error(Code::kInvalid, "the URL of the API has a user in it",
               std::string(kForm) + "; the key has a place of its own: --api-key-file");
}

}  // namespace a4c_cli
