// What a dockerd says of itself, and the warnings that follow.
#include "docker/engine_facts.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "docker/docker_body.h"
#include "docker_server.h"
#include "tests/engine_fixture.h"

namespace a4c::baremetal {
namespace {

EngineFacts FactsOf(const std::string& text) {
  auto json = ParseJson(text);
  EXPECT_TRUE(json) << json.error().ToString();
  return ReadEngineFacts(*json);
}

// As Docker 20.10 of Debian 12 answers, cut.
constexpr const char* kDebian =
    R"({"Platform":{"Name":""},"Components":[)"
    R"({"Name":"Engine","Version":"20.10.24+dfsg1","Details":{"ApiVersion":"1.41"}},)"
    R"({"Name":"containerd","Version":"1.6.20~ds1"},{"Name":"runc","Version":"1.1.5+ds1",)"
    R"("Details":{"GitCommit":"1.1.5+ds1-1+deb12u1"}},)"
    R"({"Name":"docker-init","Version":"0.19.0"}],"Version":"20.10.24+dfsg1",)"
    R"("ApiVersion":"1.41","MinAPIVersion":"1.12","Os":"linux","Arch":"amd64",)"
    R"("KernelVersion":"6.1.0-18-amd64"})";

TEST(EngineFactsOf, ADockerdSayWhatItRunsUnitsWith) {
  const EngineFacts facts = FactsOf(kDebian);
  EXPECT_EQ(facts.arch, "amd64");
  const std::map<std::string, std::string> versions{{"docker", "20.10.24+dfsg1"},
                                                    {"api", "1.41"},
                                                    {"containerd", "1.6.20~ds1"},
                                                    {"runc", "1.1.5+ds1-1+deb12u1"},
                                                    {"kernel", "6.1.0-18-amd64"}};
  EXPECT_EQ(facts.versions, versions);
}

TEST(EngineFactsOf, WhatIsOutOfFormIsLeftOut) {
  const EngineFacts facts = FactsOf(R"({"Version":")" + std::string(5000, 'x') +
                                    R"(","Arch":"AMD 64","ApiVersion":"1.43","KernelVersion":7})");
  EXPECT_EQ(facts.arch, "");
  const std::map<std::string, std::string> versions{{"api", "1.43"}};
  EXPECT_EQ(facts.versions, versions);
  EXPECT_TRUE(CheckHost({.id = "one", .arch = facts.arch, .versions = facts.versions}));
}

bool HasHole(const std::string& program, const std::string& version, const std::string& hole) {
  const auto warnings = VersionWarnings({{program, version}});
  const Result<void> checked = CheckHost({.id = "one", .warnings = warnings});
  EXPECT_TRUE(checked) << checked.error().ToString();
  return std::ranges::any_of(warnings, [&](const std::string& warning) {
    return warning.find(hole) != std::string::npos;
  });
}

TEST(VersionWarningsOf, KnownHolesNameTheVersionThatClosedThem) {
  EXPECT_TRUE(HasHole("runc", "1.1.5+ds1", "CVE-2024-21626"));
  EXPECT_TRUE(HasHole("runc", "1.1.11", "1.1.12"));
  EXPECT_FALSE(HasHole("runc", "1.1.12", "CVE-2024-21626"));
  EXPECT_TRUE(HasHole("runc", "1.2.7", "CVE-2025-31133"));
  EXPECT_FALSE(HasHole("runc", "1.2.8", "CVE-2025-31133"));
  EXPECT_TRUE(HasHole("runc", "1.3.2", "1.3.3"));
  EXPECT_FALSE(HasHole("runc", "1.3.3", "CVE-"));
  EXPECT_TRUE(HasHole("docker", "20.10.17", "CVE-2022-36109"));
  EXPECT_FALSE(HasHole("docker", "20.10.24+dfsg1", "CVE-"));
}

TEST(VersionWarningsOf, AVersionThatIsNoneSaysNothing) {
  EXPECT_TRUE(VersionWarnings({{"runc", "unknown"}, {"docker", "dev"}}).empty());
  EXPECT_TRUE(VersionWarnings({}).empty());
}

