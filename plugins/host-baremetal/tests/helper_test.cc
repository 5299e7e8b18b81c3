// a4c-host, which is only pretended, on a server that is only pretended: one that was replaced, and
// one that keeps what units have at another place.
#include <fstream>

#include "a4c/host_enrolment.h"
#include "a4c/host_update.h"
#include "helper_client.h"
#include "tests/engine_fixture.h"
#include "tests/fake_ssh_server.h"
#include "tests/support/fake_clock.h"

namespace a4c::baremetal {
namespace {

constexpr const char* kPath = "/srv/a4c/test/mounts/unit-1/data";

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
    options_.helper_program = engine_.path() + ".program";
    std::ofstream(options_.helper_program) << "\r\n\r\n";  // what an engine takes for a request
    provider_ = NewBaremetalHostProvider(TestRuntime(), options_);
    SetHelperAnswers(engine_);
  }
  void TearDown() override {
    provider_.reset();  // while its server is there
    std::filesystem::remove(options_.helper_program);
  }
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

  // unit-1 is there, with a file system of its own.
  void SetUnit(const std::string& state, const std::string& path = kPath) {
    engine_.SetAnswer("GET /containers/unit-1/json ", "200 OK",
                      R"({"Id":"c1","Name":"/unit-1","State":{"Status":")" + state +
                          R"(","Running":)" + (state == "running" ? "true" : "false") +
                          R"(},"Config":{"Labels":{"a4c.cluster":"test","a4c.unit":"unit-1"}},)"
                          R"("Mounts":[{"Type":"bind","Destination":"/workspace","Source":")" +
                          path + R"("}]})");
  }
  // Where a4c-host keeps it.
  void SetVolume(const std::string& path) {
    engine_.SetAnswer("POST /a4c/volume?", "200 OK", R"({"path":")" + path + R"("})");
  }
  static Unit TheUnit() {
    return {.host = "one",
            .name = "unit-1",
            .epoch = 1,
            .spec = {.image = "busybox:local", .command = {"sleep", "600"}, .disk_bytes = 1 << 24}};
  }
  Result<UnitStatus> Update() { return provider_->As<HostUpdate>()->Update(Soon(), TheUnit()); }
  bool Heard(const std::string& text) const {
    return engine_.Heard().find(text) != std::string::npos;
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

// It goes on where an installation by hand has put it.
TEST_F(EngineWithHelper, AnUpgradeSaysWhereItsDataIsOnlyIfThatIsSet) {
  engine_.SetMood(EngineMood::kClosing);
  auto& enrolment = *provider_->As<HostEnrolment>();
  EXPECT_FALSE(enrolment.Prepare(Soon(), Spec({{"admin_user", "root"}})));
  ASSERT_FALSE(sshd_.commands().empty());
  const std::string unset = sshd_.commands().back();
  EXPECT_NE(unset.find("install --user deploy"), std::string::npos) << unset;
  EXPECT_EQ(unset.find("--data"), std::string::npos) << unset;
  EXPECT_FALSE(
      enrolment.Prepare(Soon(), Spec({{"admin_user", "root"}, {"helper_data", "/srv/a4c"}})));
  const std::string set = sshd_.commands().back();
  EXPECT_NE(set.find("install --user deploy --data /srv/a4c"), std::string::npos) << set;
}

// The next container would find an empty one.
TEST_F(EngineWithHelper, WhatAUnitKeepsIsNotLeftBehindWhereAnUpdateWouldNotFindIt) {
  SetUnit("running");
  SetVolume("/var/lib/a4c-host/test/mounts/unit-1/data");
  const auto updated = Update();
  ASSERT_FALSE(updated);
  EXPECT_EQ(updated.error().code(), Code::kUnavailable) << updated.error().ToString();
  EXPECT_NE(updated.error().message().find(kPath), std::string::npos);
  EXPECT_FALSE(Heard("DELETE ")) << engine_.Heard();
  EXPECT_FALSE(Heard("/containers/c1/stop")) << "it goes on";
  EXPECT_TRUE(Heard("existing=1")) << "nor is one made at the other place";
}

TEST_F(EngineWithHelper, AnUpdateGoesOnWhereItIsTheSamePlace) {
  SetUnit("running");
  SetVolume("/srv//a4c/test/mounts/unit-1/data");
  const auto updated = Update();
  ASSERT_TRUE(updated) << updated.error().ToString();
  EXPECT_TRUE(Heard("DELETE /v1.41/containers/c1?"));
}

TEST_F(EngineWithHelper, AUnitIsNotStartedWithoutWhatItKeeps) {
  SetUnit("exited");
  engine_.SetAnswer("POST /a4c/volume?", "503 Service Unavailable",
                    R"({"message":"the volume of unit-1 is not there"})");
  const auto ensured = provider_->Ensure(Soon(), TheUnit());
  ASSERT_FALSE(ensured);
  EXPECT_EQ(ensured.error().code(), Code::kUnavailable) << ensured.error().ToString();
  EXPECT_FALSE(Heard("/containers/c1/start")) << engine_.Heard();
}

// Another container would get a Docker volume, which is empty.
TEST_F(EngineWithHelper, AServerThatIsSetToHaveNoneKeepsTheContainersOfItsVolumes) {
  options_.servers[0].helper = false;
  provider_ = NewBaremetalHostProvider(TestRuntime(), options_);
  SetUnit("running");
  const auto updated = Update();
  ASSERT_FALSE(updated);
  EXPECT_EQ(updated.error().code(), Code::kUnsupported) << updated.error().ToString();
  EXPECT_NE(updated.error().hint().find("--set helper=true"), std::string::npos);
  SetUnit("dead");
  const auto ensured = provider_->Ensure(Soon(), TheUnit());
  ASSERT_FALSE(ensured);
  EXPECT_EQ(ensured.error().code(), Code::kUnsupported) << ensured.error().ToString();
  EXPECT_FALSE(Heard("DELETE ")) << engine_.Heard();
  EXPECT_FALSE(Heard("/containers/c1/stop")) << engine_.Heard();
}

}  // namespace
}  // namespace a4c::baremetal
