// The engine's authorisation left out (misled_engine.cmake): every request of one tenant works on
// what is another's, through HTTP, and PostgreSQL's row-level security alone holds it back.
#include <libpq-fe.h>

#include <cstdlib>
#include <memory>

#include "a4c/clock.h"
#include "a4c/sinks.h"
#include "apps/a4cd/api/router.h"
#include "tests/integration/support/api_fixture.h"

namespace a4cd {
namespace {

constexpr const char* kSecret = "hunter2";
constexpr const char* kPassword = "bound-1";

class TenantsPostgres : public ApiTest {
 protected:
  void SetUp() override {
    const char* dsn = std::getenv("A4C_TEST_POSTGRES_DSN");
    const char* admin = std::getenv("A4C_TEST_POSTGRES_ADMIN_DSN");
    if (dsn == nullptr || admin == nullptr) {
      ASSERT_TRUE(std::getenv("CI") == nullptr && std::getenv("A4C_REQUIRE_SERVERS") == nullptr)
          << "needs A4C_TEST_POSTGRES_DSN and A4C_TEST_POSTGRES_ADMIN_DSN";
      GTEST_SKIP() << "needs A4C_TEST_POSTGRES_DSN and A4C_TEST_POSTGRES_ADMIN_DSN";
    }
    const a4c::Runtime runtime = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
    name_ = "a4c_t" + std::to_string(runtime.random.Next());
    dsn_ = dsn;
    admin_.reset(PQconnectdb(admin));
    ASSERT_EQ(PQstatus(admin_.get()), CONNECTION_OK) << PQerrorMessage(admin_.get());
    Sql("CREATE ROLE " + name_ + " LOGIN PASSWORD '" + kPassword + "'");
  }
  void TearDown() override {
    ApiTest::TearDown();
    if (name_.empty()) return;
    Sql("SET client_min_messages = warning; DROP SCHEMA IF EXISTS " + name_ + " CASCADE; " +
        "DROP SCHEMA IF EXISTS " + name_ + "_search CASCADE");
    Sql("DROP ROLE " + name_);
  }

  // The first value.
  std::string Sql(const std::string& sql) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(admin_.get(), sql.c_str()),
                                                               PQclear);
    EXPECT_NE(PQresultStatus(result.get()), PGRES_FATAL_ERROR) << PQerrorMessage(admin_.get());
    return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
  }

  std::string ConfigOf(bool row_security) const {
    if (!row_security) return "dsn: '" + dsn_ + "'";
    return "row_security: true, background_dsn: '" + dsn_ + "', dsn: '" + dsn_ + " user=" + name_ +
           " password=" + kPassword + "'";
  }

  void StartOn(bool store_security, bool search_security) {
    StartApp("store: {plugin: store-postgres, config: {schema: " + name_ + ", " +
             ConfigOf(store_security) + "}}\nsearch: {plugin: search-postgres, config: {schema: " +
             name_ + "_search, " + ConfigOf(search_security) + "}}\n");
    if (HasFatalFailure()) return;
    const Headers victim = Bearer(KeyFor("victim"));
    const Answer made =
        Post("/v1/jobs",
             R"({"type":"workspace.create","title":"hunter2","labels":{"team":"hunter2"},)"
             R"("payload":{"name":"hunter2","command":["sleep","9"]}})",
             victim);
    ASSERT_EQ(made.status, 201) << made.text;
    job_ = made.body["id"].Text();
    workspace_ = made.body["workspace"].Text();
    Send("PUT", "/v1/secrets/hunter2", R"({"value":"hunter2"})", victim);
    const Answer own = Get("/v1/jobs?q=hunter2&token=" + made.Header("a4c-token"), victim);
    ASSERT_EQ(own.body["total"].Int(), 1) << "not searchable: " << own.text;
    misled_ = Bearer(KeyFor("attacker"));
    misled_.insert(misled_.end(), {{"A4c-Misled", "victim"}, {"If-Match", "*"}});
  }

  // Pages, words with their places, counts of values, values that complete a query.
  std::vector<Answer> Searches() {
    std::vector<Answer> answers;
    for (const char* path :
         {"/v1/jobs?q=hunter2", "/v1/jobs?q=hun*&highlight=true",
          "/v1/jobs?q=labels.team:hunter2&sort=-created_at", "/v1/jobs?q=not+state:failed&limit=1",
          "/v1/jobs?q=*&facets=labels.team,labels,state&limit=1", "/v1/jobs?q=title:%22hunter2%22",
          "/v1/jobs:complete?q=labels.team:h", "/v1/jobs?facets=labels.team"}) {
      answers.push_back(Get(path, misled_));
      EXPECT_EQ(answers.back().status, 200) << path << ": " << answers.back().text;
    }
    return answers;
  }

