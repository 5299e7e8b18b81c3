// What a server that nobody knows yet says of itself, fit to be shown.
#pragma once

#include <string>
#include <string_view>

namespace a4c::baremetal {

// Printable ASCII, '?' in the place of all else, and no more of it than a banner may have
// (RFC 4253).
std::string PrintableBanner(std::string_view banner);

}  // namespace a4c::baremetal
