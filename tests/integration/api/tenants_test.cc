// Tenants never see each other: every route of the table, with the ids of another tenant, and with
// keys of every scope.
#include <map>

#include "apps/a4cd/api/router.h"
#include "apps/a4cd/auth/principal.h"
#include "tests/integration/support/api_fixture.h"

namespace a4cd {
namespace {

class ApiTenants : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    const Answer made = CreateWorkspaceJob("dev-1");
    ids_["jobs"] = made.body["id"].Text();
    ids_["workspaces"] = made.body["workspace"].Text();
    ids_["keys"] = Get("/v1/keys").body["items"].Items().at(0)["id"].Text();
    ids_["hosts"] = "local-1";
    Post("/v1/workspaces/dev-1:snapshot", "{}");
    ids_["snapshots"] = Get("/v1/snapshots").body["items"].Items().at(0)["id"].Text();
    ids_["secrets"] = "token";
    ids_["tenants"] = "nobody";
    Send("PUT", "/v1/secrets/token", R"({"value":"v"})");
  }

  // The route's path about what belongs to the first tenant.
  std::string PathOf(const Route& route) const {
    std::string path = route.pattern;
    const size_t brace = path.find("{id}");
    if (brace == std::string::npos) return path;
    const std::string noun = path.substr(4, path.find('/', 4) - 4);
    return path.replace(brace, 4, ids_.at(noun));
  }

  // Those about one thing of a tenant. Names of secrets are of each tenant alone.
  static std::vector<Route> ForeignRoutes() {
    std::vector<Route> routes(Routes().begin(), Routes().end());
    std::erase_if(routes, [](const Route& route) {
      const std::string pattern = route.pattern;
      return pattern.find("{id}") == std::string::npos || pattern.starts_with("/v1/hosts") ||
             pattern.starts_with("/v1/tenants") || std::string(route.operation) == "setSecret";
    });
    return routes;
  }

  std::string BodyOf(const std::string& operation) const {
    if (operation == "snapshotWorkspace") return "{}";
    if (operation == "restoreWorkspace") return R"({"snapshot":")" + ids_.at("snapshots") + "\"}";
    return operation == "updateWorkspace" ? R"({"memory":"1GiB"})" : "";
  }

  std::map<std::string, std::string> ids_;
};

TEST_F(ApiTenants, NoOperationTouchesWhatIsAnothers) {
  for (const KnownScope& scope : kKnownScopes) {
    const std::string name(scope.name);
    const Headers stranger = {{"Authorization", "Bearer " + KeyFor("other", '"' + name + '"')},
                              {"If-Match", "*"}};
    int foreign = 0;
    for (const Route& route : ForeignRoutes()) {
      ++foreign;
      const Answer answer = Send(route.method, PathOf(route), BodyOf(route.operation), stranger);
      const bool may = name == "*" || name == route.scope;
      EXPECT_EQ(answer.status, may ? 404 : 403)
          << name << ": " << route.method << " " << route.pattern << ": " << answer.text;
    }
    EXPECT_GE(foreign, 11);
    if (name == "*") {
      EXPECT_EQ(Get("/v1/workspaces/dev-1", stranger).status, 404);
    }
  }
  EXPECT_EQ(Get("/v1/jobs/" + ids_["jobs"]).body["rev"].Int(), 1);
  EXPECT_EQ(Get("/v1/workspaces/dev-1").body["rev"].Int(), 1);
  EXPECT_EQ(Get("/v1/snapshots/" + ids_["snapshots"]).body["rev"].Int(), 1);
  EXPECT_EQ(Get("/v1/keys/" + ids_["keys"]).status, 200);
}

// In a body, where the path is the stranger's own.
TEST_F(ApiTenants, NoBodyNamesWhatIsAnothers) {
  const std::string key = KeyFor("other");
  ASSERT_EQ(CreateWorkspaceJob("own", Bearer(key)).status, 201);
  std::string lines;
  for (const char* type : {"workspace.start", "workspace.stop", "workspace.delete",
                           "workspace.move", "workspace.snapshot", "command.run"}) {
    std::string payload = R"({"workspace":")" + ids_["workspaces"] + '"';
    if (std::string(type) == "command.run") payload += R"(,"command":["true"])";
    const std::string job = R"({"type":")" + std::string(type) + R"(","payload":)" + payload + "}}";
    const Answer answer = Post("/v1/jobs", job, Bearer(key));
    EXPECT_EQ(answer.status, 404) << job << answer.text;
    lines += job + "\n";
  }
  const Answer batch = Post("/v1/jobs:batch", lines, Bearer(key));
  EXPECT_EQ(batch.text.find("\"status\":201"), std::string::npos) << batch.text;
  const std::string snapshot = R"({"snapshot":")" + ids_["snapshots"] + "\"}";
  EXPECT_EQ(Post("/v1/workspaces/own:restore", snapshot, Bearer(key)).status, 404);
  EXPECT_EQ(
      Post("/v1/jobs", R"({"type":"snapshot.delete","payload":)" + snapshot + "}", Bearer(key))
          .status,
      404);
  EXPECT_EQ(Get("/v1/workspaces/dev-1").body["rev"].Int(), 1);
}

