#include "ssh/ssh_banner.h"

#include <gtest/gtest.h>

namespace a4c::baremetal {
namespace {

TEST(ABanner, IsShownAsPrintableAsciiOfABoundedLength) {
  EXPECT_EQ(PrintableBanner("SSH-2.0-OpenSSH_9.2p1 Debian-2"), "SSH-2.0-OpenSSH_9.2p1 Debian-2");
  EXPECT_EQ(PrintableBanner("SSH-2.0-x\x1b[2K\n\x7f~\xc2\x9b!"),
            "SSH-2.0-x?[2K??~" + std::string(2, '?') + "!");
  EXPECT_EQ(PrintableBanner(std::string(1'000, 'x')), std::string(253, 'x'));
  EXPECT_EQ(PrintableBanner(""), "");
}

}  // namespace
}  // namespace a4c::baremetal
