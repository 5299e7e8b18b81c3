// A server that is reached through another one: server-1 through server-2.
#include <poll.h>

#include "a4c/host_streams.h"
#include "tests/server_fixture.h"

namespace a4c::baremetal {
namespace {

class JumpServer : public ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ASSERT_GE(options_.servers.size(), 2u);
    const ServerOptions& way = options_.servers[1];
    jump_ = {.address = way.address,
             .port = way.port,
             .user = way.user,
             .host_key_fingerprint = way.host_key_fingerprint,
             .private_key_path = way.private_key_path,
             .keepalive_interval_ms = 0};
    provider_ = Through(jump_);
  }
  std::unique_ptr<HostProvider> Through(const SshTarget& jump) {
    BaremetalOptions options = options_;
    options.servers.resize(1);
    options.servers[0].jump = std::make_shared<const SshTarget>(jump);
    return NewBaremetalHostProvider(TestRuntime(), options);
  }

  SshTarget jump_;
};

TEST_F(JumpServer, UnitsAreMadeSeenEnteredAndRemoved) {
  const auto status = provider_->Ensure(Soon(), unit_);
  ASSERT_TRUE(status) << status.error().ToString();
  EXPECT_EQ(status->state, UnitState::kRunning);
  EXPECT_TRUE(IsThere());
  EXPECT_EQ(Output({"echo", "through"}), "through\n");
  const auto hosts = provider_->Hosts(Soon());
  ASSERT_TRUE(hosts);
  EXPECT_TRUE(hosts->at(0).reachable) << hosts->at(0).reason;
  EXPECT_GT(hosts->at(0).disk_total_bytes, 0);
}

// Both directions at once, more than any window or buffer holds.
TEST_F(JumpServer, ManyBytesBothWaysArriveWhole) {
  ASSERT_TRUE(provider_->Ensure(Soon(), unit_));
  const auto command = provider_->As<HostStreams>()->OpenCommand(
      Soon(), {.exec = {.host = unit_.host, .unit = unit_.name, .command = {"cat"}}});
  ASSERT_TRUE(command) << command.error().ToString();
  std::string sent(6u << 20, 'x');
  for (size_t i = 0; i < sent.size(); i += 991) sent[i] = static_cast<char>(i);
  std::string got;
  size_t written = 0;
  const Call call = Soon();
  while (got.size() < sent.size() && !call.Expired()) {
    const auto count =
        (*command)->Write(call, std::string_view(sent).substr(written).substr(0, 32u << 10));
    ASSERT_TRUE(count) << count.error().ToString();
    written += *count;
    const auto piece = (*command)->Read(call);
    ASSERT_TRUE(piece) << piece.error().ToString();
    got += piece->bytes;
    if (*count > 0 || !piece->bytes.empty()) continue;
    const auto wait = (*command)->WaitFor(call, true, written < sent.size());
    ASSERT_TRUE(wait) << wait.error().ToString();
    pollfd entry{wait->fd, wait->events, 0};
    const int64_t left_ms = wait->until_ms - TestRuntime().clock.MonotonicMs();
    poll(&entry, 1, static_cast<int>(std::clamp<int64_t>(left_ms, 0, 1'000)));
  }
  EXPECT_TRUE(got == sent) << got.size() << " of " << sent.size();
}

TEST_F(JumpServer, AnotherHostKeyOfTheWayIsDeniedAndSaysWhose) {
  SshTarget other = jump_;
  other.host_key_fingerprint = options_.servers[0].host_key_fingerprint;
  const auto listed = Through(other)->List(Soon(), unit_.host);
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().code(), Code::kDenied);
  EXPECT_NE(listed.error().message().find("jump to " + options_.servers[0].address),
            std::string::npos)
      << listed.error().message();
  EXPECT_NE(listed.error().hint().find("jump_fingerprint"), std::string::npos)
      << "none of the server itself can be pinned: " << listed.error().hint();
  const auto hosts = Through(other)->Hosts(Soon());
  ASSERT_TRUE(hosts);
  EXPECT_FALSE(hosts->at(0).reachable);
  EXPECT_EQ(hosts->at(0).shown_fingerprint, "") << "the server itself showed none";
  EXPECT_NE(hosts->at(0).reason.find("jump_fingerprint"), std::string::npos) << hosts->at(0).reason;
}

TEST_F(JumpServer, AServerThatTheWayCannotReachIsUnavailable) {
  options_.servers[0].port = 1;
  const auto listed = Through(jump_)->List(Soon(), unit_.host);
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().code(), Code::kUnavailable) << listed.error().ToString();
}

}  // namespace
}  // namespace a4c::baremetal
