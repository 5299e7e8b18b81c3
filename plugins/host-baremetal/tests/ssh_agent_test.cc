#include "ssh/ssh_agent.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "ssh/ssh_wire.h"
#include "tests/agent_process.h"
#include "tests/test_runtime.h"

namespace a4c::baremetal {
namespace {

std::vector<AgentIdentity> Held(const AgentProcess& process, const std::string& fingerprint = {}) {
  auto agent = SshAgent::Connect(Soon(), process.path());
  EXPECT_TRUE(agent) << agent.error().ToString();
  auto identities = (*agent)->Identities(Soon(), fingerprint);
  EXPECT_TRUE(identities) << identities.error().ToString();
  return identities ? *identities : std::vector<AgentIdentity>();
}
std::string WhyNone(const AgentProcess& process, const std::string& fingerprint = {}) {
  const auto agent = SshAgent::Connect(Soon(), process.path());
  EXPECT_TRUE(agent) << agent.error().ToString();
  const auto identities = (*agent)->Identities(Soon(), fingerprint);
  EXPECT_FALSE(identities);
  if (identities) return {};
  EXPECT_EQ(identities.error().code(), Code::kDenied);
  return identities.error().ToString();
}

TEST(SshAgent, KeysThatCannotLogInAreLeftOut) {
  AgentProcess process;
  process.Add(process.NewKey("rsa"));
  process.Add(process.NewKey("ed25519"));
  process.Add(process.NewKey("ecdsa"));
  const auto held = Held(process);
  ASSERT_EQ(held.size(), 2u);
  EXPECT_EQ(held[0].type, "ssh-ed25519");
  EXPECT_EQ(held[0].comment, "test");
  EXPECT_EQ(held[1].type, "ecdsa-sha2-nistp256");
  const auto one = Held(process, held[1].fingerprint);
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0].public_key, held[1].public_key);
}

TEST(SshAgent, WithoutAKeyThatCanLogInItSaysWhatThereIs) {
  AgentProcess process;
  EXPECT_NE(WhyNone(process).find("it holds no key"), std::string::npos);
  process.Add(process.NewKey("rsa"));
  const std::string rsa = WhyNone(process);
  EXPECT_NE(rsa.find("(ssh-rsa)"), std::string::npos) << rsa;
  EXPECT_NE(rsa.find("RSA keys do not work"), std::string::npos) << rsa;
  process.Add(process.NewKey("ed25519"));
  const std::string another = WhyNone(process, "SHA256:another");
  EXPECT_NE(another.find("SHA256:another"), std::string::npos) << another;
  EXPECT_NE(another.find(Held(process).at(0).fingerprint), std::string::npos) << another;
}

TEST(SshAgent, WhoDoesNotWantToSignIsDenied) {
  AgentProcess process;
  process.Add(process.NewKey("ed25519"), true);
  const auto held = Held(process);
  ASSERT_EQ(held.size(), 1u);
  const auto agent = SshAgent::Connect(Soon(), process.path());
  const auto made = (*agent)->Sign(Soon(), held[0], "what is signed");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), Code::kDenied) << made.error().ToString();
  EXPECT_NE(made.error().message().find(held[0].fingerprint), std::string::npos);
}

TEST(SshAgent, NobodyThereIsSaidWithWhatToStart) {
  const auto agent = SshAgent::Connect(Soon(), "/tmp/a4c-no-agent");
  ASSERT_FALSE(agent);
  EXPECT_EQ(agent.error().code(), Code::kUnavailable);
  EXPECT_NE(agent.error().hint().find("ssh-agent -a /tmp/a4c-no-agent"), std::string::npos);
}

// Whatever it says is bounded in time and in bytes.
TEST(SshAgent, OneThatIsSilentOrTalksNonsenseIsGivenUp) {
  std::string huge;
  AppendNumber(huge, 0xfffffff0u);
  std::string many;
  AppendText(many, std::string("\x0c\x7f\xff\xff\xff", 5));
  std::string cut;
  AppendText(cut, std::string("\x0c\0\0\0\1\0\0\0\x09only", 13));
  std::string empty;
  AppendText(empty, "");
  for (const std::string& answer : {std::string(), huge, many, cut, empty}) {
    const std::string path = "/tmp/a4c-odd-agent-" + std::to_string(getpid());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    const Socket listener(socket(AF_UNIX, SOCK_STREAM, 0));
    unlink(path.c_str());
    ASSERT_EQ(bind(listener.fd(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    ASSERT_EQ(listen(listener.fd(), 1), 0);
    const auto agent = SshAgent::Connect(Soon(), path);
    ASSERT_TRUE(agent);
    const Socket peer(accept(listener.fd(), nullptr, nullptr));
    ASSERT_EQ(send(peer.fd(), answer.data(), answer.size(), 0),
              static_cast<ssize_t>(answer.size()));
    const auto identities = (*agent)->Identities(Soon(200), "");
    unlink(path.c_str());
    ASSERT_FALSE(identities);
    const Code code = answer.empty() ? Code::kTimeout : Code::kUnavailable;
    EXPECT_EQ(identities.error().code(), code) << identities.error().ToString();
    EXPECT_NE(identities.error().message().find(path), std::string::npos);
  }
}

}  // namespace
}  // namespace a4c::baremetal
