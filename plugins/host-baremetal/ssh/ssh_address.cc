#include "ssh/ssh_address.h"

#include <charconv>
#include <string_view>

namespace a4c::baremetal {
namespace {

constexpr std::string_view kScheme = "ssh://";

}  // namespace

std::string SshAddress::ToString() const {
  return std::string(kScheme) + user + "@" + host + ":" + std::to_string(port);
}

std::string SshAddress::Name() const {
  return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

Result<SshAddress> ParseSshAddress(const std::string& key, const std::string& text) {
  const Error wrong(Code::kInvalid, key + ": is no ssh://user@address or ssh://user@address:port");
  const size_t at = text.find('@');
  if (!text.starts_with(kScheme) || at == std::string::npos) return wrong;
  SshAddress address{.user = text.substr(kScheme.size(), at - kScheme.size()),
                     .host = text.substr(at + 1)};
  const size_t colon = address.host.rfind(':');
  const size_t bracket = address.host.rfind(']');
  if (colon != std::string::npos && (bracket == std::string::npos || colon > bracket)) {
    const char* begin = address.host.data() + colon + 1;
    const char* end = address.host.data() + address.host.size();
    const auto [after, error] = std::from_chars(begin, end, address.port);
    if (error != std::errc() || after != end || address.port < 1 || address.port > 65535) {
      return wrong;
    }
    address.host.resize(colon);
  }
  const bool plain = address.host.find_first_of("/ ?#") == std::string::npos;
  if (address.user.empty() || address.host.empty() || !plain) return wrong;
  return address;
}

}  // namespace a4c::baremetal
