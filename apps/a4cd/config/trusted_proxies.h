// From where a request comes, if a gateway stands between: X-Forwarded-For, as far as it is the
// word of a proxy that api.trusted_proxies names. What others write there counts for nothing.
#pragma once

#include <Poco/Net/IPAddress.h>

#include <string>
#include <string_view>
#include <vector>

#include "a4c/result.h"

namespace a4cd {

class TrustedProxies {
 public:
  // kInvalid: one of them is neither an address nor address/bits.
  static a4c::Result<TrustedProxies> Parse(const std::vector<std::string>& networks);

  // The last address in `forwarded_for` that is no trusted proxy's: each proxy adds the one that it
  // was asked by. `peer` if that is no trusted proxy, or if something else than addresses stands
  // there.
  std::string ClientOf(const Poco::Net::IPAddress& peer, std::string_view forwarded_for) const;
  // Whether that is one of them, so that its word counts.
  bool IsTrusted(const Poco::Net::IPAddress& peer) const;

 private:
  struct Network {
    Poco::Net::IPAddress address;
    unsigned bits;
  };

  bool Trusts(const Poco::Net::IPAddress& address) const;

  std::vector<Network> networks_;
};

}  // namespace a4cd
