// a4c-host, which is only pretended, on a server that is only pretended, and replaced.
#include "a4c/host_enrolment.h"
#include "helper_client.h"
#include "tests/engine_fixture.h"
#include "tests/fake_ssh_server.h"
#include "tests/support/fake_clock.h"

namespace a4c::baremetal {
namespace {

std::string VersionJson(int64_t protocol) {
  return R"({"version":")" A4C_PLUGIN_VERSION R"(","protocol":)" + std::to_string(protocol) + "}";
}

void SetHelperAnswers(FakeEngine& engine, int64_t protocol = kHelperProtocol) {
  engine.SetAnswer("GET /a4c/version ", "200 OK", VersionJson(protocol));
  engine.SetAnswer("GET /a4c/disk?", "200 OK", R"({"total_bytes":8,"free_bytes":4})");
  engine.SetAnswer("POST /a4c/fence ", "200 OK", "{}");
}

class EngineWithHelper : public EngineTest {
 protected:
  EngineWithHelper() {
    const ServerOptions server{.id = "one",
                               .address = "127.0.0.1",
                               .port = sshd_.port(),
                               .user = "deploy",
                               .host_key_fingerprint = sshd_.fingerprint(),
                               .private_key_path = sshd_.key_path(),
                               .docker_socket = "/var/run/docker.sock",
                               .disk_path = {},
                               .helper = true};
    options_.servers = {server};
    provider_ = NewBaremetalHostProvider(TestRuntime(), options_);
    SetHelperAnswers(engine_);
  }
  void TearDown() override { provider_.reset(); }  // while its server is there
  Host Measured(HostProvider& provider) {
    const auto hosts = provider.Hosts(Soon());
    EXPECT_TRUE(hosts && hosts->size() == 1);
    return hosts ? hosts->at(0) : Host{};
  }
  // The program was replaced: who is connected goes on with the old one.
  void Replace() {
    SetHelperAnswers(replaced_);
    sshd_.SetTarget(replaced_.path());
  }
  HostSpec Spec(const std::map<std::string, std::string>& more = {}) {
    HostSpec spec{.id = "one",
                  .address = "ssh://deploy@127.0.0.1:" + std::to_string(sshd_.port()),
                  .fingerprint = sshd_.fingerprint(),
                  .settings = {{"private_key_path", sshd_.key_path()}, {"helper", "true"}}};
    spec.settings.insert(more.begin(), more.end());
    return spec;
  }

  FakeSshServer sshd_{TestRuntime().threads, engine_.path()};
  FakeEngine replaced_{TestRuntime().threads, engine_.path() + ".replaced"};
};

TEST_F(EngineWithHelper, OneThatSpokeOtherwiseIsAskedAnewOnceItWasReplaced) {
  SetHelperAnswers(engine_, kHelperProtocol - 1);
  const Host before = Measured(*provider_);
  EXPECT_FALSE(before.reachable);
  EXPECT_NE(before.reason.find("speaks protocol"), std::string::npos) << before.reason;
  Replace();
  const Host after = Measured(*provider_);
  EXPECT_TRUE(after.reachable) << after.reason;
}

TEST_F(EngineWithHelper, OneThatWasReplacedIsUsedWithinAMinute) {
  testing::FakeClock clock;
  const Runtime runtime{clock, TestRuntime().random, TestRuntime().threads, NullLogSink(),
                        NullMetricSink()};
  const auto provider = NewBaremetalHostProvider(runtime, options_);
  EXPECT_TRUE(Measured(*provider).reachable);
  Replace();
  EXPECT_TRUE(Measured(*provider).reachable);
  EXPECT_EQ(replaced_.requests(), 0) << "connections are used again";
  clock.Advance(60'000);
  const Host after = Measured(*provider);
  EXPECT_TRUE(after.reachable) << after.reason;
  EXPECT_GT(replaced_.requests(), 0);
}

TEST_F(EngineWithHelper, OneThatWasReplacedIsUsedOnceTheServerIsEnrolledAgain) {
  options_.servers.clear();
  const auto provider = NewBaremetalHostProvider(TestRuntime(), options_);
  auto& enrolment = *provider->As<HostEnrolment>();
  ASSERT_TRUE(enrolment.Add(Soon(), Spec()));
  EXPECT_TRUE(Measured(*provider).reachable);
  Replace();
  const auto prepared = enrolment.Prepare(Soon(), Spec());
  ASSERT_TRUE(prepared) << prepared.error().ToString();
  const int64_t before = engine_.requests();
  const Host after = Measured(*provider);
  EXPECT_TRUE(after.reachable) << after.reason;
  EXPECT_EQ(engine_.requests(), before) << "the old one is not asked any more";
}

}  // namespace
}  // namespace a4c::baremetal
