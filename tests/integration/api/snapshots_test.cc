// Snapshots and idle stop as a client sees them.
#include "tests/integration/support/session_client.h"
#include "tests/integration/support/workspace_fixture.h"

namespace a4cd {
namespace {

using a4c::Json;

class ApiSnapshots : public WorkspaceTest {
 protected:
  // The job, once it has ended.
  Json Done(const Answer& answer) {
    EXPECT_EQ(answer.status, 202) << answer.text;
    Json job;
    EXPECT_TRUE(Eventually([&] {
      job = Get("/v1/jobs/" + answer.body["id"].Text()).body;
      return job["state"].Text() == "succeeded" || job["state"].Text() == "failed";
    }));
    return job;
  }
};

TEST_F(ApiSnapshots, OneIsMadeListedRestoredAndDeleted) {
  const Answer for_ever = Post("/v1/workspaces/dev-1:snapshot", R"({"ttl": "106751991167d"})");
  EXPECT_EQ(for_ever.status, 400) << for_ever.text;
  EXPECT_EQ(for_ever.body["errors"].Items().at(0)["pointer"].Text(), "/ttl") << for_ever.text;
  const Json made = Done(Post("/v1/workspaces/dev-1:snapshot", R"({"ttl": "7d"})"));
  ASSERT_EQ(made["state"].Text(), "succeeded") << made.ToString();
  const std::string id = made["result"]["snapshot"].Text();
  const Answer one = Get("/v1/snapshots/" + id);
  EXPECT_EQ(one.status, 200);
  EXPECT_EQ(one.body["state"].Text(), "ready");
  EXPECT_EQ(one.body["workspace_name"].Text(), "dev-1");
  EXPECT_FALSE(one.body["expires_at"].Text().empty());
  const std::string workspace = one.body["workspace"].Text();
  EXPECT_EQ(Get("/v1/snapshots").body["items"].Items().size(), 1u);
  EXPECT_EQ(Get("/v1/snapshots?workspace=" + workspace).body["items"].Items().size(), 1u);
  EXPECT_EQ(Get("/v1/snapshots?workspace=dev-1").body["items"].Items().size(), 1u);
  const Answer other = Get("/v1/snapshots?workspace=other");
  EXPECT_EQ(other.status, 404);
  EXPECT_EQ(other.body["hint"].Text(), "list them: a4c workspace list");

  const Json restored =
      Done(Post("/v1/workspaces/dev-1:restore", R"({"snapshot": ")" + id + R"("})"));
  EXPECT_EQ(restored["state"].Text(), "succeeded") << restored.ToString();
  EXPECT_EQ(Get("/v1/workspaces/dev-1").body["actual"].Text(), "running");

  const Json gone = Done(Send("DELETE", "/v1/snapshots/" + id));
  EXPECT_EQ(gone["state"].Text(), "succeeded") << gone.ToString();
  EXPECT_EQ(Get("/v1/snapshots/" + id).status, 404);
}

TEST_F(ApiSnapshots, TheyOutliveTheirWorkspaceWhoseIdNamesThem) {
  const Json made = Done(Post("/v1/workspaces/dev-1:snapshot", "{}"));
  const std::string id = made["result"]["snapshot"].Text();
  const std::string workspace = Get("/v1/snapshots/" + id).body["workspace"].Text();
  EXPECT_EQ(Done(Send("DELETE", "/v1/workspaces/dev-1"))["state"].Text(), "succeeded");
  EXPECT_EQ(Get("/v1/snapshots?workspace=" + workspace).body["items"].Items().size(), 1u);
  EXPECT_EQ(Get("/v1/snapshots?workspace=dev-1").status, 404) << "a name is of a living one";
}

TEST_F(ApiSnapshots, TheyBelongToTheirTenant) {
  const Json made = Done(Post("/v1/workspaces/dev-1:snapshot", "{}"));
  const std::string id = made["result"]["snapshot"].Text();
  const Headers other = Bearer(KeyFor("other"));
  EXPECT_EQ(Get("/v1/snapshots/" + id, other).status, 404);
  EXPECT_TRUE(Get("/v1/snapshots", other).body["items"].Items().empty());
  EXPECT_EQ(Get("/v1/snapshots?workspace=dev-1", other).status, 404);
  EXPECT_EQ(Send("DELETE", "/v1/snapshots/" + id, "", other).status, 404);
}

TEST_F(ApiSnapshots, WhatIsWrongIsNamed) {
  EXPECT_EQ(Post("/v1/workspaces/nobody:snapshot", "{}").status, 404);
  EXPECT_EQ(Post("/v1/workspaces/dev-1:restore", R"({"snapshot": "none"})").status, 404);
  const Answer missing = Post("/v1/workspaces/dev-1:restore", "{}");
  EXPECT_EQ(missing.status, 400) << missing.text;
  EXPECT_EQ(missing.body["errors"].Items().at(0)["pointer"].Text(), "/snapshot");
  const Answer twice = Post("/v1/workspaces/dev-1:snapshot", R"({"workspace": "dev-1"})");
  EXPECT_EQ(twice.body["errors"].Items().at(0)["pointer"].Text(), "/workspace");
  const Answer unknown = Post("/v1/workspaces/dev-1:snapshot", R"({"ttk": "7d"})");
  EXPECT_EQ(unknown.body["errors"].Items().at(0)["pointer"].Text(), "/ttk");
  EXPECT_EQ(Send("POST", "/v1/hosts/local-1:drain?with_volumes=maybe").status, 400);
}

TEST_F(ApiSnapshots, ASessionIsNotedWhereItKeepsAWorkspaceFromBeingStopped) {
  Make("dev-2", R"(,"idle_stop":"30m")");
  const Answer before = Get("/v1/workspaces/dev-2");
  EXPECT_EQ(before.body["idle_stop_ms"].Int(), 30 * 60'000);
  EXPECT_TRUE(before.body["session_at"].IsNull());
  for (const char* name : {"dev-1", "dev-2"}) {
    SessionClient cat(port_, key_, "/v1/workspaces/" + std::string(name) + ":exec", "a4c.exec.v1");
    ASSERT_EQ(cat.status(), 101);
    cat.Say(Json::Object{{"command", Json::Array{"cat"}}});
    cat.EndInput();
    EXPECT_EQ(cat.HearTheEnd()["code"].Int(), 0);
  }
  EXPECT_FALSE(Get("/v1/workspaces/dev-2").body["session_at"].Text().empty());
  EXPECT_TRUE(Get("/v1/workspaces/dev-1").body["session_at"].IsNull());
}

}  // namespace
}  // namespace a4cd