TEST_F(ApiTenants, ListsAndSearchesShowTheirOwnOnly) {
  const std::string key = KeyFor("other");
  const Answer own = CreateWorkspaceJob("dev-1", Bearer(key));
  ASSERT_EQ(own.status, 201) << "names are of each tenant alone: " << own.text;
  const std::vector<std::string> paths = {"/v1/jobs",
                                          "/v1/jobs?q=pier&token=" + own.Header("a4c-token"),
                                          "/v1/workspaces", "/v1/workspaces:stats", "/v1/keys"};
  for (const std::string& path : paths) {
    const Answer answer = Get(path, Bearer(key));
    ASSERT_EQ(answer.status, 200) << path << answer.text;
    EXPECT_EQ(answer.body["items"].Items().size(), 1u) << path << answer.text;
    EXPECT_EQ(answer.text.find(ids_["jobs"]), std::string::npos) << path;
    EXPECT_EQ(answer.text.find(ids_["keys"] + "\",\"name"), std::string::npos) << path;
  }
}

TEST_F(ApiTenants, StatsOfManyAreNotOfThoseThatAreAnothers) {
  const Headers stranger = Bearer(KeyFor("other"));
  for (const std::string& named : {std::string("dev-1"), ids_["workspaces"]}) {
    const Answer answer = Get("/v1/workspaces:stats?workspaces=" + named, stranger);
    ASSERT_EQ(answer.body["items"].Items().size(), 1u) << answer.text;
    EXPECT_EQ(answer.body["items"].Items()[0]["problem"]["status"].Int(), 404) << answer.text;
  }
}

TEST_F(ApiTenants, ATenantIsChangedAsItWasRead) {
  const std::string path = "/v1/tenants/acme";
  ASSERT_EQ(Post("/v1/tenants", R"({"id":"acme","share":2})").status, 201);
  const Answer before = Get(path);
  ASSERT_EQ(before.status, 200) << before.text;
  EXPECT_EQ(before.Header("etag"), "\"1\"");
  EXPECT_EQ(Send("PATCH", path, R"({"share":3})").status, 428) << "which version is meant?";
  const Answer shared =
      Send("PATCH", path, R"({"share":3})", {{"If-Match", before.Header("etag")}});
  ASSERT_EQ(shared.status, 200) << shared.text;
  EXPECT_EQ(shared.Header("etag"), "\"2\"");
  EXPECT_EQ(shared.body["share"].Int(), 3);
  EXPECT_EQ(shared.body["name"].Text(), "acme") << "what is not named stays";
  EXPECT_EQ(shared.body["created_at"].Text(), before.body["created_at"].Text());
  EXPECT_EQ(Send("PATCH", path, R"({"share":4})", {{"If-Match", "\"1\""}}).status, 412);
  EXPECT_EQ(Send("PATCH", path, R"({"name":"Acme"})", {{"If-Match", "*"}}).status, 200);
  const Answer after = Get(path);
  EXPECT_EQ(after.body["name"].Text(), "Acme");
  EXPECT_EQ(after.body["share"].Int(), 3);
  EXPECT_EQ(Get("/v1/tenants").body["items"].Items().back()["share"].Int(), 3);
  const Answer rows = Get("/v1/audit?operation=updateTenant&record_id=acme");
  EXPECT_GE(rows.body["items"].Items().size(), 2u) << rows.text;
}

