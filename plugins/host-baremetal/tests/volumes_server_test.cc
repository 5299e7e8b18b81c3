// What units keep, carried between real servers: whole, cut in the middle, into too little room.
#include <cstdlib>

#include "a4c/host_volumes.h"
#include "tests/server_fixture.h"
#include "tests/support/cutting_proxy.h"

namespace a4c::baremetal {
namespace {

using a4c::testing::CuttingProxy;

class BaremetalVolumes : public ServerTest {
 protected:
  explicit BaremetalVolumes(const char* variable = "A4C_TEST_BAREMETAL_HOSTS")
      : ServerTest(variable) {}

  void TearDown() override {
    if (provider_ != nullptr && !receiver_.name.empty()) {
      EXPECT_TRUE(provider_->Remove(Soon(), receiver_.host, receiver_.name, 1'000'000));
    }
    ServerTest::TearDown();
  }

  // Stopped, with so many MiB that nothing can compress; their sum.
  std::string Fill(int mib) {
    EXPECT_TRUE(provider_->Ensure(Soon(), unit_));
    const std::string write =
        "dd if=/dev/urandom of=/workspace/big bs=1M count=" + std::to_string(mib) +
        " 2>/dev/null; ln -s big /workspace/link; ";
    std::string sum = Output({"sh", "-c", write + "md5sum </workspace/big"});
    unit_.wanted = UnitWanted::kStopped;
    EXPECT_TRUE(provider_->Ensure(Soon(), unit_));
    return sum;
  }
  // Anew, on the second server.
  void MakeReceiver(int64_t disk_bytes = 0) {
    receiver_ = unit_;
    receiver_.host = options_.servers[1].id;
    receiver_.name = receiver_name_;
    receiver_.wanted = UnitWanted::kStopped;
    receiver_.spec.disk_bytes = disk_bytes;
    EXPECT_TRUE(provider_->Remove(Soon(), receiver_.host, receiver_.name, 1));
    const auto made = provider_->Ensure(Soon(), receiver_);
    ASSERT_TRUE(made) << made.error().ToString();
  }
  Result<int64_t> Copy(HostProvider& provider) {
    return provider.As<HostVolumes>()->Copy(
        Soon(), {unit_.host, unit_.name, receiver_.host, receiver_.name, 1});
  }
  std::string SumThere() {
    receiver_.wanted = UnitWanted::kRunning;
    EXPECT_TRUE(provider_->Ensure(Soon(), receiver_));
    std::string output;
    const auto code =
        provider_->As<HostExec>()->Run(Soon(),
                                       {.host = receiver_.host,
                                        .unit = receiver_.name,
                                        .command = {"sh", "-c", "md5sum </workspace/link"}},
                                       [&](std::string_view piece) { output += piece; });
    EXPECT_TRUE(code) << code.error().ToString();
    return output;
  }

  const std::string receiver_name_ = Word("receiver");
  Unit receiver_;
};

TEST_F(BaremetalVolumes, MuchIsCarriedWholeFromServerToServer) {
  const std::string sum = Fill(48);
  MakeReceiver();
  const auto bytes = Copy(*provider_);
  ASSERT_TRUE(bytes) << bytes.error().ToString();
  EXPECT_GE(*bytes, 48 << 20);
  EXPECT_EQ(SumThere(), sum);
}

TEST_F(BaremetalVolumes, ACopyThatBreaksOffIsAnErrorAndAnewItIsWhole) {
  const std::string sum = Fill(4);
  CuttingProxy proxy(TestRuntime().threads, options_.servers[1].address, options_.servers[1].port);
  BaremetalOptions through = options_;
  through.servers[1].address = "127.0.0.1";
  through.servers[1].port = proxy.port();
  for (const int64_t bytes : {8'000, 100'000, 2'000'000, 4'000'000}) {
    MakeReceiver();
    proxy.CutAfter(bytes);
    const auto copied = Copy(*NewBaremetalHostProvider(TestRuntime(), through));
    proxy.Heal();
    ASSERT_FALSE(copied) << "cut after " << bytes;
    EXPECT_TRUE(copied.error().retryable() || copied.error().unknown_outcome())
        << copied.error().ToString();
  }
  MakeReceiver();
  const auto copied = Copy(*provider_);
  ASSERT_TRUE(copied) << copied.error().ToString();
  EXPECT_EQ(SumThere(), sum);
}

TEST_F(BaremetalVolumes, MoreThanTheBoundIsRefused) {
  Fill(2);
  MakeReceiver();
  BaremetalOptions bounded = options_;
  bounded.volume_copy_bytes_max = 1 << 20;
  const auto copied = Copy(*NewBaremetalHostProvider(TestRuntime(), bounded));
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code(), Code::kInvalid) << copied.error().ToString();
}

class HelperVolumes : public BaremetalVolumes {
 protected:
  HelperVolumes() : BaremetalVolumes("A4C_TEST_BAREMETAL_HELPER_HOSTS") {}

  void OnTheServer(const std::string& command) {
    const char* fault = std::getenv("A4C_TEST_BAREMETAL_FAULT");
    ASSERT_NE(fault, nullptr) << "A4C_TEST_BAREMETAL_FAULT is not set: see dev/stack";
    const std::string line = std::string(fault) + " enter 1 " + command;
    ASSERT_EQ(std::system(line.c_str()), 0) << line;
  }
};

TEST_F(HelperVolumes, AReceiverWithTooLittleRoomIsExhaustedAndSaysSo) {
  unit_.spec.disk_bytes = 64 << 20;
  Fill(24);
  MakeReceiver(16 << 20);
  const auto copied = Copy(*provider_);
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code(), Code::kExhausted) << copied.error().ToString();
}

// A restart of the server mounts nothing by itself.
TEST_F(HelperVolumes, WhatIsNotMountedIsMountedToBeRead) {
  unit_.spec.disk_bytes = 32 << 20;
  const std::string sum = Fill(2);
  OnTheServer("umount /srv/a4c/" + options_.cluster + "/mounts/" + unit_.name);
  MakeReceiver(32 << 20);
  const auto copied = Copy(*provider_);
  ASSERT_TRUE(copied) << copied.error().ToString();
  EXPECT_EQ(SumThere(), sum);
}

}  // namespace
}  // namespace a4c::baremetal
