// Containers that run on a real server become workspaces again once their store is lost.
#include "tests/integration/engine/engine_fixture.h"

namespace a4cd {
namespace {

class EngineAdoption : public EngineTest {
 protected:
  std::string StartedAt(const std::string& unit) {
    return Inspect(unit, "{{.State.StartedAt}} {{.State.Running}}").out;
  }
  std::string Kept(const std::string& workspace) {
    return Succeeds({"workspace", "exec", workspace, "--", "cat", "/workspace/note"});
  }
};

TEST_F(EngineAdoption, WhatRunsIsTakenOverUntouchedAndObeysFromThenOn) {
  StartOn("lost");
  MakeThere("dev-1", {"--env", "NAME=value"});
  Succeeds({"workspace", "exec", "dev-1", "--", "sh", "-c", "echo kept >/workspace/note"});
  // The server knows a high epoch.
  for (const char* step : {"stop", "start"}) Succeeds({"workspace", step, "dev-1", "--wait"});
  MakeThere("dev-2");
  const std::string unit = UnitOf("dev-1");
  const std::string other = UnitOf("dev-2");
  const std::string started = StartedAt(unit);
  ASSERT_TRUE(started.ends_with(" true\n")) << started;

  StartOn("anew");
  ASSERT_EQ(Get("/v1/workspaces").body["items"].Items().size(), 0u);
  const std::string listed = Succeeds({"-o", "table", "host", "adopt", kServer});
  EXPECT_NE(listed.find(unit + "  running"), std::string::npos) << listed;
  EXPECT_NE(listed.find(other + "  running"), std::string::npos) << listed;
  EXPECT_EQ(Get("/v1/workspaces").body["items"].Items().size(), 0u) << "a list takes nothing over";
  Succeeds({"host", "adopt", kServer, unit + "=saved", "--wait"});
  const Answer saved = Get("/v1/workspaces/saved");
  EXPECT_EQ(UnitOf("saved"), unit);
  EXPECT_EQ(saved.body["actual"].Text(), "running");
  EXPECT_EQ(saved.body["env"]["NAME"].Text(), "value") << saved.text;
  EXPECT_EQ(StartedAt(unit), started) << "it was not touched";
  EXPECT_EQ(Kept("saved"), "kept\n");
  EXPECT_EQ(Get("/v1/workspaces/dev-2").status, 404) << "nobody has named it";

  Succeeds({"workspace", "stop", "saved", "--wait"});
  EXPECT_EQ(Inspect(unit, "{{.State.Running}}").out, "false\n");
  Succeeds({"workspace", "start", "saved", "--wait"});
  EXPECT_EQ(Kept("saved"), "kept\n");
  Succeeds({"workspace", "delete", "saved", "--wait"});
  EXPECT_NE(Inspect(unit).exit_code, 0) << "it is still there";
  EXPECT_TRUE(StartedAt(other).ends_with(" true\n"));
  Succeeds({"host", "adopt", kServer, other + "=other", "--wait"});
}

}  // namespace
}  // namespace a4cd