TEST_F(ApiTenants, AChangeOfATenantThatCannotBeIsRefused) {
  ASSERT_EQ(Post("/v1/tenants", R"({"id":"acme"})").status, 201);
  const Headers any = {{"If-Match", "*"}};
  const std::pair<const char*, const char*> cases[] = {
      {R"({"share":0})", "is a whole number from 1 to 1000"},
      {R"({"share":-2})", "is a whole number from 1 to 1000"},
      {R"({"share":1001})", "is a whole number from 1 to 1000"},
      {R"({"share":"2"})", "is a whole number from 1 to 1000"},
      {R"({"share":null})", "is a number"},
      {R"({"name":""})", "is empty"},
      {R"({"name":null})", "is required"},
      {R"({"shar":2})", "share"},
      {R"({"id":"other"})", "/id"},
      {R"({})", "changes nothing"}};
  for (const auto& [body, why] : cases) {
    const Answer answer = Send("PATCH", "/v1/tenants/acme", body, any);
    EXPECT_EQ(answer.status, 400) << body << answer.text;
    EXPECT_NE(answer.text.find(why), std::string::npos) << body << answer.text;
  }
  EXPECT_EQ(Get("/v1/tenants/acme").Header("etag"), "\"1\"");
  EXPECT_EQ(Send("PATCH", "/v1/tenants/nobody", R"({"share":2})", any).status, 404);
  EXPECT_EQ(Get("/v1/tenants/nobody").status, 404);
  EXPECT_EQ(Get("/v1/tenants/default").body["share"].Int(), 1);
  const Answer first = Send("PATCH", "/v1/tenants/default", R"({"share":2})", any);
  EXPECT_EQ(first.status, 409) << first.text;
}

TEST_F(ApiTenants, OneIdempotencyKeyIsOfEachTenantAlone) {
  const std::string key = KeyFor("other");
  const Answer mine = CreateWorkspaceJob("dev-9", {{"Idempotency-Key", "same"}});
  Headers headers = Bearer(key);
  headers.emplace_back("Idempotency-Key", "same");
  const Answer theirs = CreateWorkspaceJob("dev-9", headers);
  EXPECT_EQ(theirs.status, 201);
  EXPECT_EQ(theirs.Header("idempotent-replayed"), "");
  EXPECT_NE(theirs.body["id"].Text(), mine.body["id"].Text());
}

TEST_F(ApiTenants, EachRouteAsksForItsScopeAndForAKey) {
  std::map<std::string, std::string> key_without;
  for (const Route& route : Routes()) {
    if (route.scope == nullptr) continue;
    const Answer nobody = Send(route.method, PathOf(route), "", {{"Authorization", "none"}});
    EXPECT_EQ(nobody.status, 401) << route.operation;
    std::string& key = key_without[route.scope];
    if (key.empty()) {
      std::string others;
      for (const KnownScope& scope : kKnownScopes) {
        if (std::string(scope.name) == "*" || std::string(scope.name) == route.scope) continue;
        others += std::string(others.empty() ? "\"" : ",\"") + scope.name + "\"";
      }
      key = KeyFor("default", others);
    }
    const Answer refused = Send(route.method, PathOf(route), "", Bearer(key));
    EXPECT_EQ(refused.status, 403) << route.operation << refused.text;
    EXPECT_NE(refused.body["detail"].Text().find(route.scope), std::string::npos);
  }
}

// What they do to a server is done to everybody's.
TEST_F(ApiTenants, JobsAboutServersNeedWhatServersNeed) {
  const std::string key = KeyFor("default", R"("jobs:read","jobs:write")");
  for (const char* type : {"host.cleanup", "host.adopt", "host.purge"}) {
    const std::string job =
        R"({"type":")" + std::string(type) + R"(","payload":{"host":"local-1"}})";
    const Answer refused = Post("/v1/jobs", job, Bearer(key));
    EXPECT_EQ(refused.status, 403) << refused.text;
    EXPECT_NE(refused.body["detail"].Text().find("hosts:admin"), std::string::npos);
    const Answer line = Post("/v1/jobs:batch", job + "\n", Bearer(key));
    EXPECT_NE(line.text.find("\"status\":403"), std::string::npos) << line.text;
    const Answer made = Post("/v1/jobs", job);
    ASSERT_EQ(made.status, 201) << made.text;
    const std::string path = "/v1/jobs/" + made.body["id"].Text();
    Headers headers = Bearer(key);
    headers.emplace_back("If-Match", "*");
    ASSERT_EQ(Send("POST", path + ":cancel", "", headers).status, 200);
    EXPECT_EQ(Send("POST", path + ":retry", "", headers).status, 403);
    EXPECT_EQ(Send("POST", path + ":retry", "", {{"If-Match", "*"}}).status, 200);
  }
  const std::string admin = KeyFor("default", R"("jobs:write","hosts:admin")");
  EXPECT_EQ(
      Post("/v1/jobs", R"({"type":"host.cleanup","payload":{"host":"local-1"}})", Bearer(admin))
          .status,
      201);
  EXPECT_EQ(
      Post("/v1/jobs", R"({"type":"workspace.stop","payload":{"workspace":"dev-1"}})", Bearer(key))
          .status,
      201);
}