TEST(ClockWarningOf, ADifferenceIsCountedFromBeforeOrAfterTheAnswer) {
  const std::string time = "2026-11-22T19:00:00.5+01:00";
  const int64_t there_ms = MillisecondsOf("2026-11-22T18:00:00.5Z");
  EXPECT_EQ(ClockWarning(time, there_ms - 100, there_ms + 100, 1000), "");
  EXPECT_EQ(ClockWarning(time, there_ms - 9000, there_ms - 900, 1000), "") << "a slow answer";
  const std::string ahead = ClockWarning(time, there_ms - 9000, there_ms - 8000, 5000);
  EXPECT_NE(ahead.find("8 s ahead"), std::string::npos) << ahead;
  const std::string behind = ClockWarning(time, there_ms + 7000, there_ms + 9000, 5000);
  EXPECT_NE(behind.find("7 s behind"), std::string::npos) << behind;
  EXPECT_EQ(ClockWarning("yesterday", 0, 1, 1), "");
}

class EngineFactsOfAServer : public EngineTest {
 protected:
  Host Look() {
    const auto hosts = provider_->Hosts(Soon());
    EXPECT_TRUE(hosts && hosts->size() == 1);
    return hosts->front();
  }
};

TEST_F(EngineFactsOfAServer, StandBesideItsFigures) {
  engine_.SetAnswer("GET /version ", "200 OK", kDebian);
  engine_.SetAnswer("GET /info ", "200 OK",
                    R"({"MemTotal":8589934592,"NCPU":4,"DockerRootDir":"/",)"
                    R"("SystemTime":"2001-01-01T00:00:00Z"})");
  const Host host = Look();
  ASSERT_TRUE(host.reachable) << host.reason;
  EXPECT_EQ(host.arch, "amd64");
  EXPECT_EQ(host.versions.at("runc"), "1.1.5+ds1-1+deb12u1");
  ASSERT_EQ(host.warnings.size(), 3U) << "two holes, and a clock";
  EXPECT_NE(host.warnings.back().find("behind ours"), std::string::npos) << host.warnings.back();
}

TEST_F(EngineFactsOfAServer, ADockerdThatTakesItsContainersAlongIsAWarningAndNoFailure) {
  const auto warnings = [&](const std::string& member) {
    engine_.SetAnswer("GET /info ", "200 OK",
                      R"({"MemTotal":8589934592,"NCPU":4,"DockerRootDir":"/")" + member + "}");
    const Host host = Look();
    EXPECT_TRUE(host.reachable) << host.reason;
    EXPECT_TRUE(CheckHost({.id = "one", .warnings = host.warnings}));
    return host.warnings;
  };
  const auto ends = warnings(R"(,"LiveRestoreEnabled":false)");
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_NE(ends[0].find(R"({"live-restore": true})"), std::string::npos) << ends[0];
  EXPECT_TRUE(warnings(R"(,"LiveRestoreEnabled":true)").empty());
  EXPECT_TRUE(warnings("").empty()) << "it does not say";
}

TEST_F(EngineFactsOfAServer, AreNotAskedForAtEachLook) {
  (void)Look();
  (void)Look();
  const std::string heard = engine_.Heard();
  EXPECT_EQ(heard.find("/version "), heard.rfind("/version "));
}

TEST_F(EngineFactsOfAServer, AnEngineThatIsTooOldSaysSo) {
  engine_.SetAnswer("GET /version ", "200 OK", R"({"Version":"19.03.15","ApiVersion":"1.40"})");
  const Host host = Look();
  ASSERT_EQ(host.warnings.size(), 2U) << "a hole, and an API";
  EXPECT_NE(host.warnings.back().find("1.41"), std::string::npos) << host.warnings.back();
}

TEST_F(EngineFactsOfAServer, AnEngineThatIsTooOldIsRefusedByNameAndByTheLeast) {
  engine_.SetAnswer("GET /version ", "200 OK", R"({"Version":"19.03.15","ApiVersion":"1.40"})");
  DockerServer server(TestRuntime(), options_.servers.front(), options_);
  const auto checked = server.CheckEngine(Soon());
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code(), Code::kInvalid);
  EXPECT_NE(checked.error().message().find("1.40"), std::string::npos);
  EXPECT_NE(checked.error().message().find("1.41"), std::string::npos);
  EXPECT_TRUE(CheckEngineApi(FactsOf(R"({"ApiVersion":"1.100"})")));
  EXPECT_TRUE(CheckEngineApi(FactsOf("{}")));
}

}  // namespace
}  // namespace a4c::baremetal
