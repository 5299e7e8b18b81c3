// How figures of servers are read: who does not answer costs the others nothing.
#include "apps/a4cd/hosts/disk_service.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "a4c/host_look.h"
#include "a4c/memory.h"
#include "apps/a4cd/jobs/kinds.h"
#include "tests/integration/support/hooked_store.h"
#include "tests/support/fake_clock.h"

namespace a4cd::testing {
namespace {

using a4c::Call;
using a4c::Host;
using a4c::Result;
using a4c::Unit;
using a4c::UnitStatus;
using a4c::testing::FakeRuntime;

constexpr int64_t kGiB = 1LL << 30;

// Servers that take their time, by the clock of the test.
class TimedHosts final : public a4c::HostProvider, public a4c::HostLook {
 public:
  TimedHosts(FakeRuntime& fake, std::vector<std::string> ids) : fake_(fake), ids_(std::move(ids)) {}

  Result<std::vector<std::string>> Names(const Call&) override { return ids_; }
  Result<Host> Look(const Call& call, const std::string& id) override {
    ++looks;
    Note(id);
    if (const auto found = foreign.find(id); found != foreign.end()) {
      return Host{.id = id,
                  .reason = "another key",
                  .pinned_fingerprint = "SHA256:" + id,
                  .shown_fingerprint = found->second};
    }
    const bool answers = Spend(call, look_ms, id);
    return Host{.id = id,
                .reachable = answers,
                .reason = answers ? "" : reason,
                .disk_total_bytes = answers ? 100 * kGiB : 0,
                .disk_used_bytes = answers ? disk_used_bytes : 0,
                .inodes_total = answers ? 1'000 : 0,
                .inodes_free = answers ? inodes_free : 0,
                .warnings = warnings};
  }
  Result<std::vector<Host>> Hosts(const Call&) override {
    ADD_FAILURE() << "all are asked at once";
    return std::vector<Host>();
  }
  Result<std::vector<UnitStatus>> List(const Call& call, const std::string& id) override {
    if (!Spend(call, list_ms, id)) return a4c::Error(a4c::Code::kTimeout, "it is silent");
    return std::vector<UnitStatus>();
  }
  Result<UnitStatus> Ensure(const Call&, const Unit&) override {
    return a4c::Error(a4c::Code::kUnsupported, "");
  }
  Result<void> Remove(const Call&, const std::string&, const std::string&,
                      const a4c::Fence&) override {
    return a4c::Error(a4c::Code::kUnsupported, "");
  }
  std::set<std::string> Asked() {
    std::set<std::string> ids;
    for (const auto& [id, when] : std::exchange(asked, {})) ids.insert(id);
    return ids;
  }

  static constexpr int64_t kForever = 1LL << 40;
  std::map<std::string, int64_t> look_ms;  // how long they take; none: no time
  std::map<std::string, int64_t> list_ms;
  std::string reason = "it is silent";
  int64_t disk_used_bytes = 0;
  int64_t inodes_free = 1'000;
  std::vector<std::string> warnings;
  std::map<std::string, std::string> foreign;  // which show this key, and not the one pinned
  std::atomic<int> looks = 0;
  std::vector<std::pair<std::string, int64_t>> asked;  // who, when

 protected:
  void* Extension(std::string_view name) override {
    return name == a4c::HostLook::kExtension ? static_cast<a4c::HostLook*>(this) : nullptr;
  }

 private:
  void Note(const std::string& id) {
    const std::lock_guard lock(mutex_);
    asked.emplace_back(id, fake_.clock().MonotonicMs());
  }
  bool Spend(const Call& call, const std::map<std::string, int64_t>& of, const std::string& id) {
    const auto found = of.find(id);
    if (found == of.end() || found->second == 0) return true;
    fake_.clock().Advance(std::min(found->second, call.RemainingMs()));
    return !call.Expired();
  }

