// A server that is gone for good, by the API: what is refused before anything is given up.
#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/jobs/kinds.h"
#include "tests/integration/support/handler_fixture.h"
#include "tests/integration/support/work_fixture.h"

namespace a4cd {
namespace {

using a4c::Json;

class LostHosts : public HandlerTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(database_.Open(Within(), AllCollections()));
    hosts_.has_extensions = false;
    api_.worker = &worker_;
    ASSERT_TRUE(worker_.disks().Refresh(Within()));
    workspace_ = Create("dev-1");
  }

  // In the records, as the worker leaves it.
  std::string Create(const std::string& name) {
    JobDraft draft;
    draft.type = "workspace.create";
    draft.payload = testing::CreatePayload(name);
    const Principal user{.tenant = "acme", .key_id = "user", .scopes = {"*"}};
    const auto made = jobs_.PrepareCreate(Within(), user, draft);
    EXPECT_TRUE(made);
    EXPECT_TRUE(database_.Write(Within(), made->commit));
    const auto workspace = jobs_.FindWorkspace(Within(), "acme", name);
    EXPECT_TRUE(workspace);
    Workspace placed = *workspace;
    placed.host = "one";
    placed.actual = "running";
    const auto reserved = worker_.reservations().Reserve(
        Within(), "acme", placed.id, {.amounts = {testing::kGiB}, .server = "one"},
        [&](const Decision&) {
          return a4c::Commit{.changes = {{.ref = WorkspaceRef("acme", placed.id),
                                          .body = WorkspaceBody(placed),
                                          .expect = a4c::Expect::Rev(placed.rev)}}};
        });
    EXPECT_TRUE(reserved);
    return placed.id;
  }
  Request On(const std::string& method, const std::string& more = "") {
    Request request;
    request.method = method;
    request.path = "/v1/hosts/one" + more;
    request.params = {{"id", "one"}};
    request.principal = {.tenant = "operators", .key_id = "admin", .scopes = {"*"}};
    request.deadline_ms = runtime_.clock.MonotonicMs() + 30'000;
    return request;
  }
  Response Remove(a4cd::NameValues headers = {}, bool is_lost = true) {
    Request request = On("DELETE");
    if (is_lost) request.query = {{"lost", "true"}};
    request.headers = std::move(headers);
    return RemoveHost(api_, request);
  }
  void Cordon() {
    Request request = On("POST", ":cordon");
    ASSERT_EQ(CordonHost(api_, request).status, 200);
  }
  static Json BodyOf(const Response& response) {
    const auto parsed = a4c::ParseJson(response.body);
    EXPECT_TRUE(parsed) << response.body;
    return parsed ? *parsed : Json();
  }
  std::string HostOf(const std::string& id) {
    const auto workspace = jobs_.FindWorkspace(Within(), "acme", id);
    return workspace ? workspace->host : "gone";
  }
  // The instances were started again without it.
  void TakeOutOfConfig() {
    api_.worker = &worker_without_it_;
    ASSERT_TRUE(worker_without_it_.disks().Refresh(Within()));
  }

  const std::unique_ptr<a4c::HostProvider> memory_ =
      a4c::NewMemoryHostProvider(runtime_, {.servers = {{.id = "one"}, {.id = "two"}}});
  testing::HookedHosts hosts_{*memory_};
  Worker worker_{database_, *store_, hosts_, jobs_, ids_, runtime_, {}};
  const std::unique_ptr<a4c::HostProvider> memory_without_it_ =
      a4c::NewMemoryHostProvider(runtime_, {.servers = {{.id = "two"}}});
  Worker worker_without_it_{database_, *store_, *memory_without_it_, jobs_, ids_, runtime_, {}};
  std::string workspace_;
};

TEST_F(LostHosts, OneThatAnswersIsNotGone) {
  Cordon();
  const Response refused = Remove();
  EXPECT_EQ(refused.status, 409) << refused.body;
  EXPECT_NE(BodyOf(refused)["detail"].Text().find("answers"), std::string::npos) << refused.body;
  EXPECT_EQ(HostOf(workspace_), "one");
}

// It is asked, whatever its figures say: they may be of some seconds ago.
TEST_F(LostHosts, OneThatAnswersAgainIsNotGoneEither) {
  Cordon();
  hosts_.silent = "one";
  ASSERT_TRUE(worker_.disks().Refresh(Within()));
  hosts_.silent = "";
  EXPECT_EQ(Remove().status, 409);
  EXPECT_EQ(HostOf(workspace_), "one");
}

// Its record would come again.
TEST_F(LostHosts, OneThatTheConfigNamesIsTakenOutOfThereFirst) {
  Cordon();
  hosts_.silent = "one";
  const Response refused = Remove();
  EXPECT_EQ(refused.status, 409) << refused.body;
  EXPECT_NE(BodyOf(refused)["hint"].Text().find("hosts.config"), std::string::npos);
  EXPECT_EQ(HostOf(workspace_), "one");
}

TEST_F(LostHosts, OneThatIsNotCordonedMayBeGivenMoreAtAnyMoment) {
  TakeOutOfConfig();
  const Response refused = Remove();
  EXPECT_EQ(refused.status, 409) << refused.body;
  EXPECT_NE(BodyOf(refused)["hint"].Text().find("a4c host cordon one"), std::string::npos);
  EXPECT_EQ(HostOf(workspace_), "one");
}

TEST_F(LostHosts, AnotherVersionThanWasMeantGivesNothingUp) {
  Cordon();
  TakeOutOfConfig();
  EXPECT_EQ(Remove({{"If-Match", "\"1\""}}).status, 412);
  EXPECT_EQ(HostOf(workspace_), "one");
  const Response shown = [&] {
    Request request = On("GET");
    return GetHost(api_, request);
  }();
  const auto etag = std::ranges::find(shown.headers, "ETag", [](const auto& h) { return h.first; });
  ASSERT_NE(etag, shown.headers.end());
  EXPECT_EQ(Remove({{"If-Match", etag->second}}).status, 200);
}

TEST_F(LostHosts, OneThatNoConfigNamesIsRemovedWithAllThatWasThere) {
  Cordon();
  TakeOutOfConfig();
  EXPECT_EQ(Remove({}, false).status, 409) << "by the ordinary way it is not";
  const Response removed = Remove({{"Idempotency-Key", "word"}});
  ASSERT_EQ(removed.status, 200) << removed.body;
  EXPECT_TRUE(BodyOf(removed)["removed"].Bool());
  EXPECT_TRUE(BodyOf(removed)["lost"].Bool());
  EXPECT_EQ(BodyOf(removed)["workspaces"].Int(), 1);
  EXPECT_EQ(BodyOf(removed)["snapshots"].Int(-1), 0);
  EXPECT_EQ(HostOf(workspace_), "");
  EXPECT_EQ(Remove({{"Idempotency-Key", "word"}}).body, removed.body);
  EXPECT_EQ(Remove().status, 404);
  ASSERT_TRUE(worker_without_it_.disks().Refresh(Within()));
  EXPECT_FALSE(ReadHost(Within(), database_, "one"));
  const auto rows = database_.Scan(Within(), {.kind = "audit", .scope = "operators"});
  ASSERT_TRUE(rows);
  const auto is_it = [](const a4c::Record& row) {
    return row.body.find(R"("outcome":"applied","record_kind":"host","record_id":"one")") !=
           std::string::npos;
  };
  EXPECT_GE(std::ranges::count_if(rows->records, is_it), 2) << "the cordon, and the removal";
}

}  // namespace
}  // namespace a4cd