  std::string PathOf(const Route& route) const {
    std::string path = route.pattern;
    const size_t brace = path.find("{id}");
    if (brace == std::string::npos) return path;
    const bool about_jobs = path.find("/jobs") != std::string::npos;
    const bool about_secrets = path.find("/secrets") != std::string::npos;
    return path.replace(brace, 4, about_jobs ? job_ : about_secrets ? kSecret : workspace_);
  }

  // All that is the victim's, as the server has it.
  std::string RowsOf(const std::string& scope) {
    std::string all;
    for (const char* kind : {"job", "workspace", "secret", "audit", "idempotency", "job_lease"}) {
      all += Sql("SELECT '" + std::string(kind) +
                 ":' || count(*) || '/' || coalesce(sum(rev), 0) FROM " + name_ + "." + kind +
                 " WHERE scope = '" + scope + "'") +
             " ";
    }
    return all;
  }

  std::string name_;  // of schema and role
  std::string dsn_;
  std::unique_ptr<PGconn, decltype(&PQfinish)> admin_{nullptr, PQfinish};
  std::string job_;
  std::string workspace_;
  Headers misled_;
};

TEST_F(TenantsPostgres, RowLevelSecurityAloneHoldsEveryRequestToItsTenant) {
  StartOn(true, true);
  ASSERT_FALSE(HasFatalFailure());
  const std::string before = RowsOf("victim");
  int misled = 0;
  for (const Route& route : Routes()) {
    if (route.scope == nullptr || route.reach != Reach::kTenant) continue;
    // Events are filtered by tenant in memory.
    if (std::string(route.operation) == "streamEvents") continue;
    ++misled;
    const bool about_jobs = std::string(route.pattern).find("/jobs") != std::string::npos;
    const std::string body =
        route.body == BodyRule::kNone || route.body == BodyRule::kEmpty ? ""
        : about_jobs
            ? R"({"type":"workspace.create","payload":{"name":"mine","command":["sleep","9"]}})"
            : R"({"name":"mine","value":"v","command":["sleep","9"]})";
    const Answer answer = Send(route.method, PathOf(route), body, misled_);
    EXPECT_GE(answer.status, 200) << route.operation << ": " << answer.text;
    EXPECT_EQ(answer.text.find("\"" + std::string(kSecret)), std::string::npos)
        << route.operation << ": " << answer.text;
  }
  EXPECT_GE(misled, 15);
  EXPECT_EQ(RowsOf("victim"), before);
}

TEST_F(TenantsPostgres, RowLevelSecurityAloneHoldsEverySearchToItsTenant) {
  StartOn(true, true);
  ASSERT_FALSE(HasFatalFailure());
  for (const Answer& answer : Searches()) {
    EXPECT_EQ(answer.text.find(kSecret), std::string::npos) << answer.text;
    EXPECT_EQ(answer.text.find(job_), std::string::npos) << answer.text;
    EXPECT_EQ(answer.body["total"].Int(), 0) << answer.text;
  }
}

// Otherwise the test above would show nothing.
TEST_F(TenantsPostgres, WithoutItInTheIndexTheSameSearchesFindWhatIsAnothers) {
  StartOn(true, false);
  ASSERT_FALSE(HasFatalFailure());
  for (const Answer& answer : Searches()) {
    EXPECT_NE(answer.text.find(kSecret), std::string::npos) << answer.text;
  }
}

// Otherwise the first test would show nothing.
TEST_F(TenantsPostgres, WithoutItTheSameRequestsReadAndWriteWhatIsAnothers) {
  StartOn(false, false);
  ASSERT_FALSE(HasFatalFailure());
  const std::string before = RowsOf("victim");
  const Answer read = Get("/v1/jobs/" + job_, misled_);
  EXPECT_EQ(read.status, 200) << read.text;
  EXPECT_NE(read.text.find(kSecret), std::string::npos) << read.text;
  EXPECT_EQ(Post("/v1/jobs/" + job_ + ":cancel", "", misled_).status, 200);
  EXPECT_NE(RowsOf("victim"), before);
}

}  // namespace
}  // namespace a4cd
