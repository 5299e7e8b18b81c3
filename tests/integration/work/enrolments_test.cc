// Every instance's host provider knows the servers that were enrolled, and no others.
#include "apps/a4cd/hosts/enrolments.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>

#include "apps/a4cd/hosts/disk_service.h"
#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

// Lets something happen while the servers are asked.
class SlowHosts final : public a4c::HostProvider {
 public:
  explicit SlowHosts(a4c::HostProvider& inner) : inner_(inner) {}
  Result<std::vector<a4c::Host>> Hosts(const Call& call) override {
    auto hosts = inner_.Hosts(call);
    if (meanwhile) meanwhile();
    return hosts;
  }
  Result<UnitStatus> Ensure(const Call& call, const Unit& unit) override {
    return inner_.Ensure(call, unit);
  }
  Result<void> Remove(const Call& call, const std::string& host, const std::string& name,
                      const a4c::Fence& fence) override {
    return inner_.Remove(call, host, name, fence);
  }
  Result<std::vector<UnitStatus>> List(const Call& call, const std::string& host) override {
    if (while_listing) while_listing();
    return inner_.List(call, host);
  }

  std::function<void()> meanwhile;
  std::function<void()> while_listing;

 protected:
  void* Extension(std::string_view name) override {
    return name == a4c::HostEnrolment::kExtension ? inner_.As<a4c::HostEnrolment>() : nullptr;
  }

 private:
  a4c::HostProvider& inner_;
};

class EnrolmentsTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(database_.Open(Within(), AllCollections())); }
  Call Within() { return fake_.Within(30'000); }

  // Writes what the API writes.
  void Say(const HostRecord& host, bool tombstone = false) {
    const RecordRef ref = HostRef(host.id);
    const auto found = database_.Get(Within(), std::span(&ref, 1));
    ASSERT_TRUE(found);
    const auto& record = found->records.at(0);
    const auto done = database_.Write(
        Within(),
        {.changes = {{.ref = ref,
                      .body = HostBody(host),
                      .tombstone = tombstone,
                      .expect = record ? a4c::Expect::Rev(record->rev) : a4c::Expect::Absent()}}});
    ASSERT_TRUE(done);
    ASSERT_EQ(done->outcome, a4c::Committed::Outcome::kApplied);
  }
  static HostRecord Enrolled(const std::string& id, const std::string& machine) {
    return {.id = id,
            .spec = a4c::HostSpec{
                .id = id, .address = "memory:" + machine, .fingerprint = "SHA256:" + machine}};
  }
  static HostRecord Refused(const std::string& id, const std::string& machine) {
    HostRecord refused = Enrolled(id, machine);
    refused.spec->settings = {{"unheard_of", "1"}};
    return refused;
  }
  void Follow(Enrolments& enrolments) {
    const auto hosts = ReadHosts(Within(), database_);
    ASSERT_TRUE(hosts);
    ASSERT_TRUE(enrolments.Follow(Within(), *hosts));
  }
  bool Has(a4c::HostProvider& provider, const std::string& id) {
    const auto hosts = provider.Hosts(Within());
    return hosts && std::ranges::find(*hosts, id, &a4c::Host::id) != hosts->end();
  }

  a4c::testing::FakeRuntime fake_;
  const std::unique_ptr<a4c::Store> store_ = a4c::NewMemoryStore(fake_.runtime());
  a4c::Database database_{{.store = *store_}, fake_.runtime()};
  const a4c::MemoryHostOptions options_{.servers = {{.id = "config-1"}}};
  const std::unique_ptr<a4c::HostProvider> one_ =
      a4c::NewMemoryHostProvider(fake_.runtime(), options_);
  const std::unique_ptr<a4c::HostProvider> two_ =
      a4c::NewMemoryHostProvider(fake_.runtime(), options_);
  Enrolments of_one_{database_, *one_, fake_.runtime(), 2'000};
  Enrolments of_two_{database_, *two_, fake_.runtime(), 2'000};
};

TEST_F(EnrolmentsTest, EachInstanceFollowsTheRecords) {
  Say(Enrolled("new-1", "a"));
  Follow(of_one_);
  Follow(of_two_);
  EXPECT_TRUE(Has(*one_, "new-1"));
  EXPECT_TRUE(Has(*two_, "new-1"));
  Say(Enrolled("new-1", "a"), true);
  Follow(of_one_);
  Follow(of_two_);
  EXPECT_FALSE(Has(*one_, "new-1"));
  EXPECT_FALSE(Has(*two_, "new-1"));
  EXPECT_TRUE(Has(*one_, "config-1")) << "which no record enrolled";
}

TEST_F(EnrolmentsTest, WorkOnAServerThatWasEnrolledAMomentAgoKnowsIt) {
  Say(Enrolled("new-1", "a"));
  EXPECT_FALSE(Has(*two_, "new-1"));
  ASSERT_TRUE(of_two_.Know(Within(), "new-1"));
  EXPECT_TRUE(Has(*two_, "new-1"));
  EXPECT_TRUE(of_two_.Know(Within(), "config-1"));
  EXPECT_TRUE(of_two_.Know(Within(), "nobody")) << "the provider says so itself";
  EXPECT_TRUE(of_two_.Know(Within(), ""));
}

// Another instance removed it and enrolled another machine under its name, between two looks.
TEST_F(EnrolmentsTest, AServerThatIsAnotherMachineNowTakesThePlaceOfTheOld) {
  Say(Enrolled("new-1", "a"));
  Follow(of_one_);
  const a4c::Unit unit{.host = "new-1", .name = "ws-1", .epoch = 1, .spec = {.command = {"true"}}};
  ASSERT_TRUE(one_->Ensure(Within(), unit));
  Say(Enrolled("new-1", "b"));
  Follow(of_one_);
  const auto units = one_->List(Within(), "new-1");
  ASSERT_TRUE(units);
  EXPECT_TRUE(units->empty()) << "it is not the machine that it was";
}

// The list was read before another request enrolled the server.
TEST_F(EnrolmentsTest, AnOldListForgetsNothingThatWasEnrolledSince) {
  const auto before = ReadHosts(Within(), database_);
  ASSERT_TRUE(before);
  Say(Enrolled("new-1", "a"));
  ASSERT_TRUE(of_one_.Know(Within(), "new-1"));
  ASSERT_TRUE(of_one_.Follow(Within(), *before));
  EXPECT_TRUE(Has(*one_, "new-1"));
}

TEST_F(EnrolmentsTest, OneThatTheProviderRefusesDoesNotKeepOthersOut) {
  HostRecord wrong = Enrolled("bad-1", "a");
  wrong.spec->fingerprint = "SHA256:other";
  Say(wrong);
  Say(Enrolled("new-1", "b"));
  Follow(of_one_);
  EXPECT_FALSE(Has(*one_, "bad-1"));
  EXPECT_TRUE(Has(*one_, "new-1"));
}

// Of an instance that lacks the key file that the record names since.
TEST_F(EnrolmentsTest, AServerWhoseNewSpecIsRefusedStaysAsItWas) {
  Say(Enrolled("new-1", "a"));
  Follow(of_one_);
  Say(Refused("new-1", "a"));
  Follow(of_one_);
  EXPECT_TRUE(Has(*one_, "new-1"));
  EXPECT_TRUE(of_one_.Know(Within(), "new-1"));
  EXPECT_FALSE(of_one_.Renew(Within(), "new-1"));
  Say(Enrolled("new-1", "a"));
  EXPECT_TRUE(of_one_.Renew(Within(), "new-1"));
}

TEST_F(EnrolmentsTest, AnotherMachineThatIsRefusedLeavesTheOldOneForgotten) {
  Say(Enrolled("new-1", "a"));
  Follow(of_one_);
  Say(Refused("new-1", "b"));
  Follow(of_one_);
  EXPECT_FALSE(Has(*one_, "new-1"));
  const auto known = of_one_.Know(Within(), "new-1");
  ASSERT_FALSE(known);
  EXPECT_EQ(known.error().code(), a4c::Code::kUnavailable) << "a job there is tried again";
}

// The poll of one instance is that of all, and a server that was removed meanwhile stays removed.
TEST_F(EnrolmentsTest, FiguresAreReadByOneAndKnownToAll) {
  DiskService disks_one(database_, *one_, of_one_, fake_.runtime());
  DiskService disks_two(database_, *two_, of_two_, fake_.runtime());
  Say(Enrolled("new-1", "a"));
  ASSERT_TRUE(disks_one.Refresh(Within()));
  fake_.clock().Advance(7'000);
  const auto servers = disks_two.Servers(Within());
  ASSERT_TRUE(servers);
  ASSERT_EQ(servers->size(), 2u);
  for (const Server& server : *servers) {
    EXPECT_TRUE(server.reachable) << server.id;
    EXPECT_EQ(server.age_ms, 7'000) << server.id;
    EXPECT_EQ(server.total.disk_bytes, 100 * kGiB) << server.id;
  }
  EXPECT_TRUE(Has(*two_, "new-1")) << "whoever may be chosen is known";
  Say(Enrolled("new-1", "a"), true);
  ASSERT_TRUE(disks_two.Refresh(Within()));
  EXPECT_EQ(disks_one.Servers(Within())->size(), 1u);
  const RecordRef ref = HostRef("new-1");
  EXPECT_TRUE(database_.Get(Within(), std::span(&ref, 1))->records.at(0)->tombstone);
}

TEST_F(EnrolmentsTest, AServerThatIsRemovedWhileServersAreAskedStaysRemoved) {
  SlowHosts slow(*one_);
  Enrolments enrolments(database_, slow, fake_.runtime(), 2'000);
  DiskService disks(database_, slow, enrolments, fake_.runtime());
  Say(Enrolled("new-1", "a"));
  ASSERT_TRUE(disks.Refresh(Within()));
  slow.meanwhile = [&] { Say(Enrolled("new-1", "a"), true); };
  ASSERT_TRUE(disks.Refresh(Within()));
  EXPECT_FALSE(ReadHost(Within(), database_, "new-1"));
}

// The first question after the start meets the first round half-way.
TEST_F(EnrolmentsTest, WhoAsksDuringARoundIsToldOfAllServers) {
  SlowHosts slow(*one_);
  Enrolments enrolments(database_, slow, fake_.runtime(), 2'000);
  DiskService disks(database_, slow, enrolments, fake_.runtime());
  std::unique_ptr<a4c::Thread> asker;
  std::optional<a4c::Result<std::vector<HostRecord>>> told;
  Say(Enrolled("new-1", "a"));
  slow.meanwhile = [&] {
    asker = fake_.runtime().threads.Start(
        "asker", [&](const std::stop_token&) { told = disks.Hosts(Within()); });
    EXPECT_TRUE(fake_.clock().AwaitWaiting(1)) << "for the round to end";
  };
  ASSERT_TRUE(disks.Refresh(Within()));
  asker->Join();
  ASSERT_TRUE(told && *told);
  ASSERT_EQ((*told)->size(), 2u);
  for (const HostRecord& host : **told) EXPECT_TRUE(host.figures) << host.id;
}

TEST_F(EnrolmentsTest, OneThatDoesNotAnswerDoesNotKeepTheFiguresOfOthersBack) {
  SlowHosts slow(*one_);
  Enrolments enrolments(database_, slow, fake_.runtime(), 2'000);
  DiskService disks(database_, slow, enrolments, fake_.runtime(), {.hosts_at_once = 2});
  for (const char* id : {"new-1", "new-2"}) Say(Enrolled(id, id));
  const auto figures_of_others = [&] {
    const auto hosts = ReadHosts(Within(), database_);
    return hosts && std::ranges::count_if(*hosts, [](const HostRecord& host) {
                      return host.figures.has_value();
                    }) >= 2;
  };
  std::atomic<bool> first = true;
  slow.while_listing = [&] {
    if (!first.exchange(false)) return;
    const a4c::Runtime real = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
    const int64_t until_ms = real.clock.MonotonicMs() + 30'000;
    while (!figures_of_others() && real.clock.MonotonicMs() < until_ms) std::this_thread::yield();
    EXPECT_TRUE(figures_of_others()) << "the two others wait for the first";
  };
  ASSERT_TRUE(disks.Refresh(Within()));
}

TEST_F(EnrolmentsTest, AServerThatNoProviderKnowsIsSaidToBeOutOfReach) {
  DiskService disks(database_, *one_, of_one_, fake_.runtime());
  Say({.id = "gone-1"});
  ASSERT_TRUE(disks.Refresh(Within()));
  const auto gone = ReadHost(Within(), database_, "gone-1");
  ASSERT_TRUE(gone);
  ASSERT_TRUE(gone->figures);
  EXPECT_FALSE(gone->figures->host.reachable);
  EXPECT_NE(gone->figures->host.reason.find("does not know it"), std::string::npos);
}

}  // namespace
}  // namespace a4cd::testing