  FakeRuntime& fake_;
  const std::vector<std::string> ids_;
  std::mutex mutex_;
};

class DiskServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(database_.Open(Within(), AllCollections()));
    Start({});
  }
  void Start(const DiskOptions& options) {
    disks_ =
        std::make_unique<DiskService>(database_, hosts_, enrolments_, fake_.runtime(), options);
    loops_ = disks_->NewLoops();
  }
  Call Within(int64_t ms = 30'000) { return fake_.Within(ms); }
  int64_t Now() { return fake_.clock().MonotonicMs(); }

  int64_t Step(const std::string& name) {
    const auto loop = std::ranges::find_if(loops_, [&](auto& one) { return one->name() == name; });
    const Result<int64_t> wait = (*loop)->Step(Within());
    EXPECT_TRUE(wait) << wait.error().ToString();
    return wait ? *wait : -1;
  }
  HostFigures Figures(const std::string& id) {
    const auto host = ReadHost(Within(), database_, id);
    EXPECT_TRUE(host && host->figures) << id;
    return host && host->figures ? *host->figures : HostFigures{};
  }
  HostRecord Record(const std::string& id) {
    const auto host = ReadHost(Within(), database_, id);
    EXPECT_TRUE(host) << id;
    return host ? *host : HostRecord{};
  }
  // Writes what the API writes of one that was enrolled.
  void Enrol(const std::string& id, int64_t pinned_at) {
    HostRecord host = Record(id);
    host.spec = a4c::HostSpec{.id = id, .address = "told:" + id, .fingerprint = "SHA256:" + id};
    host.pinned_at = pinned_at;
    host.state = {};
    const auto done = database_.Write(
        Within(),
        {.changes = {
             {.ref = HostRef(id), .body = HostBody(host), .expect = a4c::Expect::Rev(host.rev)}}});
    ASSERT_TRUE(done && done->outcome == a4c::Committed::Outcome::kApplied);
  }
  void Hang(const std::string& id) { hosts_.look_ms[id] = TimedHosts::kForever; }

  FakeRuntime fake_;
  const std::unique_ptr<a4c::Store> store_ = a4c::NewMemoryStore(fake_.runtime());
  HookedStore hooked_{*store_};
  a4c::Database database_{{.store = hooked_}, fake_.runtime()};
  TimedHosts hosts_{fake_, {"a", "b", "c", "d", "e"}};
  Enrolments enrolments_{database_, hosts_, fake_.runtime(), 2'000};
  std::unique_ptr<DiskService> disks_;
  std::vector<std::unique_ptr<a4c::Loop>> loops_;
};

TEST_F(DiskServiceTest, OneThatIsSilentDoesNotAgeTheOthers) {
  Hang("a");
  const int64_t first_ms = Now();
  Step("hosts");
  EXPECT_EQ(Now() - first_ms, 2'000) << "nor when all are new";
  EXPECT_FALSE(Figures("a").host.reachable);
  EXPECT_EQ(Figures("a").host.reason, "it has not answered yet");
  fake_.clock().Advance(10'000);
  hosts_.Asked();
  int64_t begun_ms = Now();
  EXPECT_EQ(Step("hosts"), 10'000);
  EXPECT_EQ(Now(), begun_ms) << "the round waited for it";
  EXPECT_EQ(hosts_.Asked(), (std::set<std::string>{"b", "c", "d", "e"}));
  EXPECT_EQ(Figures("b").host.age_ms, 0);
  EXPECT_TRUE(Figures("b").host.reachable);
  begun_ms = Now();
  Step("hosts-apart");
  EXPECT_EQ(Now() - begun_ms, 5'000) << "it was not given the whole time";
  EXPECT_EQ(Figures("a").host.reason, "it is silent");
}

TEST_F(DiskServiceTest, OneOfManyWarningsWhoseReasonIsNoTextIsKnownToBeSilentAndHidesNoOther) {
  hosts_.warnings.assign(3, std::string(400, 'w'));
  hosts_.reason = std::string(299, 'r') + "\xc3\xa4 and more";
  for (const bool cut : {true, false}) {
    if (!cut) hosts_.reason = "bytes \xff of the server's own";
    Step("hosts");
    Hang("a");
    fake_.clock().Advance(10'000);
    Step("hosts");
    fake_.clock().Advance(10'000);
    Step("hosts");
    Step("hosts-apart");
    EXPECT_FALSE(Figures("a").host.reachable);
    EXPECT_NE(Figures("a").host.reason, "");
    EXPECT_EQ(Figures("a").host.warnings.size(), 3u);
    EXPECT_TRUE(Figures("b").host.reachable);
    EXPECT_EQ(Figures("b").host.age_ms, 5'000);
    hosts_.look_ms.clear();
    Step("hosts-apart");
  }
}

TEST_F(DiskServiceTest, OneThatIsNearlyFullIsWarnedOfWithTheNextStep) {
  hosts_.disk_used_bytes = 84 * kGiB;
  hosts_.inodes_free = 151;
  Step("hosts");
  EXPECT_EQ(Figures("a").host.inodes_total, 1'000);
  EXPECT_EQ(Figures("a").host.inodes_free, 151);
  EXPECT_EQ(HostView(Record("a"))["warnings"].Items().size(), 0u);
  hosts_.disk_used_bytes = 96 * kGiB;
  hosts_.inodes_free = 20;
  hosts_.warnings = {"of its own"};
  fake_.clock().Advance(10'000);
  Step("hosts");
  EXPECT_EQ(HostView(Record("a"))["warnings"].ToString(),
            R"(["of its own","disk 96 % full: a4c host cleanup a",)"
            R"("inodes 98 % full: a4c host cleanup a"])");
  EXPECT_EQ(HostView(Record("a"))["inodes_free"].Int(), 20);
}

TEST_F(DiskServiceTest, OneThatFallsSilentCostsTheOthersOurPatienceOnce) {
  Step("hosts");
  Hang("a");
  const int64_t begun_ms = Now();
  EXPECT_EQ(Step("hosts"), 8'000) << "the period counts from the beginning of the round";
  EXPECT_EQ(Now() - begun_ms, 2'000);
  EXPECT_TRUE(Figures("a").host.reachable) << "it had no time to answer";
  EXPECT_EQ(Figures("a").host.age_ms, 2'000);
  fake_.clock().Advance(8'000);
  EXPECT_EQ(Step("hosts"), 10'000);
  Step("hosts-apart");
  EXPECT_FALSE(Figures("a").host.reachable) << "now it had";
  EXPECT_EQ(Figures("a").host.age_ms, 15'000) << "counts from when it answered";
  EXPECT_EQ(Figures("a").host.disk_total_bytes, 100 * kGiB) << "as they were known";
}

TEST_F(DiskServiceTest, WhoIsSilentIsAskedEverLessOften) {
  Hang("a");
  Step("hosts");
  hosts_.Asked();
  const int64_t until_ms = Now() + 600'000;
  while (Now() < until_ms) fake_.clock().Advance(std::max<int64_t>(1, Step("hosts-apart")));
  std::vector<int64_t> waits;
  for (size_t i = 1; i < hosts_.asked.size(); ++i) {
    EXPECT_EQ(hosts_.asked[i].first, "a");
    waits.push_back(hosts_.asked[i].second - hosts_.asked[i - 1].second - 5'000);
  }
  ASSERT_GE(waits.size(), 5u);
  EXPECT_TRUE(std::ranges::is_sorted(waits));
  EXPECT_LT(waits.front(), 10'000);
  EXPECT_GE(waits.back(), 30'000);
  EXPECT_LE(waits.back(), 32'000);
}

TEST_F(DiskServiceTest, WhoAnswersAgainIsAskedWithTheOthersAgain) {
  Hang("a");
  Step("hosts");
  hosts_.look_ms["a"] = 0;
  fake_.clock().Advance(30'000);
  Step("hosts-apart");
  EXPECT_TRUE(Figures("a").host.reachable);
  hosts_.Asked();
  Step("hosts");
  EXPECT_EQ(hosts_.Asked().size(), 5u);
  Step("hosts-apart");
  EXPECT_TRUE(hosts_.Asked().empty());
}

TEST_F(DiskServiceTest, WhoIsSlowIsNeverSaidToBeOutOfReach) {
  hosts_.look_ms["a"] = 3'000;
  Step("hosts");
  fake_.clock().Advance(2'000);
  Step("hosts-apart");
  int64_t oldest_ms = 0;
  for (int i = 0; i < 30; ++i) {
    if (i % 5 == 0) Step("hosts");
    Step("hosts-apart");
    fake_.clock().Advance(2'000);
    const HostFigures figures = Figures("a");
    ASSERT_TRUE(figures.host.reachable) << figures.host.reason;
    oldest_ms = std::max(oldest_ms, figures.host.age_ms);
  }
  EXPECT_LE(oldest_ms, 10'000);
}

// Each is one change of the record, of which events are made.
TEST_F(DiskServiceTest, AServersStateIsWrittenOnceWhenItChanges) {
  Step("hosts");
  const HostRecord well = Record("a");
  EXPECT_EQ(well.state.name, kReachable);
  EXPECT_EQ(well.updated_at, fake_.clock().NowMs());
  for (int i = 0; i < 3; ++i) Step("hosts");
  EXPECT_EQ(Record("a").rev, well.rev) << "figures alone are no change";
  hosts_.foreign["a"] = "SHA256:x";
  for (int i = 0; i < 3; ++i) {
    fake_.clock().Advance(30'000);
    Step("hosts");
    Step("hosts-apart");
  }
  const HostRecord held = Record("a");
  EXPECT_EQ(held.rev, well.rev + 1) << "it is said once";
  EXPECT_EQ(held.state.name, kQuarantined);
  EXPECT_EQ(held.state.pinned, "SHA256:a");
  EXPECT_EQ(held.state.shown, "SHA256:x");
  EXPECT_FALSE(held.figures->host.reachable);
  const auto servers = disks_->Servers(Within());
  ASSERT_TRUE(servers);
  EXPECT_FALSE(std::ranges::find(*servers, "a", &Server::id)->reachable) << "nothing goes there";
  const std::string view = HostView(held).ToString();
  EXPECT_NE(view.find(R"("state_reason":"host_key_changed")"), std::string::npos) << view;
  EXPECT_NE(view.find("hosts.config"), std::string::npos) << "it stands there: " << view;
  // It was put right there.
  hosts_.foreign.clear();
  fake_.clock().Advance(30'000);
  Step("hosts-apart");
  EXPECT_EQ(Record("a").state.name, kReachable);
  EXPECT_EQ(Record("a").rev, held.rev + 1);
  Hang("a");
  for (int i = 0; i < 3; ++i) {
    Step("hosts");
    fake_.clock().Advance(30'000);
    Step("hosts-apart");
  }
  EXPECT_EQ(Record("a").state.name, kUnreachable);
  EXPECT_EQ(Record("a").rev, held.rev + 2);
}

// Whichever instance saw the other key, and whatever is shown since.
TEST_F(DiskServiceTest, OneThatWasEnrolledStaysInQuarantineUntilItIsEnrolledAgain) {
  Step("hosts");
  Enrol("a", 0);
  hosts_.foreign["a"] = "SHA256:x";
  Step("hosts");
  EXPECT_EQ(Record("a").state.name, kQuarantined);
  EXPECT_NE(HostView(Record("a")).ToString().find("a4c host enrol a --fingerprint SHA256:x"),
            std::string::npos);
  hosts_.foreign.clear();
  hosts_.Asked();
  for (int i = 0; i < 3; ++i) {
    fake_.clock().Advance(30'000);
    Step("hosts");
    Step("hosts-apart");
  }
  EXPECT_FALSE(hosts_.Asked().contains("a")) << "nothing is sent to it";
  EXPECT_EQ(Record("a").state.name, kQuarantined);
  Enrol("a", 77);
  fake_.clock().Advance(30'000);
  Step("hosts-apart");
  EXPECT_EQ(Record("a").state.name, kReachable);
}

// An answer from before the enrolment must not bring the quarantine back.
TEST_F(DiskServiceTest, WhatAServerShowedBeforeItWasEnrolledAgainCountsNoMore) {
  Step("hosts");
  Enrol("a", 0);
  hosts_.foreign["a"] = "SHA256:x";
  bool is_first = true;
  hooked_.before_apply = [&](std::span<const a4c::WriteBatch>) {
    if (!std::exchange(is_first, false)) return;
    Enrol("a", 77);
  };
  Step("hosts");
  hooked_.before_apply = nullptr;
  EXPECT_FALSE(is_first);
  EXPECT_EQ(Record("a").state.name, "") << "nobody knows yet";
}

TEST_F(DiskServiceTest, AsManyAreAskedApartAtOnceAsMayBe) {
  Start({.apart_at_once = 2});
  for (const char* id : {"a", "b", "c", "d", "e"}) Hang(id);
  Step("hosts");
  fake_.clock().Advance(30'000);
  hosts_.Asked();
  EXPECT_EQ(Step("hosts-apart"), 0) << "there are more";
  EXPECT_EQ(hosts_.looks.load(), 7);
  EXPECT_EQ(hosts_.Asked(), (std::set<std::string>{"a", "b"})) << "the longest not asked first";
  EXPECT_EQ(Step("hosts-apart"), 0);
  EXPECT_EQ(Step("hosts-apart"), 2'000);
  EXPECT_EQ(hosts_.looks.load(), 10) << "nobody twice";
  EXPECT_EQ(hosts_.Asked(), (std::set<std::string>{"c", "d", "e"}));
}

TEST_F(DiskServiceTest, FiguresAgeFromWhenTheyWereRead) {
  hosts_.list_ms["a"] = 1'500;
  ASSERT_TRUE(disks_->Refresh(Within()));
  EXPECT_EQ(Figures("a").host.age_ms, 1'500);
}

TEST_F(DiskServiceTest, WhoWasGivenNoTimeIsNotSaidToBeSilent) {
  Hang("a");
  ASSERT_TRUE(disks_->Refresh(Within(3'000)));
  const auto hosts = ReadHosts(Within(), database_);
  ASSERT_TRUE(hosts);
  EXPECT_EQ(hosts->size(), 5u);
  for (const HostRecord& host : *hosts) EXPECT_FALSE(host.figures) << host.id;
}

TEST_F(DiskServiceTest, ALookAtOneAsksNoOther) {
  ASSERT_TRUE(disks_->Refresh(Within()));
  hosts_.Asked();
  ASSERT_TRUE(disks_->Look(Within(), "c"));
  EXPECT_EQ(hosts_.Asked(), std::set<std::string>{"c"});
}

// While somebody writes, the other thread hands in three: its fourth server is asked after that.
TEST_F(DiskServiceTest, WhatComesWhileSomebodyWritesIsWrittenInOneCommit) {
  ASSERT_TRUE(disks_->Refresh(Within()));
  Start({.hosts_at_once = 2});
  hosts_.looks = 0;
  std::atomic<bool> is_first = true;
  std::atomic<size_t> most = 0;
  hooked_.before_apply = [&](std::span<const a4c::WriteBatch> batches) {
    for (const a4c::WriteBatch& batch : batches) most = std::max(most.load(), batch.ops.size());
    if (!is_first.exchange(false)) return;
    const a4c::Runtime real = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
    const int64_t until_ms = real.clock.MonotonicMs() + 30'000;
    while (hosts_.looks < 5 && real.clock.MonotonicMs() < until_ms) std::this_thread::yield();
  };
  ASSERT_TRUE(disks_->Refresh(Within()));
  hooked_.before_apply = nullptr;
  EXPECT_EQ(hosts_.looks.load(), 5);
  EXPECT_GE(most.load(), 3u);
}

}  // namespace
}  // namespace a4cd::testing
