#include "docker/docker_body.h"

#include <gtest/gtest.h>

#include "docker/docker_connection.h"
#include "docker_server.h"

namespace a4c::baremetal {
namespace {

UnitDefaults Defaults() {
  UnitDefaults defaults;
  defaults.memory_bytes = 1000;
  defaults.cpu_millis = 250;
  defaults.pids = 64;
  defaults.tmp_bytes = 1 << 20;
  defaults.network = "none";
  defaults.log_file_bytes = 4096;
  defaults.log_files = 2;
  return defaults;
}

TEST(DockerBody, OfAUnitIsThisAndNothingElse) {
  const Unit unit{.host = "one",
                  .name = "ws-1",
                  .epoch = 7,
                  .labels = {{"a4c.workspace", "w\"1"}},
                  .spec = {.image = "busybox:local",
                           .command = {"sh", "-c", "echo $A"},
                           .env = {{"A", "b=c"}},
                           .working_dir = "/tmp",
                           .memory_bytes = 64 << 20,
                           .cpu_millis = 500,
                           .pids = 10}};
  EXPECT_EQ(
      CreateBody(unit, "test", Defaults()).ToString(),
      R"({"Image":"busybox:local","Entrypoint":["sh"],"Cmd":["-c","echo $A"],)"
      R"("Env":["A=b=c"],"WorkingDir":"/tmp","Tty":false,"OpenStdin":false,)"
      R"("Labels":{"a4c.cluster":"test","a4c.epoch":"7",)"
      R"("a4c.labels":"{\"a4c.workspace\":\"w\\\"1\"}","a4c.unit":"ws-1",)"
      R"("a4c.workspace":"w\"1"},)"
      R"("HostConfig":{"NetworkMode":"none","CapDrop":["ALL"],)"
      R"("SecurityOpt":["no-new-privileges"],"Privileged":false,"IpcMode":"private","ReadonlyRootfs":true,)"
      R"("Tmpfs":{"/tmp":"rw,nosuid,nodev,size=1048576,mode=1777",)"
      R"("/run":"rw,nosuid,nodev,size=1048576,mode=755"},)"
      R"("Memory":67108864,"MemorySwap":67108864,"NanoCpus":500000000,"PidsLimit":10,)"
      R"("Init":true,"RestartPolicy":{"Name":"no"},)"
      R"("LogConfig":{"Type":"json-file","Config":{"max-size":"4096","max-file":"2"}},)"
      R"("Mounts":[{"Target":"/workspace","Type":"volume","Source":"a4c-data.test.ws-1",)"
      R"("VolumeOptions":{"Labels":{"a4c.cluster":"test","a4c.unit":"ws-1"}}}]}})");
}

TEST(DockerBody, AVolumeOfItsOwnIsTheOnlyPathOfTheServer) {
  const Unit unit{.host = "one", .name = "ws-1", .spec = {.image = "i"}};
  const Json body = CreateBody(unit, "test", Defaults(), "/srv/a4c/test/mounts/ws-1/data");
  EXPECT_EQ(body["HostConfig"]["Mounts"].ToString(),
            R"([{"Target":"/workspace","Type":"bind","Source":"/srv/a4c/test/mounts/ws-1/data"}])");
}

TEST(DockerBody, WhatAnImageCallsAVolumeIsBoundedMemory) {
  const Unit unit{.host = "one", .name = "ws-1", .spec = {.image = "i"}};
  const Json body = CreateBody(unit, "test", Defaults(), {}, {"/var/lib/data", "/workspace"});
  const Json& tmpfs = body["HostConfig"]["Tmpfs"];
  EXPECT_EQ(tmpfs["/var/lib/data"].Text(), tmpfs["/tmp"].Text());
  EXPECT_EQ(tmpfs.Find("/workspace"), nullptr) << "it has its volume there";
}

TEST(DockerBody, AUnitThatAsksForNothingGetsTheDefaults) {
  const Unit unit{.host = "one", .name = "ws-1", .spec = {.image = "i"}};
  const Json body = CreateBody(unit, "test", Defaults());
  EXPECT_EQ(body["HostConfig"]["Memory"].Int(), 1000);
  EXPECT_EQ(body["HostConfig"]["NanoCpus"].Int(), 250'000'000);
  EXPECT_EQ(body["HostConfig"]["PidsLimit"].Int(), 64);
  EXPECT_EQ(body.Find("Entrypoint"), nullptr);
  EXPECT_EQ(body.Find("Cmd"), nullptr);
  EXPECT_EQ(body.Find("WorkingDir"), nullptr);
}

TEST(DockerBody, OfACommandIsItsArguments) {
  const ExecRequest request{
      .host = "one", .unit = "ws-1", .command = {"echo", "a b"}, .env = {{"X", "1"}}};
  EXPECT_EQ(ExecBody(request).ToString(),
            R"({"AttachStdout":true,"AttachStderr":true,"Tty":false,"Privileged":false,)"
            R"("Cmd":["echo","a b"],"Env":["X=1"]})");
}