TEST_F(ApiTenants, NobodyGivesAwayWhatTheyLack) {
  const std::string key = KeyFor("default", R"("keys:admin","jobs:read")");
  EXPECT_EQ(Post("/v1/keys", R"({"name":"x","scopes":["jobs:read"]})", Bearer(key)).status, 201);
  for (const char* body :
       {R"({"name":"x","scopes":["*"]})", R"({"name":"x","scopes":["jobs:write"]})",
        R"({"name":"x","scopes":["jobs:read"],"tenant":"other"})"}) {
    EXPECT_EQ(Post("/v1/keys", body, Bearer(key)).status, 400) << body;
  }
}

TEST_F(ApiTenants, NobodyGivesAwayForLongerThanTheyHave) {
  const Answer made = Post("/v1/keys", R"({"name":"short","scopes":["keys:admin"],"ttl":"1h"})");
  const Headers key = Bearer(made.body["key"].Text());
  const Answer longer = Post("/v1/keys", R"({"name":"x","scopes":["keys:admin"]})", key);
  EXPECT_EQ(longer.status, 400) << longer.text;
  EXPECT_EQ(longer.body["errors"].Items().at(0)["pointer"].Text(), "/ttl") << longer.text;
  EXPECT_EQ(Post("/v1/keys", R"({"name":"x","scopes":["keys:admin"],"ttl":"2h"})", key).status,
            400);
  EXPECT_EQ(Post("/v1/keys", R"({"name":"x","scopes":["keys:admin"],"ttl":"30m"})", key).status,
            201);
}

// It would have expired before it was made.
TEST_F(ApiTenants, ATtlBeyondAllTimeIsRefused) {
  const Answer key =
      Post("/v1/keys", R"({"name":"x","scopes":["jobs:read"],"ttl":"106751991167d"})");
  EXPECT_EQ(key.status, 400) << key.text;
  EXPECT_EQ(key.body["errors"].Items().at(0)["pointer"].Text(), "/ttl") << key.text;
  const Answer century = Post("/v1/keys", R"({"name":"x","scopes":["jobs:read"],"ttl":"36500d"})");
  EXPECT_EQ(century.status, 201) << century.text;
}

TEST_F(ApiTenants, AKeyThatIsRevokedOrWrongOpensNothing) {
  const std::string key = KeyFor("default", "\"jobs:read\"");
  EXPECT_EQ(Get("/v1/jobs", Bearer(key)).status, 200);
  std::string wrong = key;
  wrong[10] = wrong[10] == 'x' ? 'y' : 'x';
  const Answer refused = Get("/v1/jobs", Bearer(wrong));
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.Header("www-authenticate"), "Bearer error=\"invalid_token\"");
  EXPECT_EQ(Get("/v1/jobs", Bearer("")).status, 401);
  std::string id;
  const Answer keys = Get("/v1/keys");
  for (const a4c::Json& item : keys.body["items"].Items()) {
    if (item["scopes"].Items().size() == 1 && item["name"].Text() == "k") id = item["id"].Text();
  }
  ASSERT_FALSE(id.empty());
  EXPECT_EQ(keys.text.find(key), std::string::npos);
  EXPECT_EQ(Send("DELETE", "/v1/keys/" + id).status, 200);
  EXPECT_EQ(Get("/v1/jobs", Bearer(key)).status, 401);
}

TEST_F(ApiTenants, AReplayedKeyCreationDoesNotShowTheKeyAgain) {
  const std::string body = R"({"name":"x","scopes":["jobs:read"]})";
  const Answer first = Post("/v1/keys", body, {{"Idempotency-Key", "k"}});
  const Answer second = Post("/v1/keys", body, {{"Idempotency-Key", "k"}});
  EXPECT_TRUE(first.body["key"].IsText());
  EXPECT_EQ(second.status, 201);
  EXPECT_EQ(second.body.Find("key"), nullptr);
  EXPECT_EQ(second.body["id"].Text(), first.body["id"].Text());
}

}  // namespace
}  // namespace a4cd
