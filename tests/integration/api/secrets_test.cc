// Secrets: set by name, never shown again, given to workspaces.
#include "tests/integration/support/workspace_fixture.h"

namespace a4cd {
namespace {

constexpr const char* kCanary = "canary-5fd1e0";

class ApiSecrets : public WorkspaceTest {
 protected:
  void SetUp() override { StartWith(""); }

  Answer Set(const std::string& name, const std::string& value, const Headers& headers = {}) {
    return Send("PUT", "/v1/secrets/" + name, R"({"value":")" + value + R"("})", headers);
  }

  // Everything that was logged.
  std::string Logged() const {
    std::string text;
    for (const a4c::testing::LogEntry& entry : log_.Entries()) {
      text += entry.event;
      for (const auto& [name, value] : entry.fields) text += " " + name + "=" + value;
    }
    return text;
  }
};

TEST_F(ApiSecrets, AreSetReplacedListedAndDeletedByName) {
  const Answer set = Set("token", kCanary);
  ASSERT_EQ(set.status, 200) << set.text;
  EXPECT_EQ(set.body["rev"].Int(), 1);
  EXPECT_EQ(Set("token", "another").body["rev"].Int(), 2);
  EXPECT_EQ(Set("b", "x").status, 200);
  const Answer list = Get("/v1/secrets");
  ASSERT_EQ(list.body["items"].Items().size(), 2u) << list.text;
  EXPECT_EQ(list.body["items"].Items()[0]["name"].Text(), "b");
  EXPECT_EQ(Send("DELETE", "/v1/secrets/token").status, 200);
  EXPECT_EQ(Get("/v1/secrets/token").status, 404);
  EXPECT_EQ(Send("DELETE", "/v1/secrets/token").status, 404);
  EXPECT_EQ(Get("/v1/secrets").body["items"].Items().size(), 1u);
  EXPECT_EQ(Set("token", "again").status, 200);
  EXPECT_EQ(Get("/v1/secrets/token").status, 200);
}

TEST_F(ApiSecrets, OneThatSomebodyElseHasReplacedIsLeftAloneIfTheClientSaysWhichItMeant) {
  const std::string etag = Set("token", "mine").Header("etag");
  ASSERT_EQ(etag, "\"1\"");
  ASSERT_EQ(Set("token", "theirs").status, 200);
  EXPECT_EQ(Set("token", "again", {{"If-Match", etag}}).status, 412);
  EXPECT_EQ(Send("DELETE", "/v1/secrets/token", "", {{"If-Match", etag}}).status, 412);
  EXPECT_EQ(Get("/v1/secrets/token").body["rev"].Int(), 2);
  EXPECT_EQ(Set("token", "again", {{"If-Match", "\"2\""}}).status, 200);
  EXPECT_EQ(Send("DELETE", "/v1/secrets/token", "", {{"If-Match", "*"}}).status, 200);
}

TEST_F(ApiSecrets, TheValueIsNowhereToBeSeen) {
  std::string seen = Set("token", kCanary, {{"Idempotency-Key", "k"}}).text;
  seen += Set("token", kCanary, {{"Idempotency-Key", "k"}}).text;
  for (const char* path : {"/v1/secrets", "/v1/secrets/token", "/v1/audit", "/v1/status",
                           "/metrics", "/v1/jobs?q=canary"}) {
    seen += Get(path).text;
  }
  seen += Send("PUT", "/v1/secrets/token", std::string(R"({"value":")") + kCanary + "\"").text;
  seen += Send("PUT", "/v1/secrets/token", std::string(R"({"value":[")") + kCanary + "\"]}").text;
  EXPECT_EQ(seen.find(kCanary), std::string::npos) << seen;
  EXPECT_EQ(Logged().find(kCanary), std::string::npos);
}

TEST_F(ApiSecrets, SentTwiceIsSetOnceAndOtherContentUnderTheKeyIsRefused) {
  const Headers once = {{"Idempotency-Key", "once"}};
  EXPECT_EQ(Set("token", "a", once).body["rev"].Int(), 1);
  EXPECT_EQ(Set("token", "a", once).body["rev"].Int(), 1);
  const Answer spaced = Send("PUT", "/v1/secrets/token", R"({ "value" : "a" })", once);
  EXPECT_EQ(spaced.body["rev"].Int(), 1)
      << "kept is a keyed hash of the value, none of the body: " << spaced.text;
  EXPECT_EQ(Set("token", "b", once).status, 422);
  EXPECT_EQ(Get("/v1/secrets/token").body["rev"].Int(), 1);
}

TEST_F(ApiSecrets, WhatIsWrongIsPointedAt) {
  EXPECT_EQ(Set("no%20name", "x").status, 400);
  EXPECT_EQ(Send("PUT", "/v1/secrets/token", "{}").status, 400);
  EXPECT_EQ(Set("token", std::string(65'537, 'x')).status, 400);
  EXPECT_EQ(Set("token", R"(a\u0000b)").status, 400);
  EXPECT_EQ(Get("/v1/secrets/token").status, 404);
}

TEST_F(ApiSecrets, AWorkspaceIsGivenTheValuesThatItNames) {
  ASSERT_EQ(Set("token", kCanary).status, 200);
  Make("dev-2", R"(,"secrets":{"TOKEN":"token"})", R"(["sh","-c","echo $TOKEN; sleep 60"])");
  EXPECT_NE(Get("/v1/workspaces/dev-2/logs").text.find(kCanary), std::string::npos)
      << "what it writes itself is its own business";
  const Answer shown = Get("/v1/workspaces/dev-2");
  EXPECT_EQ(shown.body["secrets"].ToString(), R"({"TOKEN":"token"})");
  const std::string jobs = Get("/v1/jobs").text;
  EXPECT_EQ((shown.text + jobs + Logged()).find(kCanary), std::string::npos);
}

TEST_F(ApiSecrets, AWorkspaceWhoseSecretIsNotThereSaysSo) {
  const Answer created = Post(
      "/v1/workspaces", R"({"name":"dev-2","command":["sleep","60"],"secrets":{"TOKEN":"token"}})");
  const std::string job = "/v1/jobs/" + created.body["id"].Text();
  EXPECT_TRUE(Eventually([&] { return Get(job).body["state"].Text() == "failed"; }));
  EXPECT_EQ(Get(job).body["message"].Text(),
            "there is no secret token (set it: a4c secret set token)");
  EXPECT_EQ(Post("/v1/workspaces", R"({"name":"dev-3","command":["sleep","60"],"env":{"A":"1"},)"
                                   R"("secrets":{"A":"token"}})")
                .status,
            400);
}

TEST_F(ApiSecrets, WithoutAKeyThereAreNone) {
  StartApp("secrets: {key_file: ''}\n");
  const Answer set = Set("token", "x");
  EXPECT_EQ(set.status, 501);
  EXPECT_NE(set.text.find("secrets.key_file"), std::string::npos) << set.text;
}

}  // namespace
}  // namespace a4cd
