// What whoever watches a4cd sees of the servers.
#include "apps/a4cd/hosts/host_gauges.h"

#include <cmath>

#include "apps/a4cd/hosts/disk_service.h"
#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

constexpr int64_t kGiB = 1LL << 30;
constexpr const char* kWarnings = "a4c_disk_warnings_total{host=\"config-1\"}";

class HostGaugesTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(database_.Open(Within(), AllCollections())); }
  Call Within() { return fake_.Within(30'000); }
  double Of(const std::string& name, const std::string& host = "config-1") {
    return fake_.metrics().GaugeOf("a4c_host_" + name + "{host=\"" + host + "\"}");
  }
  void Look() {
    ASSERT_TRUE(disks_.Refresh(Within()));
    ASSERT_TRUE(gauges_->Step(Within()));
  }

  a4c::testing::FakeRuntime fake_;
  const std::unique_ptr<a4c::Store> store_ = a4c::NewMemoryStore(fake_.runtime());
  a4c::Database database_{{.store = *store_}, fake_.runtime()};
  const std::unique_ptr<a4c::HostProvider> memory_ = a4c::NewMemoryHostProvider(
      fake_.runtime(), {.servers = {{.id = "config-1", .disk_total_bytes = 10 * kGiB}}});
  HookedHosts hosts_{*memory_};
  Enrolments enrolments_{database_, hosts_, fake_.runtime(), 2'000};
  DiskService disks_{database_, hosts_, enrolments_, fake_.runtime()};
  const std::unique_ptr<a4c::Loop> gauges_ = NewHostGauges(database_, fake_.runtime(), 10'000);
};

TEST_F(HostGaugesTest, AServerIsThereWithItsDisk) {
  Look();
  EXPECT_EQ(Of("reachable"), 1);
  EXPECT_EQ(Of("disk_total_bytes"), 10.0 * kGiB);
  EXPECT_GT(Of("disk_free_bytes"), 0);
  fake_.clock().Advance(7'000);
  ASSERT_TRUE(gauges_->Step(Within()));
  EXPECT_EQ(Of("figures_age_seconds"), 7);
}

// increase() takes no notice of a series that begins with 1.
TEST_F(HostGaugesTest, TheWarningsOfEachDiskAreCountedFromNone) {
  EXPECT_FALSE(fake_.metrics().HasCount(kWarnings));
  Look();
  EXPECT_TRUE(fake_.metrics().HasCount(kWarnings));
  fake_.metrics().Count("a4c_disk_warnings_total", {{"host", "config-1"}});
  Look();
  EXPECT_EQ(fake_.metrics().CountOf(kWarnings), 1) << "a look takes none away";
}

TEST_F(HostGaugesTest, OneThatDoesNotAnswerIsThereAndNotReachable) {
  Look();
  hosts_.silent = "config-1";
  Look();
  EXPECT_EQ(Of("reachable"), 0);
  EXPECT_EQ(Of("disk_total_bytes"), 10.0 * kGiB) << "as it told last";
}

TEST_F(HostGaugesTest, OneThatWasRemovedIsNoNumber) {
  Look();
  const auto record = ReadHost(Within(), database_, "config-1");
  ASSERT_TRUE(record);
  const auto removed =
      database_.Write(Within(), {.changes = {{.ref = HostRef("config-1"),
                                              .body = "{}",
                                              .tombstone = true,
                                              .expect = a4c::Expect::Rev(record->rev)}}});
  ASSERT_TRUE(removed);
  ASSERT_EQ(removed->outcome, a4c::Committed::Outcome::kApplied);
  ASSERT_TRUE(gauges_->Step(Within()));
  EXPECT_TRUE(std::isnan(Of("reachable")));
  EXPECT_TRUE(std::isnan(Of("disk_free_bytes")));
  Look();
  EXPECT_EQ(Of("reachable"), 1) << "it is back";
}

}  // namespace
}  // namespace a4cd::testing
