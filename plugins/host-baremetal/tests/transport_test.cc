// How servers are reached: breaker, kept connections, a dockerd of this machine, and engines that
// do not behave.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "a4c/sinks.h"
#include "baremetal_host_provider.h"
#include "baremetal_keys.h"
#include "docker_server.h"
#include "route_pool.h"
#include "ssh/breaker.h"
#include "ssh/socket.h"
#include "ssh/ssh_session.h"
#include "tests/fake_engine.h"
#include "tests/support/fake_clock.h"
#include "tests/support/silent_names.h"

namespace a4c::baremetal {
namespace {

const Runtime& TestRuntime() {
  static const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  return runtime;
}
Call Soon(int64_t timeout_ms = 60'000) {
  return Call::Within(TestRuntime().clock, timeout_ms);
}

const Error kLost(Code::kUnavailable, "cannot connect");

// Takes connections and says nothing, as a server behind a firewall that drops what comes.
Socket ListenInSilence() {
  Socket listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(bind(listener.fd(), reinterpret_cast<sockaddr*>(&any), sizeof(any)), 0);
  EXPECT_EQ(listen(listener.fd(), 16), 0);
  return listener;
}

int PortOf(const Socket& listener) {
  sockaddr_in own{};
  socklen_t size = sizeof(own);
  EXPECT_EQ(getsockname(listener.fd(), reinterpret_cast<sockaddr*>(&own), &size), 0);
  return ntohs(own.sin_port);
}

// Its queue is short, and nobody accepts.
Socket ListenAt(const std::string& path) {
  Socket listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  EXPECT_EQ(bind(listener.fd(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(listen(listener.fd(), 0), 0);
  return listener;
}

// Of the processor.
int64_t MillisOf(const rusage& use) {
  const auto of = [](const timeval& time) { return time.tv_sec * 1000 + time.tv_usec / 1000; };
  return of(use.ru_utime) + of(use.ru_stime);
}

class BreakerOfAServer : public ::testing::Test {
 protected:
  testing::FakeClock clock_;
  const Runtime runtime_{clock_, TestRuntime().random, TestRuntime().threads, NullLogSink(),
                         NullMetricSink()};
  Breaker breaker_{runtime_, {.failures_max = 3, .wait_min_ms = 1'000, .wait_max_ms = 8'000}};

  void Fail() {
    ASSERT_TRUE(breaker_.Allow());
    breaker_.Failed(kLost);
  }
};

TEST_F(BreakerOfAServer, AfterSomeFailuresNobodyTriesForAWhileAndThenOne) {
  for (int i = 0; i < 3; ++i) Fail();
  const auto refused = breaker_.Allow();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kUnavailable);
  EXPECT_NE(refused.error().message().find("cannot connect"), std::string::npos);
  clock_.Advance(1'000);
  EXPECT_TRUE(breaker_.Allow());
  EXPECT_FALSE(breaker_.Allow()) << "two try at once";
  breaker_.Succeeded();
  EXPECT_TRUE(breaker_.Allow());
  EXPECT_TRUE(breaker_.Allow());
}

TEST(ServersName, SilentNameServersEndWithTheCallAndAreSaidToBeTheReason) {
  const testing::SilentNames silent;
  const auto socket = ConnectTcp(Soon(20), "docker.silent.test", 22, 15'000);
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().code(), Code::kTimeout);
  SshTarget target;
  target.address = "docker.silent.test";
  target.connect_timeout_ms = 20;
  const auto session = ConnectSsh(Soon(), target, nullptr);
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code(), Code::kUnavailable);
  EXPECT_NE(session.error().message().find("was not resolved in time"), std::string::npos);
  EXPECT_NE(session.error().hint().find("/etc/resolv.conf"), std::string::npos);
}

TEST_F(BreakerOfAServer, TheWhileGrowsUpToABound) {
  for (int i = 0; i < 3; ++i) Fail();
  for (int i = 0; i < 8; ++i) {
    clock_.Advance(8'000);
    Fail();
  }
  clock_.Advance(3'999);
  EXPECT_FALSE(breaker_.Allow()) << "no less than half of the bound";
  clock_.Advance(4'001);
  EXPECT_TRUE(breaker_.Allow());
}

TEST_F(BreakerOfAServer, ACallerWithoutTimeProvesNothing) {
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(breaker_.Allow());
    breaker_.Failed(Error(Code::kTimeout, "no time left"));
  }
}

// Else the next one would try at once, and the one after it.
TEST_F(BreakerOfAServer, AfterATryWithoutTimeTheNextOneWaitsItsTurn) {
  for (int i = 0; i < 3; ++i) Fail();
  clock_.Advance(1'000);
  ASSERT_TRUE(breaker_.Allow());
  breaker_.Failed(Error(Code::kTimeout, "no time left"));
  const auto refused = breaker_.Allow();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("3 connections in a row"), std::string::npos)
      << "it proved nothing: " << refused.error().ToString();
  clock_.Advance(1'000);
  EXPECT_TRUE(breaker_.Allow());
}

// Callers whose deadline is no later than the timeout of a connection are the usual ones.
TEST(ASilentServer, IsLeftAloneAlsoByWhoWaitsNoLongerThanForAConnection) {
  const Socket silent = ListenInSilence();
  BaremetalOptions options;
  options.connect_timeout_ms = 100;
  options.breaker_failures = 3;
  options.reconnect_wait_max_ms = 60'000;
  options.sessions_max = options.streams_max = options.terminals_max = 2;
  ServerOptions options_of_it;
  options_of_it.id = "server-1";
  options_of_it.address = "127.0.0.1";
  options_of_it.port = PortOf(silent);
  DockerServer server(TestRuntime(), options_of_it, options);
  for (int i = 0; i < 3; ++i) {
    const auto link = server.Open(Soon(options.connect_timeout_ms));
    ASSERT_FALSE(link);
    EXPECT_NE(link.error().message().find("no answer in"), std::string::npos)
        << link.error().ToString();
  }
  const auto refused = server.Open(Soon());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("3 connections in a row"), std::string::npos)
      << refused.error().ToString();
  const auto measured = DockerServer(TestRuntime(), options_of_it, options).Measure(Soon());
  EXPECT_NE(measured.reason.find("cannot connect"), std::string::npos) << measured.reason;
}

TEST(ASilentServer, WhoSeesItTooBrieflyProvesNothing) {
  const Socket silent = ListenInSilence();
  SshTarget target;
  target.address = "127.0.0.1";
  target.port = PortOf(silent);
  target.connect_timeout_ms = 60'000;
  const auto session = ConnectSsh(Soon(50), target);
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code(), Code::kTimeout) << session.error().ToString();
}

TEST(ABusyDockerd, IsWaitedForAtRest) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("a4c-busy-" + std::to_string(getpid()))).string();
  const Socket busy = ListenAt(path);
  std::vector<std::unique_ptr<ByteChannel>> queued;
  rusage before{};
  rusage after{};
  while (true) {
    getrusage(RUSAGE_THREAD, &before);
    auto channel = ConnectLocal(Soon(300), path);
    getrusage(RUSAGE_THREAD, &after);
    if (!channel) {
      EXPECT_EQ(channel.error().code(), Code::kTimeout) << channel.error().ToString();
      break;
    }
    queued.push_back(*std::move(channel));
  }
  EXPECT_LT(MillisOf(after) - MillisOf(before), 100);
  unlink(path.c_str());
}

TEST_F(BreakerOfAServer, QuarantineEndsByNoTime) {
  breaker_.Quarantine(Error(Code::kDenied, "the host key is SHA256:other"),
                      {.pinned = "SHA256:ours", .shown = "SHA256:other"});
  clock_.Advance(1'000'000'000);
  const auto refused = breaker_.Allow();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kDenied);
  EXPECT_NE(refused.error().message().find("SHA256:other"), std::string::npos);
  EXPECT_EQ(breaker_.Foreign().pinned, "SHA256:ours");
  EXPECT_EQ(breaker_.Foreign().shown, "SHA256:other");
}

class LocalEngine : public ::testing::Test {
 protected:
  LocalEngine()
      : engine_(TestRuntime().threads, (std::filesystem::temp_directory_path() /
                                        ("a4c-engine-" + std::to_string(getpid())))
                                           .string()) {}

  std::unique_ptr<HostProvider> Provider(int servers = 1, const std::string& timeout = "5s") {
    ConfigValue list;
    list.shape = ConfigValue::Shape::kList;
    for (int i = 0; i < servers; ++i) {
      list.list.push_back(
          ConfigValue::Map({{"id", ConfigValue::Scalar("server-" + std::to_string(i))},
                            {"address", ConfigValue::Scalar("unix://" + engine_.path())}}));
    }
    auto config = CheckConfig(ConfigValue::Map({{"servers", list},
                                                {"cluster", ConfigValue::Scalar("test")},
                                                {"reply_max", ConfigValue::Scalar("1MiB")},
                                                {"connect_timeout", ConfigValue::Scalar(timeout)}}),
                              kBaremetalKeys);
    EXPECT_TRUE(config) << config.error().ToString();
    auto options = ReadBaremetalConfig(*config);
    EXPECT_TRUE(options) << options.error().ToString();
    return NewBaremetalHostProvider(TestRuntime(), *std::move(options));
  }

  FakeEngine engine_;
};

TEST_F(LocalEngine, ADockerdOfThisMachineIsAServerToo) {
  const auto provider = Provider();
  const auto hosts = provider->Hosts(Soon());
  ASSERT_TRUE(hosts && hosts->size() == 1);
  EXPECT_TRUE(hosts->front().reachable) << hosts->front().reason;
  EXPECT_EQ(hosts->front().cpu_total_millis, 4'000);
  EXPECT_GT(hosts->front().inodes_total, 0);
  EXPECT_TRUE(hosts->front().absent.contains("fencing"));
  const auto units = provider->List(Soon(), "server-0");
  ASSERT_TRUE(units) << units.error().ToString();
  EXPECT_TRUE(units->empty());
}

TEST_F(LocalEngine, WhatItAnswersIsBoundedAndJudged) {
  const auto provider = Provider(1, "300ms");
  for (const EngineMood mood :
       {EngineMood::kSilent, EngineMood::kGarbage, EngineMood::kEndless, EngineMood::kClosing}) {
    engine_.SetMood(mood);
    const auto listed = provider->List(Soon(500), "server-0");
    ASSERT_FALSE(listed);
    EXPECT_TRUE(listed.error().retryable()) << listed.error().ToString();
    const auto hosts = provider->Hosts(Soon());
    ASSERT_TRUE(hosts);
    EXPECT_FALSE(hosts->front().reachable);
    EXPECT_FALSE(hosts->front().reason.empty());
  }
  engine_.SetMood(EngineMood::kWell);
  const auto listed = provider->List(Soon(), "server-0");
  EXPECT_TRUE(listed) << "after all that: " << listed.error().ToString();
}

TEST_F(LocalEngine, ALookWithoutAnAnswerDidNothing) {
  const auto provider = Provider();
  engine_.SetMood(EngineMood::kSilent);
  const auto removed = provider->Remove(Soon(300), "server-0", "ws-1", 1);
  ASSERT_FALSE(removed);
  EXPECT_TRUE(removed.error().retryable()) << removed.error().ToString();
}

int ThreadsOfThisProcess() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("Threads:")) return std::stoi(line.substr(8));
  }
  return -1;
}

TEST_F(LocalEngine, ThreadsDoNotGrowWithServers) {
  rlimit files{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = files.rlim_max;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  if (files.rlim_max < 5'000) {
    ASSERT_EQ(std::getenv("CI"), nullptr) << "needs 5,000 open files: raise the hard limit";
    GTEST_SKIP() << "needs 5,000 open files: raise the hard limit";
  }
  const auto provider = Provider(2'000);
  int most = 0;
  const auto watch = TestRuntime().threads.Start("watch", [&](const std::stop_token& stop) {
    while (!stop.stop_requested()) most = std::max(most, ThreadsOfThisProcess());
  });
  for (int round = 0; round < 2; ++round) {
    const auto hosts = provider->Hosts(Soon(120'000));
    ASSERT_TRUE(hosts && hosts->size() == 2'000);
    for (const Host& host : *hosts) ASSERT_TRUE(host.reachable) << host.reason;
  }
  watch->RequestStop();
  watch->Join();
  EXPECT_LE(most, 64);
  EXPECT_GT(most, 2);
}

// One way to a server after the other, without a server.
class FakeSession final : public SshSession {
 public:
  explicit FakeSession(const bool& usable) : usable_(usable) {}
  Result<std::unique_ptr<ByteChannel>> OpenSocket(const Call&, const std::string&) override {
    return Error(Code::kUnsupported, "fake");
  }
  Result<std::unique_ptr<ByteChannel>> OpenCommand(const Call&, const std::string&) override {
    return Error(Code::kUnsupported, "fake");
  }
  Result<std::unique_ptr<ByteChannel>> OpenPort(const Call&, const std::string&, int) override {
    return Error(Code::kUnsupported, "fake");
  }
  bool Usable() const override { return usable_; }

 private:
  const bool& usable_;
};

class Routes : public ::testing::Test {
 protected:
  bool usable_ = true;
  int made_ = 0;
  RoutePool pool_{
      TestRuntime(), {.routes_max = 2}, [this](const Call&) {
        ++made_;
        return Result<std::unique_ptr<SshSession>>(std::make_unique<FakeSession>(usable_));
      }};
};

TEST_F(Routes, AreUsedAgainAndNeverMoreThanTheBound) {
  {
    const auto one = pool_.Take(Soon(), Peer::kDocker);
    const auto two = pool_.Take(Soon(), Peer::kDocker);
    ASSERT_TRUE(one && two);
    const auto three = pool_.Take(Soon(50), Peer::kDocker);
    ASSERT_FALSE(three);
    EXPECT_EQ(three.error().code(), Code::kTimeout);
  }
  const auto again = pool_.Take(Soon(), Peer::kDocker);
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->fresh());
  EXPECT_EQ(made_, 2);
}

TEST_F(Routes, ABrokenSessionGivesItsPlaceBack) {
  for (int i = 0; i < 5; ++i) {
    const auto route = pool_.Take(Soon(), Peer::kDocker);
    ASSERT_TRUE(route);
    EXPECT_TRUE(route->fresh());
    usable_ = false;
  }
  EXPECT_EQ(made_, 5);
}

}  // namespace
}  // namespace a4c::baremetal