TEST(DockerBody, TimesAreReadToTheMillisecond) {
  EXPECT_EQ(MillisecondsOf("2026-11-22T19:00:00.123456789Z"), 1795374000123);
  EXPECT_EQ(MillisecondsOf("2026-11-22T19:00:00Z"), 1795374000000);
  EXPECT_EQ(MillisecondsOf("2026-11-22T19:00:00.5Z"), 1795374000500);
  EXPECT_EQ(MillisecondsOf("2026-11-22T20:00:00.5+01:00"), 1795374000500);
  EXPECT_EQ(MillisecondsOf("2026-11-22T15:30:00-03:30"), 1795374000000);
  EXPECT_EQ(MillisecondsOf("0001-01-01T00:00:00Z"), 0);
  EXPECT_EQ(MillisecondsOf("yesterday"), 0);
  EXPECT_EQ(MillisecondsOf(""), 0);
}

Container Inspected(const std::string& state, const std::string& labels = R"("a4c.unit":"ws-1",
    "a4c.cluster":"test","a4c.epoch":"12","a4c.labels":"{\"k\":\"v\"}","of-the-image":"x")") {
  const auto json = ParseJson(R"({"Id":"f00","Name":"/ws-1","Config":{"Labels":{)" + labels +
                              R"(}},"State":{)" + state + "}}");
  EXPECT_TRUE(json) << json.error().ToString();
  return ReadContainer(*json);
}

TEST(DockerContainer, LabelsOfTheImageAreNotTheUnits) {
  const Container container = Inspected(R"("Status":"created")");
  EXPECT_EQ(container.cluster, "test");
  EXPECT_EQ(container.status.epoch, 12);
  EXPECT_EQ(container.status.labels, (std::map<std::string, std::string>{{"k", "v"}}));
}

TEST(DockerContainer, OfAnotherNameThanItsLabelIsNotOurs) {
  EXPECT_EQ(Inspected(R"("Status":"created")", R"("a4c.unit":"ws-2","a4c.cluster":"test")").cluster,
            "");
  EXPECT_EQ(Inspected(R"("Status":"created")", R"("x":"y")").cluster, "");
}

TEST(DockerContainer, StatesAreRead) {
  EXPECT_EQ(Inspected(R"("Status":"created","ExitCode":0)").status.state, UnitState::kCreated);
  const Container running = Inspected(
      R"("Status":"running","Running":true,"ExitCode":0,"StartedAt":"2026-11-22T19:00:00.001Z")");
  EXPECT_EQ(running.status.state, UnitState::kRunning);
  EXPECT_EQ(running.status.exit_code, std::nullopt);
  EXPECT_EQ(running.status.started_at_ms, 1795374000001);
  EXPECT_EQ(Inspected(R"("Status":"paused","Running":true)").status.state, UnitState::kRunning);
  const Container exited = Inspected(R"("Status":"exited","ExitCode":137,"OOMKilled":true)");
  EXPECT_EQ(exited.status.state, UnitState::kStopped);
  EXPECT_EQ(exited.status.exit_code, 137);
  EXPECT_NE(exited.status.reason.find("memory"), std::string::npos);
  const Container broken =
      Inspected(R"("Status":"created","ExitCode":127,"Error":"exec: \"x\": not found")");
  EXPECT_EQ(broken.status.state, UnitState::kBroken);
  EXPECT_NE(broken.status.reason.find("not found"), std::string::npos);
  EXPECT_EQ(broken.status.exit_code, std::nullopt);
  EXPECT_EQ(Inspected(R"("Status":"dead")").status.state, UnitState::kBroken);
  EXPECT_TRUE(Inspected(R"("Status":"removing")").removing);
}

TEST(DockerFilter, IsEncodedJson) {
  EXPECT_EQ(LabelFilter({"a4c.cluster=x y"}),
            "%7B%22label%22%3A%5B%22a4c.cluster%3Dx%20y%22%5D%7D");
}

TEST(DiskFigures, AreTheLastLineOfDf) {
  const auto host = ReadDiskFigures(
      " 1B-blocks    Used      Avail Inodes IFree\n1020702720 2641920 1001283584 65536 65000\n");
  ASSERT_TRUE(host) << host.error().ToString();
  EXPECT_EQ(host->disk_total_bytes, 1020702720);
  EXPECT_EQ(host->disk_used_bytes, 2641920);
  EXPECT_EQ(host->disk_free_bytes, 1001283584);
  EXPECT_EQ(host->inodes_total, 65536);
  EXPECT_EQ(host->inodes_free, 65000);
  const auto uncounted = ReadDiskFigures("1B-blocks Used Avail Inodes IFree\n10 5 4 - -\n");
  ASSERT_TRUE(uncounted) << uncounted.error().ToString();
  EXPECT_EQ(uncounted->inodes_total, 0);
  for (const char* output : {"", "df: /x: No such file or directory", "a\n1 2\n", "a\nb c d\n"}) {
    EXPECT_FALSE(ReadDiskFigures(output)) << output;
  }
}

}  // namespace
}  // namespace a4c::baremetal
