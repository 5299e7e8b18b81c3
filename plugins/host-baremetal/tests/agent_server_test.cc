// Keys that an ssh agent holds, and a real sshd that judges them.
#include "a4c/host_enrolment.h"
#include "ssh/ssh_agent.h"
#include "tests/agent_process.h"
#include "tests/server_fixture.h"

namespace a4c::baremetal {
namespace {

class AgentServer : public ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    if (provider_ == nullptr) return;
    key_ = options_.servers[0].private_key_path;
    UseAgent("");
  }
  void UseAgent(const std::string& agent_key) {
    BaremetalOptions options = options_;
    for (ServerOptions& server : options.servers) {
      server.private_key_path.clear();
      server.agent = agent_.path();
      server.agent_key = agent_key;
    }
    by_agent_ = NewBaremetalHostProvider(TestRuntime(), options);
  }
  std::string FingerprintOfOurs() {
    const auto agent = SshAgent::Connect(Soon(), agent_.path());
    const auto held = (*agent)->Identities(Soon(), "");
    return held ? held->back().fingerprint : "";
  }
  Error WhyNot() {
    const auto listed = by_agent_->List(Soon(), unit_.host);
    EXPECT_FALSE(listed);
    return listed ? Error(Code::kInternal, "it got in") : listed.error();
  }

  AgentProcess agent_;
  std::string key_;
  std::unique_ptr<HostProvider> by_agent_;
};

TEST_F(AgentServer, UnitsAreMadeWithAKeyThatTheAgentAloneHolds) {
  agent_.Add(agent_.NewKey("ecdsa"));  // one that the server does not know
  agent_.Add(key_);
  const auto status = by_agent_->Ensure(Soon(), unit_);
  ASSERT_TRUE(status) << status.error().ToString();
  EXPECT_EQ(status->state, UnitState::kRunning);
}

TEST_F(AgentServer, KeysThatTheServerDoesNotKnowAreDeniedByName) {
  agent_.Add(agent_.NewKey("ed25519"));
  const Error error = WhyNot();
  EXPECT_EQ(error.code(), Code::kDenied) << error.ToString();
  EXPECT_NE(error.message().find(FingerprintOfOurs()), std::string::npos) << error.ToString();
  EXPECT_NE(error.hint().find("authorized_keys"), std::string::npos) << error.ToString();
}

TEST_F(AgentServer, OfManyKeysTheOneThatIsNamedIsUsed) {
  for (int i = 0; i < 7; ++i) agent_.Add(agent_.NewKey("ed25519"));
  agent_.Add(key_);
  const Error error = WhyNot();
  EXPECT_EQ(error.code(), Code::kDenied) << error.ToString();
  EXPECT_NE(error.hint().find("agent_key"), std::string::npos) << error.ToString();
  UseAgent(FingerprintOfOurs());
  const auto listed = by_agent_->List(Soon(), unit_.host);
  EXPECT_TRUE(listed) << listed.error().ToString();
}

TEST_F(AgentServer, AnAgentThatDoesNotSignIsTheReason) {
  agent_.Add(key_, true);
  const Error error = WhyNot();
  EXPECT_EQ(error.code(), Code::kDenied) << error.ToString();
  EXPECT_NE(error.message().find("does not sign"), std::string::npos) << error.ToString();
}

TEST_F(AgentServer, AServerIsEnrolledWithTheKeyOfTheAgent) {
  agent_.Add(key_);
  BaremetalOptions options = options_;
  options.servers.clear();
  options.agent = agent_.path();
  const auto provider = NewBaremetalHostProvider(TestRuntime(), options);
  const ServerOptions& server = options_.servers[0];
  const auto prepared = provider->As<HostEnrolment>()->Prepare(
      Soon(),
      {.id = "enrolled",
       .address = "ssh://" + server.user + "@" + server.address + ":" + std::to_string(server.port),
       .fingerprint = server.host_key_fingerprint,
       .settings = {{"docker_socket", server.docker_socket}}});
  EXPECT_TRUE(prepared) << prepared.error().ToString();
}

}  // namespace
}  // namespace a4c::baremetal
