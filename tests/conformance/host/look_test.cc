// Not a capability: who has no HostLook waits for nobody in Hosts.
#include <algorithm>

#include "a4c/host_look.h"
#include "tests/conformance/host/host_support.h"

namespace a4c::conformance {
namespace {

class HostProviderLook : public HostTest {
 protected:
  HostLook* look() { return provider().As<HostLook>(); }
};

TEST_F(HostProviderLook, NamesAreThoseOfAllHosts) {
  if (look() == nullptr) return;
  auto names = look()->Names(Within());
  const auto hosts = provider().Hosts(Within());
  ASSERT_TRUE(names) << names.error().ToString();
  ASSERT_TRUE(hosts) << hosts.error().ToString();
  std::vector<std::string> of_hosts;
  for (const Host& host : *hosts) of_hosts.push_back(host.id);
  std::ranges::sort(*names);
  std::ranges::sort(of_hosts);
  EXPECT_EQ(*names, of_hosts);
}

TEST_F(HostProviderLook, AHostSaysByItselfWhatItSaysAmongAll) {
  if (look() == nullptr) return;
  const auto seen = look()->Look(Within(), host());
  ASSERT_TRUE(seen) << seen.error().ToString();
  const auto hosts = provider().Hosts(Within());
  ASSERT_TRUE(hosts);
  const auto among = std::ranges::find(*hosts, host(), &Host::id);
  ASSERT_NE(among, hosts->end());
  EXPECT_EQ(seen->id, among->id);
  EXPECT_TRUE(seen->reachable) << seen->reason;
  EXPECT_EQ(seen->disk_total_bytes, among->disk_total_bytes);
  EXPECT_EQ(seen->memory_total_bytes, among->memory_total_bytes);
  EXPECT_EQ(seen->arch, among->arch);
}

TEST_F(HostProviderLook, AHostThatIsNotThereIsNotFound) {
  if (look() == nullptr) return;
  const auto seen = look()->Look(Within(), "no-such-host");
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().code(), Code::kNotFound);
}

}  // namespace
}  // namespace a4c::conformance
