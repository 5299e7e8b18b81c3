#include "ssh/ssh_banner.h"

#include <algorithm>

namespace a4c::baremetal {

constexpr size_t kBannerBytesMax = 253;  // without CR LF

std::string PrintableBanner(std::string_view banner) {
  std::string text(banner.substr(0, kBannerBytesMax));
  std::ranges::replace_if(
      text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

}  // namespace a4c::baremetal
