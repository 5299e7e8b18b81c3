// Units come and go on real servers while these fail, by a plan that a seed draws; afterwards what
// was meant to be gone is gone, and what was meant to be there is there.
//
//   A4C_TEST_FAULT_SECONDS=600 A4C_TEST_SEED=7 host_baremetal_faults_test
#include <array>
#include <atomic>
#include <cstdio>
#include <map>
#include <mutex>
#include <random>

#include "tests/server_fixture.h"
#include "tests/support/cutting_proxy.h"

namespace a4c::baremetal {
namespace {

using a4c::testing::CuttingProxy;

constexpr int kUnits = 9;
constexpr int kWorkers = 3;
constexpr int64_t kPatienceMs = 60'000;  // from the last fault until all is as it should be
constexpr int64_t kDiskBytes = 16 << 20;

int64_t NumberOf(const char* variable, int64_t fallback) {
  const char* text = std::getenv(variable);
  return text == nullptr ? fallback : std::atoll(text);
}

// What a store would know of a unit.
struct Wanted {
  std::mutex mutex;  // one lease at a time
  Unit unit;
  bool live = false;
};

class HostFaults : public ServerTest {
 protected:
  HostFaults()
      : ServerTest("A4C_TEST_BAREMETAL_HELPER_HOSTS"),
        seed_(static_cast<uint64_t>(NumberOf("A4C_TEST_SEED", 1))) {}

  void SetUp() override {
    ServerTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const char* fault = std::getenv("A4C_TEST_BAREMETAL_FAULT");
    ASSERT_NE(fault, nullptr) << "A4C_TEST_BAREMETAL_FAULT is not set: see dev/stack";
    fault_ = fault;
    BaremetalOptions through = options_;
    through.connect_timeout_ms = 2'000;
    through.reconnect_wait_max_ms = 2'000;
    for (ServerOptions& server : through.servers) {
      proxies_.push_back(
          std::make_unique<CuttingProxy>(TestRuntime().threads, server.address, server.port));
      server.address = "127.0.0.1";
      server.port = proxies_.back()->port();
    }
    faulty_ = NewBaremetalHostProvider(TestRuntime(), through);
    for (int i = 0; i < kUnits; ++i) {
      Wanted& wanted = wanted_[i];
      wanted.unit = unit_;
      wanted.unit.host = options_.servers[static_cast<size_t>(i) % options_.servers.size()].id;
      wanted.unit.name = Word("unit");
      wanted.unit.epoch = 0;
      if (i % 2 == 0) wanted.unit.spec.disk_bytes = kDiskBytes;
    }
  }
  void TearDown() override {
    for (size_t i = 1; i <= proxies_.size(); ++i) Repair(static_cast<int>(i));
    for (Wanted& wanted : wanted_) {
      if (provider_ != nullptr)
        (void)provider_->Remove(Soon(), wanted.unit.host, wanted.unit.name, 1'000'000);
    }
    ServerTest::TearDown();
  }

  bool Fault(const std::string& words) {
    return std::system((fault_ + " " + words + " >/dev/null 2>&1").c_str()) == 0;
  }
  void Repair(int server) {
    proxies_[static_cast<size_t>(server) - 1]->Heal();
    const std::string number = std::to_string(server);
    Fault("link-up " + number);
    Fault("dockerd-resume " + number);
    Fault("dockerd-start " + number);
    Fault("disk-free " + number);
  }

