// Against real servers, without a4c-host on them.
#include "tests/server_fixture.h"
#include "tests/support/cutting_proxy.h"

namespace a4c::baremetal {
namespace {

using a4c::testing::CuttingProxy;

class BaremetalServer : public ServerTest {};

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

TEST_F(BaremetalServer, WhatDockerdShowsIsWhatWasPromised) {
  unit_.spec.env = {{"X", "$(touch /x)`id`"}};
  unit_.spec.pids = 50;
  ASSERT_TRUE(provider_->Ensure(Soon(), unit_));
  const Json container = Inspect(unit_.name);
  const Json& host = container["HostConfig"];
  EXPECT_EQ(host["Privileged"].Bool(), false);
  EXPECT_EQ(host["CapDrop"].ToString(), R"(["ALL"])");
  EXPECT_TRUE(host["CapAdd"].IsNull());
  EXPECT_EQ(host["SecurityOpt"].ToString(), R"(["no-new-privileges"])");
  EXPECT_EQ(host["NetworkMode"].Text(), "none");
  EXPECT_EQ(host["PidMode"].Text(), "");
  EXPECT_EQ(host["IpcMode"].Text(), "private");
  EXPECT_EQ(host["UsernsMode"].Text(), "");
  EXPECT_TRUE(host["Binds"].IsNull());
  EXPECT_TRUE(host["Devices"].Items().empty());
  EXPECT_EQ(host["ReadonlyRootfs"].Bool(), true);
  EXPECT_EQ(host["PidsLimit"].Int(), 50);
  EXPECT_EQ(host["Memory"].Int(), 64 << 20);
  EXPECT_EQ(host["MemorySwap"].Int(), 64 << 20);
  EXPECT_EQ(host["NanoCpus"].Int(), 1'000'000'000);
  EXPECT_EQ(host["RestartPolicy"]["Name"].Text(), "no");
  ASSERT_EQ(container["Mounts"].Items().size(), 1u) << container["Mounts"].ToString();
  EXPECT_EQ(container["Mounts"].Items()[0]["Destination"].Text(), "/workspace");
  EXPECT_EQ(container["Mounts"].Items()[0]["Type"].Text(), "volume");
  EXPECT_EQ(
      Output({"sh", "-c", "echo $X; touch /bin/x 2>&1; touch /workspace/x /tmp/x && echo ok"}),
      "$(touch /x)`id`\ntouch: /bin/x: Read-only file system\nok\n");
}

TEST_F(BaremetalServer, TheVolumeOutlivesAStopAndGoesWithTheUnit) {
  ASSERT_TRUE(provider_->Ensure(Soon(), unit_));
  Output({"sh", "-c", "echo kept >/workspace/x"});
  unit_.wanted = UnitWanted::kStopped;
  ASSERT_TRUE(provider_->Ensure(Soon(), unit_));
  unit_.wanted = UnitWanted::kRunning;
  ASSERT_TRUE(provider_->Ensure(Soon(), unit_));
  EXPECT_EQ(Output({"cat", "/workspace/x"}), "kept\n");
  ASSERT_TRUE(provider_->Remove(Soon(), unit_.host, unit_.name, 1));
  ASSERT_TRUE(provider_->Ensure(Soon(), unit_));
  EXPECT_EQ(Output({"ls", "/workspace"}), "");
}

TEST_F(BaremetalServer, AServerWithAnotherHostKeyIsInQuarantine) {
  BaremetalOptions wrong = options_;
  wrong.servers[0].host_key_fingerprint = "SHA256:" + std::string(43, 'A');
  const auto provider = NewBaremetalHostProvider(TestRuntime(), wrong);
  ASSERT_FALSE(provider->Ensure(Soon(), unit_));
  const auto again = provider->Ensure(Soon(), unit_);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Code::kDenied);
  EXPECT_NE(again.error().message().find("quarantine"), std::string::npos)
      << again.error().message();
  const auto hosts = provider->Hosts(Soon());
  ASSERT_TRUE(hosts);
  for (const Host& host : *hosts) {
    EXPECT_EQ(host.reachable, host.id != unit_.host) << host.reason;
    EXPECT_EQ(host.pinned_fingerprint, host.reachable ? "" : wrong.servers[0].host_key_fingerprint);
    EXPECT_EQ(host.shown_fingerprint,
              host.reachable ? "" : options_.servers[0].host_key_fingerprint);
  }
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
  int undone = 0;
  int unknown = 0;
  for (int64_t bytes = 500; bytes <= 9'000; bytes += 250) {
    unit_.name = Word("unit");
    CuttingProxy proxy(TestRuntime().threads, options_.servers[0].address,
                       options_.servers[0].port);
    proxy.CutAfter(bytes);
    BaremetalOptions through = options_;
    through.servers[0].address = "127.0.0.1";
    through.servers[0].port = proxy.port();
    const auto status = NewBaremetalHostProvider(TestRuntime(), through)->Ensure(Soon(), unit_);
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
