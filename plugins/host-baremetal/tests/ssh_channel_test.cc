// What is written to channels whose other end has gone, through a server that is only pretended.
#include <gtest/gtest.h>
#include <poll.h>

#include <filesystem>

#include "docker/docker_connection.h"
#include "ssh/ssh_session.h"
#include "tests/fake_engine.h"
#include "tests/fake_ssh_server.h"
#include "tests/test_runtime.h"

namespace a4c::baremetal {
namespace {

constexpr int64_t kPatienceMs = 20'000;  // no end within it: there would be none
constexpr size_t kBytes = 8u << 20;      // more than any window

class SshChannel : public ::testing::Test {
 protected:
  void SetUp() override {
    auto session = ConnectSsh(Soon(), {.address = "127.0.0.1",
                                       .port = sshd_.port(),
                                       .user = "deploy",
                                       .host_key_fingerprint = sshd_.fingerprint(),
                                       .private_key_path = sshd_.key_path()});
    ASSERT_TRUE(session) << session.error().ToString();
    session_ = *std::move(session);
  }
  std::unique_ptr<ByteChannel> Open() {
    auto channel = session_->OpenSocket(Soon(), "/var/run/docker.sock");
    EXPECT_TRUE(channel) << channel.error().ToString();
    return channel ? *std::move(channel) : nullptr;
  }
  // A request with a body that is longer than any window.
  static Result<int> SendLong(DockerConnection& docker) {
    size_t sent = 0;
    const ByteSource source = [&]() -> Result<std::string> {
      const size_t count = std::min(kBytes - sent, size_t{32} << 10);
      sent += count;
      return std::string(count, 'x');
    };
    return docker.Begin(Soon(kPatienceMs), {.method = "POST",
                                            .target = "/build",
                                            .stream = &source,
                                            .stream_bytes_max = kBytes,
                                            .effect = true});
  }
  void ExpectUsable() {
    engine_.SetMood(EngineMood::kWell);
    ASSERT_TRUE(session_->Usable());
    DockerConnection docker(Open(), 1 << 20);
    const auto reply = docker.Exchange(Soon(), {.method = "GET", .target = "/_ping"});
    ASSERT_TRUE(reply) << reply.error().ToString();
    EXPECT_EQ(reply->body, "OK");
  }

  FakeEngine engine_{TestRuntime().threads, (std::filesystem::temp_directory_path() /
                                             ("a4c-engine-" + std::to_string(getpid()) + ".sock"))
                                                .string()};
  FakeSshServer sshd_{TestRuntime().threads, engine_.path()};
  std::unique_ptr<SshSession> session_;
};

TEST_F(SshChannel, AStreamThatIsRefusedBeforeItsEndEndsWithTheReason) {
  engine_.SetMood(EngineMood::kRefusing);
  {
    DockerConnection docker(Open(), 1 << 20);
    const auto status = SendLong(docker);
    ASSERT_TRUE(status) << status.error().ToString();
    EXPECT_EQ(*status, 400);
    const auto body = docker.ReadAll(Soon());
    ASSERT_TRUE(body) << body.error().ToString();
    EXPECT_EQ(*body, R"({"message":"refused early"})");
    EXPECT_FALSE(docker.Alive());
  }
  ExpectUsable();
}

// As a dockerd that is killed meanwhile.
TEST_F(SshChannel, AStreamThatNobodyTakesAnyMoreEndsAtOnceAndDidNothing) {
  engine_.SetMood(EngineMood::kClosing);
  {
    DockerConnection docker(Open(), 1 << 20);
    const auto status = SendLong(docker);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), Code::kUnavailable) << status.error().ToString();
  }
  ExpectUsable();
}

// The reader learns of the end, after all that was said before it.
TEST_F(SshChannel, WhatIsWrittenWithoutWaitingToNobodyIsTaken) {
  engine_.SetMood(EngineMood::kRefusing);
  {
    const auto channel = Open();
    ASSERT_TRUE(channel->Write(Soon(), "POST /x HTTP/1.1\r\n\r\n"));
    const std::string bytes(kBytes, 'x');
    size_t taken = 0;
    const Call call = Soon(kPatienceMs);
    while (taken < bytes.size() && !call.Expired()) {
      const auto count = channel->WriteNow(std::string_view(bytes).substr(taken));
      ASSERT_TRUE(count) << count.error().ToString();
      taken += *count;
      if (*count > 0) continue;
      const auto wait = channel->WaitFor(call.clock, false, true);
      ASSERT_TRUE(wait) << wait.error().ToString();
      pollfd entry{wait->fd, wait->events, 0};
      poll(&entry, 1, 100);
    }
    EXPECT_EQ(taken, bytes.size());
    std::string said(4096, '\0');
    const auto count = channel->ReadNow(said.data(), said.size());
    ASSERT_TRUE(count && *count);
    EXPECT_TRUE(said.starts_with("HTTP/1.1 400 ")) << said;
    const auto end = channel->ReadNow(said.data(), said.size());
    ASSERT_TRUE(end && *end);
    EXPECT_EQ(**end, 0u);
  }
  ExpectUsable();
}

}  // namespace
}  // namespace a4c::baremetal