  // One fault of one server, and its repair a moment later.
  void OneFault(std::mt19937_64& random) {
    const int server = static_cast<int>(random() % proxies_.size()) + 1;
    const std::string number = std::to_string(server);
    CuttingProxy& proxy = *proxies_[static_cast<size_t>(server) - 1];
    switch (random() % 7) {
      case 0:
      case 1:
        proxy.CutAfter(static_cast<int64_t>(random() % 6'000));
        break;
      case 2:
        Fault("dockerd-kill " + number);
        break;
      case 3:
        Fault("dockerd-hang " + number);
        break;
      case 4:
        Fault("link-down " + number);
        break;
      case 5:
        Fault("disk-fill " + number);
        break;
      default:
        Fault("sessions-kill " + number);
    }
    Pass(static_cast<int64_t>(random() % 1'500));
    Repair(server);
  }

  // A lease: the next epoch, one thing done in its name, tried a few times.
  void OneLease(std::mt19937_64& random) {
    Wanted& wanted = wanted_[random() % kUnits];
    const std::unique_lock lock(wanted.mutex, std::try_to_lock);
    if (!lock) return;
    ++wanted.unit.epoch;
    wanted.unit.claim = "claim-" + std::to_string(random());
    wanted.live = random() % 2 == 0;
    for (int tries = 0; tries < 3 && !Bring(*faulty_, wanted, 4'000); ++tries) {
    }
  }

  // True once it is as wanted. A failure has a reason that somebody can act on.
  bool Bring(HostProvider& provider, Wanted& wanted, int64_t timeout_ms) {
    const Unit& unit = wanted.unit;
    std::optional<Error> error;
    if (wanted.live) {
      const auto status = provider.Ensure(Soon(timeout_ms), unit);
      if (!status) error = status.error();
    } else {
      const auto removed =
          provider.Remove(Soon(timeout_ms), unit.host, unit.name, {unit.epoch, unit.claim});
      if (!removed) error = removed.error();
    }
    if (!error) return true;
    ++failures_;
    EXPECT_FALSE(error->message().empty());
    EXPECT_TRUE(error->retryable() || error->unknown_outcome()) << error->ToString();
    return false;
  }

  void Settle(Wanted& wanted, int64_t until_ms) {
    while (!Bring(*provider_, wanted, 10'000)) {
      ASSERT_LT(TestRuntime().clock.MonotonicMs(), until_ms)
          << wanted.unit.name << " does not settle";
      Pass(200);
    }
  }

  void ExpectAllAsWanted() {
    std::map<std::string, UnitStatus> listed;
    for (const ServerOptions& server : options_.servers) {
      const auto units = provider_->List(Soon(), server.id);
      ASSERT_TRUE(units) << units.error().ToString();
      for (const UnitStatus& unit : *units) listed[unit.name] = unit;
    }
    for (const Wanted& wanted : wanted_) {
      const auto found = listed.find(wanted.unit.name);
      EXPECT_EQ(found != listed.end(), wanted.live) << wanted.unit.name;
      if (found == listed.end()) continue;
      EXPECT_EQ(found->second.state, UnitState::kRunning) << found->second.reason;
      EXPECT_EQ(found->second.epoch, wanted.unit.epoch);
      listed.erase(found);
    }
    for (const auto& [name, unit] : listed) ADD_FAILURE() << "an orphan: " << name;
  }

  // Volumes, of either kind, belong to units that are wanted.
  void ExpectNoVolumeLeft() {
    for (size_t i = 1; i <= proxies_.size(); ++i) {
      std::string script = "ls /srv/a4c/" + options_.cluster +
                           "/volumes 2>/dev/null; docker -H unix:///run/docker.sock volume ls -q "
                           "-f label=a4c.cluster=" +
                           options_.cluster;
      FILE* out =
          popen((fault_ + " enter " + std::to_string(i) + " sh -c '" + script + "'").c_str(), "r");
      ASSERT_NE(out, nullptr);
      std::string text;
      for (int c; (c = std::fgetc(out)) != EOF;) text += static_cast<char>(c);
      pclose(out);
      for (const Wanted& wanted : wanted_) {
        const bool there = text.find(wanted.unit.name) != std::string::npos;
        if (!wanted.live) {
          EXPECT_FALSE(there) << "a volume of " << wanted.unit.name << ": " << text;
        }
      }
    }
  }

  const uint64_t seed_;
  std::string fault_;
  std::vector<std::unique_ptr<CuttingProxy>> proxies_;
  std::unique_ptr<HostProvider> faulty_;
  std::array<Wanted, kUnits> wanted_;
  std::atomic<int> failures_ = 0;
};

TEST_F(HostFaults, AfterTheLastFaultNothingIsLeftAndNothingIsMissing) {
  const int64_t seconds = NumberOf("A4C_TEST_FAULT_SECONDS", 30);
  std::printf("A4C_TEST_SEED=%llu, %lld s of faults\n", static_cast<unsigned long long>(seed_),
              static_cast<long long>(seconds));
  const int64_t end_ms = TestRuntime().clock.MonotonicMs() + seconds * 1000;
  std::vector<std::unique_ptr<Thread>> workers;
  std::atomic<int> leases = 0;
  for (int i = 0; i < kWorkers; ++i) {
    workers.push_back(TestRuntime().threads.Start("worker", [&, i](const std::stop_token&) {
      std::mt19937_64 random(seed_ * 100 + static_cast<uint64_t>(i) + 1);
      while (TestRuntime().clock.MonotonicMs() < end_ms) {
        OneLease(random);
        ++leases;
      }
    }));
  }
  std::mt19937_64 random(seed_);
  int faults = 0;
  for (; TestRuntime().clock.MonotonicMs() < end_ms; ++faults) OneFault(random);
  for (const auto& worker : workers) worker->Join();
  const int64_t settled_by_ms = TestRuntime().clock.MonotonicMs() + kPatienceMs;
  for (Wanted& wanted : wanted_) Settle(wanted, settled_by_ms);
  ExpectAllAsWanted();
  ExpectNoVolumeLeft();
  std::printf("%d leases, %d faults, %d calls failed\n", leases.load(), faults, failures_.load());
  EXPECT_GT(failures_, 0) << "no fault met a call";
}

}  // namespace
}  // namespace a4c::baremetal
