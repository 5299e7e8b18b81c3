// Against real servers: A4C_TEST_BAREMETAL_HOSTS names a servers_file, on whose servers there is
// the image A4C_TEST_IMAGE (busybox:local).
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "a4c/host_extensions.h"
#include "a4c/sinks.h"
#include "baremetal_config.h"
#include "baremetal_host_provider.h"
#include "baremetal_keys.h"
#include "docker_connection.h"
#include "ssh_session.h"

namespace a4c::baremetal {
namespace {

const Runtime& TestRuntime() {
  static const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  return runtime;
}
Call Soon(int64_t timeout_ms = 60'000) {
  return Call::Within(TestRuntime().clock, timeout_ms);
}

std::string Word(const std::string& prefix) {
  return prefix + "-" + std::to_string(TestRuntime().random.Next() % 1'000'000'000);
}

// Passes bytes on, and breaks both connections once the client has sent so many.
class CuttingProxy {
 public:
  CuttingProxy(std::string address, int port, int64_t bytes_max)
      : target_(std::move(address), static_cast<Poco::UInt16>(port)),
        listener_(Poco::Net::SocketAddress("127.0.0.1", 0)),
        bytes_left_(bytes_max),
        thread_(TestRuntime().threads.Start("proxy", [this](std::stop_token stop) { Run(stop); })) {
  }
  int port() const { return listener_.address().port(); }
  bool cut() const { return bytes_left_ <= 0; }

 private:
  void Run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (!listener_.poll(Poco::Timespan(20'000), Poco::Net::Socket::SELECT_READ)) continue;
      Poco::Net::StreamSocket client = listener_.acceptConnection();
      if (bytes_left_ <= 0) continue;
      Poco::Net::StreamSocket server(target_);
      while (!stop.stop_requested() && bytes_left_ > 0 && Pass(client, server)) {
      }
    }
  }
  bool Pass(Poco::Net::StreamSocket& client, Poco::Net::StreamSocket& server) {
    Poco::Net::Socket::SocketList readable{client, server};
    Poco::Net::Socket::SocketList none;
    Poco::Net::Socket::SocketList failed;
    if (Poco::Net::Socket::select(readable, none, failed, Poco::Timespan(20'000)) == 0) return true;
    for (const Poco::Net::Socket& socket : readable) {
      const bool upward = socket == client;
      char bytes[4096];
      Poco::Net::StreamSocket from(socket);
      const int64_t most = upward ? std::min<int64_t>(sizeof(bytes), bytes_left_) : sizeof(bytes);
      const int count = from.receiveBytes(bytes, static_cast<int>(most));
      if (count <= 0) return false;
      (upward ? server : client).sendBytes(bytes, count);
      if (upward) bytes_left_ -= count;
    }
    return true;
  }

  const Poco::Net::SocketAddress target_;
  Poco::Net::ServerSocket listener_;
  std::atomic<int64_t> bytes_left_;
  const std::unique_ptr<Thread> thread_;
};

class BaremetalServer : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* file = std::getenv("A4C_TEST_BAREMETAL_HOSTS");
    if (file == nullptr) {
      const bool required = std::getenv("CI") != nullptr || std::getenv("A4C_REQUIRE_SERVERS");
      if (required) FAIL() << "A4C_TEST_BAREMETAL_HOSTS is not set";
      GTEST_SKIP() << "A4C_TEST_BAREMETAL_HOSTS is not set";
    }
    auto config = CheckConfig(ConfigValue::Map({{"servers_file", ConfigValue::Scalar(file)},
                                                {"cluster", ConfigValue::Scalar(Word("test"))},
                                                {"stop_timeout", ConfigValue::Scalar("1s")}}),
                              kBaremetalKeys);
    ASSERT_TRUE(config) << config.error().ToString();
    auto options = ReadBaremetalConfig(*config);
    ASSERT_TRUE(options) << options.error().ToString();
    options_ = *std::move(options);
    provider_ = NewBaremetalHostProvider(TestRuntime(), options_);
    const char* image = std::getenv("A4C_TEST_IMAGE");
    unit_ = {.host = options_.servers[0].id,
             .name = Word("unit"),
             .epoch = 1,
             .spec = {.image = image == nullptr ? "busybox:local" : image,
                      .command = {"sleep", "600"},
                      .memory_bytes = 64 << 20}};
  }
  void TearDown() override {
    if (provider_ == nullptr) return;
    const auto removed = provider_->Remove(Soon(), unit_.host, unit_.name, 1'000'000);
    EXPECT_TRUE(removed) << removed.error().ToString();
  }

  bool IsThere() {
    const auto listed = provider_->List(Soon(), unit_.host);
    EXPECT_TRUE(listed) << listed.error().ToString();
    return listed && std::ranges::count(*listed, unit_.name, &UnitStatus::name) == 1;
  }
  std::string Output(std::vector<std::string> command) {
    std::string output;
    const auto code = provider_->As<HostExec>()->Run(
        Soon(), {.host = unit_.host, .unit = unit_.name, .command = std::move(command)},
        [&](std::string_view piece) { output += piece; });
    EXPECT_TRUE(code) << code.error().ToString();
    return output;
  }
  SshTarget Target() const {
    const ServerOptions& server = options_.servers[0];
    return {.address = server.address,
            .port = server.port,
            .user = server.user,
            .host_key_fingerprint = server.host_key_fingerprint,
            .private_key_path = server.private_key_path};
  }

  BaremetalOptions options_;
  std::unique_ptr<HostProvider> provider_;
  Unit unit_;
};

TEST_F(BaremetalServer, AnotherHostKeyIsDeniedNamingBoth) {
  BaremetalOptions wrong = options_;
  const std::string right = wrong.servers[0].host_key_fingerprint;
  wrong.servers[0].host_key_fingerprint = "SHA256:" + std::string(43, 'A');
  const auto status = NewBaremetalHostProvider(TestRuntime(), wrong)->Ensure(Soon(), unit_);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kDenied) << status.error().ToString();
  EXPECT_NE(status.error().message().find(right), std::string::npos) << status.error().message();
  EXPECT_NE(status.error().message().find(std::string(43, 'A')), std::string::npos);
  EXPECT_FALSE(IsThere());
}

TEST_F(BaremetalServer, TheHostKeyIsJudgedBeforeTheUserIsNamed) {
  SshTarget target = Target();
  target.user = "no-such-user";
  const auto user = ConnectSsh(Soon(), target);
  ASSERT_FALSE(user);
  EXPECT_EQ(user.error().code(), Code::kDenied) << user.error().ToString();
  EXPECT_NE(user.error().message().find("no-such-user"), std::string::npos);
  target.host_key_fingerprint = "SHA256:" + std::string(43, 'A');
  const auto key = ConnectSsh(Soon(), target);
  ASSERT_FALSE(key);
  EXPECT_NE(key.error().message().find("host key"), std::string::npos);
  EXPECT_EQ(key.error().message().find("no-such-user"), std::string::npos);
}

TEST_F(BaremetalServer, AServerOutOfReachSaysWhyAndHoldsUpNoOther) {
  BaremetalOptions some = options_;
  some.connect_timeout_ms = 1'000;
  some.servers[0].address = "127.0.0.1";
  some.servers[0].port = 1;
  const auto provider = NewBaremetalHostProvider(TestRuntime(), some);
  const auto hosts = provider->Hosts(Soon());
  ASSERT_TRUE(hosts) << hosts.error().ToString();
  ASSERT_EQ(hosts->size(), options_.servers.size());
  for (const Host& host : *hosts) {
    EXPECT_EQ(host.reachable, host.id != unit_.host) << host.reason;
    EXPECT_EQ(host.reason.empty(), host.reachable);
  }
  const auto status = provider->Ensure(Soon(), unit_);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kUnavailable) << status.error().ToString();
}

TEST_F(BaremetalServer, UnitsOfAnotherClusterAreNotSeenNorTouched) {
  ASSERT_TRUE(provider_->Ensure(Soon(), unit_));
  BaremetalOptions others = options_;
  others.cluster = Word("other");
  const auto other = NewBaremetalHostProvider(TestRuntime(), others);
  const auto listed = other->List(Soon(), unit_.host);
  ASSERT_TRUE(listed);
  EXPECT_EQ(std::ranges::count(*listed, unit_.name, &UnitStatus::name), 0);
  const auto taken = other->Ensure(Soon(), unit_);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code(), Code::kConflict) << taken.error().ToString();
  EXPECT_TRUE(other->Remove(Soon(), unit_.host, unit_.name, 1'000'000));
  const auto log = other->As<HostLogs>()->Read(Soon(), unit_.host, unit_.name, "", 100);
  EXPECT_EQ(log.error().code(), Code::kNotFound);
  const auto code = other->As<HostExec>()->Run(
      Soon(), {.host = unit_.host, .unit = unit_.name, .command = {"true"}},
      [](std::string_view) {});
  EXPECT_EQ(code.error().code(), Code::kNotFound);
  EXPECT_TRUE(IsThere());
}

TEST_F(BaremetalServer, AContainerHasNoRightsNoNetworkAndItsLimits) {
  ASSERT_TRUE(provider_->Ensure(Soon(), unit_));
  const std::string status = Output({"cat", "/proc/self/status"});
  EXPECT_NE(status.find("CapEff:\t0000000000000000"), std::string::npos) << status;
  EXPECT_NE(status.find("CapBnd:\t0000000000000000"), std::string::npos) << status;
  EXPECT_NE(status.find("NoNewPrivs:\t1"), std::string::npos) << status;
  EXPECT_EQ(Output({"ls", "/sys/class/net"}), "lo\n");
  const std::string memory =
      Output({"sh", "-c",
              "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>&-"});
  EXPECT_NE(memory.find("67108864"), std::string::npos) << memory;
}

TEST_F(BaremetalServer, TheDockerCommandIsAWayToo) {
  auto session = ConnectSsh(Soon(), Target());
  ASSERT_TRUE(session) << session.error().ToString();
  auto channel = (*session)->OpenCommand(
      Soon(), "docker -H unix://" + options_.servers[0].docker_socket + " system dial-stdio");
  ASSERT_TRUE(channel) << channel.error().ToString();
  DockerConnection docker(*std::move(channel), 1 << 20);
  const auto version = docker.ExchangeJson(Soon(), {.method = "GET", .target = "/version"});
  ASSERT_TRUE(version) << version.error().ToString();
  EXPECT_NE((*version)["ApiVersion"].Text(), "");
}

TEST_F(BaremetalServer, WithoutTheSocketTheMessageSaysWhatIsMissing) {
  BaremetalOptions wrong = options_;
  wrong.servers[0].docker_socket = "/no/such.sock";
  const auto status = NewBaremetalHostProvider(TestRuntime(), wrong)->Ensure(Soon(), unit_);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kUnavailable) << status.error().ToString();
  EXPECT_NE(status.error().ToString().find("dockerd"), std::string::npos);
}

// Wherever the connection breaks: what says that nothing was done is true, and the same call again
// gets there.
TEST_F(BaremetalServer, ABrokenConnectionIsNeverTakenForNothingDone) {
  int cut = 0;
  int undone = 0;
  int unknown = 0;
  for (int64_t bytes = 500; bytes <= 9'000; bytes += 250) {
    unit_.name = Word("unit");
    CuttingProxy proxy(options_.servers[0].address, options_.servers[0].port, bytes);
    BaremetalOptions through = options_;
    through.servers[0].address = "127.0.0.1";
    through.servers[0].port = proxy.port();
    const auto status = NewBaremetalHostProvider(TestRuntime(), through)->Ensure(Soon(), unit_);
    if (proxy.cut()) ++cut;
    if (!status) {
      const Error& error = status.error();
      EXPECT_TRUE(error.code() == Code::kUnavailable || error.unknown_outcome())
          << error.ToString();
      if (error.retryable()) {
        ++undone;
        EXPECT_FALSE(IsThere()) << "after " << bytes << " bytes: " << error.ToString();
      } else {
        ++unknown;
      }
    }
    const auto again = provider_->Ensure(Soon(), unit_);
    ASSERT_TRUE(again) << again.error().ToString();
    EXPECT_EQ(again->state, UnitState::kRunning);
    EXPECT_TRUE(provider_->Remove(Soon(), unit_.host, unit_.name, 1));
  }
  EXPECT_GT(undone, 0);
  EXPECT_GT(unknown, 0);
  EXPECT_LT(unknown + undone, 35) << "no call was left whole";
}

}  // namespace
}  // namespace a4c::baremetal
