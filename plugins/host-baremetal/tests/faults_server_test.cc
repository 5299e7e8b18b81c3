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
#include <set>
#include <sstream>

#include "tests/server_fixture.h"
#include "tests/support/cutting_proxy.h"

namespace a4c::baremetal {
namespace {

using a4c::testing::CuttingProxy;

constexpr int kUnits = 9;
constexpr int kWorkers = 3;
constexpr int64_t kPatienceMs = 60'000;  // from the last fault until all is as it should be
constexpr int64_t kDiskBytes = 16 << 20;
// As LoseAProcessOf makes them.
constexpr const char* kProcessesOfLost = "grep -l /lost/ /proc/[0-9]*/cgroup || true";

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
    lost_before_ = Lost();
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

  // What the server's shell says.
  std::string On(int server, const std::string& script) {
    const std::string line =
        fault_ + " enter " + std::to_string(server) + " sh -c '" + script + "'";
    FILE* out = popen(line.c_str(), "r");
    EXPECT_NE(out, nullptr);
    std::string text;
    for (int c; out != nullptr && (c = std::fgetc(out)) != EOF;) text += static_cast<char>(c);
    EXPECT_EQ(out == nullptr ? -1 : pclose(out), 0) << line;
    return text;
  }

  // Volumes, of either kind, belong to units that are wanted.
  void ExpectNoVolumeLeft() {
    for (size_t i = 1; i <= proxies_.size(); ++i) {
      const std::string text =
          On(static_cast<int>(i),
             "ls /srv/a4c/" + options_.cluster +
                 "/volumes 2>/dev/null; docker -H unix:///run/docker.sock volume ls -q -f "
                 "label=a4c.cluster=" +
                 options_.cluster);
      for (const Wanted& wanted : wanted_) {
        const bool there = text.find(wanted.unit.name) != std::string::npos;
        if (!wanted.live) {
          EXPECT_FALSE(there) << "a volume of " << wanted.unit.name << ": " << text;
        }
      }
    }
  }

  // Containers that dockerd does not know to run, with processes of theirs, by the control groups,
  // or a shim of containerd's, by its command line.
  std::set<std::string> Lost() {
    std::set<std::string> lost = Unknown("cat /proc/[0-9]*/cgroup");
    lost.merge(Unknown("cat /proc/[0-9]*/cmdline | tr \"\\000\" \"\\n\""));
    return lost;
  }
  std::set<std::string> Unknown(const std::string& lines) {
    std::set<std::string> lost;
    for (size_t i = 1; i <= proxies_.size(); ++i) {
      std::istringstream ids(On(static_cast<int>(i),
                                "docker -H unix:///run/docker.sock ps -q --no-trunc > /run/known; "
                                "(" +
                                    lines +
                                    ") 2>/dev/null | grep -aoE \"[0-9a-f]{64}\" | sort -u | "
                                    "grep -vxFf /run/known || true"));
      for (std::string id; ids >> id;) lost.insert("server-" + std::to_string(i) + " " + id);
    }
    return lost;
  }
  // The shim of a container that has just gone is there for a moment longer; what is lost stays.
  void ExpectNoProcessLost() {
    std::set<std::string> left;
    for (const Call call = Soon(); !call.Expired(); Pass(200)) {
      left = Lost();
      std::erase_if(left, [this](const std::string& id) { return lost_before_.contains(id); });
      if (left.empty()) return;
    }
    for (const std::string& id : left) ADD_FAILURE() << "a process is left: " << id;
  }

  // As a dockerd that was killed in the middle of a start leaves it: a process of the container
  // runs, and dockerd does not know of it. Frozen, it does not hear of the start.
  void LoseAProcessOf(Unit& unit) {
    unit.epoch = 1;
    unit.wanted = UnitWanted::kStopped;
    ASSERT_TRUE(provider_->Ensure(Soon(), unit));
    On(1,
       "set -e; docker=\"docker -H unix:///run/docker.sock\"; "
       "id=$($docker inspect " +
           unit.name +
           " --format \"{{.Id}}\"); "
           "mkdir -p /run/lost/bin /run/lost/proc /run/lost/dev /run/lost/sys; "
           "cp -f $(command -v busybox) /run/lost/bin/sleep; kill -STOP $(cat /run/dockerd.pid); "
           "ctr -a /run/docker/containerd/containerd.sock -n moby run --detach "
           "--cgroup $(cut -d: -f3 /proc/1/cgroup | head -n 1)/lost/$id "
           "--rootfs /run/lost $id /bin/sleep 600; "
           "kill -KILL $(cat /run/dockerd.pid)");
    Fault("dockerd-start 1");
  }

  const uint64_t seed_;
  std::string fault_;
  std::vector<std::unique_ptr<CuttingProxy>> proxies_;
  std::set<std::string> lost_before_;
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
  ExpectNoProcessLost();
  std::printf("%d leases, %d faults, %d calls failed\n", leases.load(), faults, failures_.load());
  EXPECT_GT(failures_, 0) << "no fault met a call";
}

TEST_F(HostFaults, AProcessThatDockerdHasLostIsEndedBeforeTheNextOneStarts) {
  Wanted& wanted = wanted_[0];
  ASSERT_NO_FATAL_FAILURE(LoseAProcessOf(wanted.unit));
  wanted.unit.wanted = UnitWanted::kRunning;
  wanted.live = true;
  Settle(wanted, TestRuntime().clock.MonotonicMs() + kPatienceMs);
  EXPECT_EQ(provider_->Ensure(Soon(), wanted.unit)->state, UnitState::kRunning);
  ExpectNoProcessLost();
}

TEST_F(HostFaults, AProcessThatDockerdHasLostDoesNotOutliveItsUnit) {
  Wanted& wanted = wanted_[0];
  ASSERT_NO_FATAL_FAILURE(LoseAProcessOf(wanted.unit));
  Settle(wanted, TestRuntime().clock.MonotonicMs() + kPatienceMs);
  ExpectNoProcessLost();
}

// Whoever copies its volume now relies on it.
TEST_F(HostFaults, AProcessThatDockerdHasLostDoesNotOutliveAStop) {
  Wanted& wanted = wanted_[0];
  ASSERT_NO_FATAL_FAILURE(LoseAProcessOf(wanted.unit));
  ASSERT_NE(On(1, kProcessesOfLost), "");
  wanted.live = true;
  Settle(wanted, TestRuntime().clock.MonotonicMs() + kPatienceMs);
  EXPECT_EQ(On(1, kProcessesOfLost), "");
}

}  // namespace
}  // namespace a4c::baremetal
