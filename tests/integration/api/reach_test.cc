// A handler that is wrong about whose records it works on gets none: what a request may touch is
// settled before it, with the key, and held by the store.
#include <algorithm>
#include <set>
#include <sstream>

#include "apps/a4cd/jobs/kinds.h"
#include "tests/integration/support/handler_fixture.h"

namespace a4cd {
namespace {

constexpr const char* kVictim = "victim";
constexpr const char* kSecret = "hunter2";
constexpr const char* kWorkspace = R"({"name":"mine","command":["sleep","9"]})";
constexpr const char* kJob =
    R"({"type":"workspace.create","payload":{"name":"mine","command":["sleep","9"]}})";

class ApiReach : public HandlerTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(database_.Open(Within(), AllCollections()));
    JobDraft draft;
    draft.type = "workspace.create";
    draft.title = kSecret;
    draft.payload = a4c::Json::Object{{"name", kSecret}, {"disk", int64_t{1} << 30}};
    draft.payload.AppendMember("command", a4c::Json::Array{"sleep", "infinity"});
    const Principal owner{.tenant = kVictim, .key_id = "theirs", .scopes = {"*"}};
    auto write = jobs_.PrepareCreate(Within(), owner, draft);
    ASSERT_TRUE(write) << write.error().ToString();
    ASSERT_TRUE(database_.Write(Within(), write->commit));
    job_ = write->id;
    for (const a4c::Change& change : write->commit.changes) {
      if (change.ref.kind == "workspace") workspace_ = change.ref.key.id;
    }
    const auto poll = database_.NewPollLoop("job", 0, 1);
    for (int i = 0; i < 100 && Indexed() == 0; ++i) ASSERT_TRUE(poll->Step(Within()));
    ASSERT_EQ(Indexed(), 1);
  }

  int64_t Indexed() {
    const auto found = index_->Search(Within(), {.kind = JobKind()});
    return found ? found->total : 0;
  }

  // As if the handler took the tenant from somewhere else than from the key.
  Request Misled(const Route& route, std::istream& body) const {
    Request request;
    request.method = route.method;
    request.path = route.pattern;
    request.headers = {{"If-Match", "*"}, {"Idempotency-Key", route.operation}};
    request.query = {{"q", "title:*"}};
    if (std::string(route.operation) != "listJobs") request.query.clear();
    const bool about_jobs = std::string(route.pattern).find("/jobs") != std::string::npos;
    request.body = about_jobs ? kJob : kWorkspace;
    request.input = &body;
    request.params = {{"id", about_jobs ? job_ : workspace_}};
    request.principal = {.tenant = kVictim, .key_id = "mine", .scopes = {"*"}};
    request.may_touch = {"attacker"};
    request.deadline_ms = runtime_.clock.MonotonicMs() + 30'000;
    return request;
  }

  size_t Records(const std::string& kind) {
    const auto page = database_.Scan(Within(), {.kind = kind, .tombstones = true});
    EXPECT_TRUE(page) << page.error().ToString();
    return page ? page->records.size() : 0;
  }

  std::string job_;
  std::string workspace_;
};

TEST_F(ApiReach, AMisledHandlerReadsAndWritesNothing) {
  const std::set<std::string> kinds = {"job", "workspace", "audit", "idempotency"};
  std::map<std::string, size_t> before;
  for (const std::string& kind : kinds) before[kind] = Records(kind);
  int misled = 0;
  for (const Route& route : Routes()) {
    // Events are filtered by tenant in memory.
    if (route.scope == nullptr || route.reach != Reach::kTenant ||
        std::string(route.operation) == "streamEvents") {
      continue;
    }
    ++misled;
    std::istringstream body(std::string(kJob) + "\n");
    Request request = Misled(route, body);
    const Response response = route.handler(api_, request);
    EXPECT_EQ(response.body.find(kSecret), std::string::npos)
        << route.operation << ": " << response.body;
    EXPECT_EQ(response.stream, nullptr) << route.operation;
  }
  EXPECT_GE(misled, 15);
  for (const std::string& kind : kinds) EXPECT_EQ(Records(kind), before[kind]) << kind;
}

TEST_F(ApiReach, TheKeySettlesWhatARequestMayTouch) {
  const auto key = keys_.Bootstrap(Within(), "acme");
  ASSERT_TRUE(key && *key);
  Api api(api_);
  const auto reach_of = [&](const char* path) {
    Request request;
    request.method = "GET";
    request.path = path;
    request.headers = {{"Authorization", "Bearer " + **key}};
    EXPECT_EQ(api.Handle(request).status, 200) << path;
    return request.may_touch;
  };
  EXPECT_EQ(reach_of("/v1/jobs"), a4c::ScopeSet{"acme"});
  EXPECT_EQ(reach_of("/v1/keys"), std::nullopt);
}

TEST_F(ApiReach, WhoIsNotMisledIsServed) {
  for (const Route& route : Routes()) {
    if (std::string(route.operation) != "getJob" && std::string(route.operation) != "listJobs") {
      continue;
    }
    std::istringstream body;
    Request request = Misled(route, body);
    request.may_touch = {kVictim};
    request.query.clear();
    const Response response = route.handler(api_, request);
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_NE(response.body.find(kSecret), std::string::npos) << response.body;
  }
}

}  // namespace
}  // namespace a4cd
