#include <set>

#include "tests/conformance/host/host_support.h"

namespace a4c::conformance {
namespace {

class HostProviderHosts : public HostTest {};

TEST_F(HostProviderHosts, FiguresAreSane) {
  const auto hosts = provider().Hosts(Within());
  ASSERT_TRUE(hosts) << hosts.error().ToString();
  for (const Host& host : *hosts) {
    if (!host.reachable) {
      EXPECT_FALSE(host.reason.empty()) << host.id;
      continue;
    }
    EXPECT_GT(host.disk_total_bytes, 0) << host.id;
    EXPECT_GE(host.disk_used_bytes, 0) << host.id;
    EXPECT_LE(host.disk_used_bytes, host.disk_total_bytes) << host.id;
    EXPECT_GE(host.disk_free_bytes, 0) << host.id;
    EXPECT_LE(host.disk_free_bytes, host.disk_total_bytes) << host.id;
    EXPECT_GT(host.memory_total_bytes, 0) << host.id;
    EXPECT_GE(host.cpu_total_millis, 100) << host.id;
    EXPECT_GE(host.age_ms, 0) << host.id;
  }
}

TEST_F(HostProviderHosts, WhatTheySayOfThemselvesIsInForm) {
  const auto hosts = provider().Hosts(Within());
  ASSERT_TRUE(hosts) << hosts.error().ToString();
  for (const Host& host : *hosts) {
    const auto checked = CheckHost(host);
    EXPECT_TRUE(checked) << checked.error().ToString();
    if (!host.reachable) continue;
    EXPECT_FALSE(host.arch.empty()) << host.id;
    EXPECT_FALSE(host.versions.empty()) << host.id;
  }
}

TEST_F(HostProviderHosts, TheArchitectureStaysAsItWas) {
  const auto before = provider().Hosts(Within());
  const auto after = provider().Hosts(Within());
  ASSERT_TRUE(before && after);
  ASSERT_EQ(before->size(), after->size());
  for (size_t i = 0; i < before->size(); ++i) {
    if (!before->at(i).reachable || !after->at(i).reachable) continue;
    EXPECT_EQ(before->at(i).arch, after->at(i).arch) << before->at(i).id;
  }
}

TEST_F(HostProviderHosts, IdsAreUniqueAndNotEmpty) {
  const auto hosts = provider().Hosts(Within());
  ASSERT_TRUE(hosts) << hosts.error().ToString();
  std::set<std::string> ids;
  for (const Host& host : *hosts) {
    EXPECT_FALSE(host.id.empty());
    EXPECT_TRUE(ids.insert(host.id).second) << host.id;
  }
}

TEST_F(HostProviderHosts, AnUnknownHostIsNotFoundByEveryMethod) {
  Unit unit = NewUnit();
  unit.host = "no-such-host";
  const auto ensured = provider().Ensure(Within(), unit);
  ASSERT_FALSE(ensured);
  EXPECT_EQ(ensured.error().code(), Code::kNotFound) << ensured.error().ToString();
  EXPECT_NE(ensured.error().message().find("no-such-host"), std::string::npos);
  const auto removed = provider().Remove(Within(), unit.host, unit.name, 1);
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code(), Code::kNotFound) << removed.error().ToString();
  const auto listed = provider().List(Within(), unit.host);
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().code(), Code::kNotFound) << listed.error().ToString();
}

TEST_F(HostProviderHosts, AnEndedCallDoesNothing) {
  const Unit unit = NewUnit();
  const auto late = provider().Ensure(Within(0), unit);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Code::kTimeout) << late.error().ToString();
  std::stop_source stop;
  stop.request_stop();
  const auto canceled =
      provider().Ensure(Call::Within(TheRuntime().clock, 30'000, stop.get_token()), unit);
  ASSERT_FALSE(canceled);
  EXPECT_EQ(canceled.error().code(), Code::kCanceled) << canceled.error().ToString();
  EXPECT_FALSE(Listed(unit));
}

}  // namespace
}  // namespace a4c::conformance
