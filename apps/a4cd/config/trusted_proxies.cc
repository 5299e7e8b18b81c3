#include "apps/a4cd/config/trusted_proxies.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace a4cd {
namespace {
using a4c::Code;
using a4c::Error;
using a4c::Result;
using Poco::Net::IPAddress;

// A socket that takes IPv6 and IPv4 shows an IPv4 address as ::ffff:192.0.2.1.
IPAddress Plain(const IPAddress& address) {
  static constexpr std::string_view kMapped = "::ffff:";
  const std::string text = address.toString();
  IPAddress plain;
  const bool mapped = address.family() == IPAddress::IPv6 && text.starts_with(kMapped) &&
                      IPAddress::tryParse(text.substr(kMapped.size()), plain);
  return mapped ? plain : address;
}

std::optional<IPAddress> AddressOf(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return std::nullopt;
  text = text.substr(first, text.find_last_not_of(" \t") - first + 1);
  IPAddress address;
  if (!IPAddress::tryParse(std::string(text), address)) return std::nullopt;
  return Plain(address);
}

unsigned BitsOf(const IPAddress& address) {
  return address.family() == IPAddress::IPv4 ? 32 : 128;
}

IPAddress Mask(unsigned bits, const IPAddress& like) {
  return IPAddress(bits, like.family());
}

}  // namespace

Result<TrustedProxies> TrustedProxies::Parse(const std::vector<std::string>& networks) {
  TrustedProxies proxies;
  for (const std::string& text : networks) {
    const size_t slash = std::min(text.find('/'), text.size());
    const std::optional<IPAddress> address = AddressOf(std::string_view(text).substr(0, slash));
    unsigned bits = address ? BitsOf(*address) : 0;
    bool valid = address.has_value();
    if (valid && slash < text.size()) {
      const char* end = text.data() + text.size();
      const auto read = std::from_chars(text.data() + slash + 1, end, bits);
      valid = read.ec == std::errc() && read.ptr == end && bits <= BitsOf(*address);
    }
    if (!valid) {
      return Error(Code::kInvalid, "\"" + text + "\" is no address, such as 192.0.2.1, and no " +
                                       "network, such as 10.0.0.0/8 or fd00::/8");
    }
    proxies.networks_.push_back({*address & Mask(bits, *address), bits});
  }
  return proxies;
}

bool TrustedProxies::Trusts(const IPAddress& address) const {
  return std::ranges::any_of(networks_, [&](const Network& network) {
    return network.address.family() == address.family() &&
           (address & Mask(network.bits, address)) == network.address;
  });
}

bool TrustedProxies::IsTrusted(const IPAddress& peer) const {
  return Trusts(Plain(peer));
}

std::string TrustedProxies::ClientOf(const IPAddress& peer, std::string_view forwarded_for) const {
  IPAddress client = Plain(peer);
  while (Trusts(client) && !forwarded_for.empty()) {
    const size_t comma = forwarded_for.rfind(',');
    const size_t from = comma == std::string_view::npos ? 0 : comma + 1;
    const std::optional<IPAddress> before = AddressOf(forwarded_for.substr(from));
    if (!before) return Plain(peer).toString();
    client = *before;
    forwarded_for = forwarded_for.substr(0, comma == std::string_view::npos ? 0 : comma);
  }
  return client.toString();
}

}  // namespace a4cd
