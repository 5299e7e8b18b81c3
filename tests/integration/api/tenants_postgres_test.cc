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
    Sql("SET client_min_messages = warning; DROP SCHEMA IF EXISTS " + name_ + " CASCADE");
    Sql("DROP ROLE " + name_);
  }

  // The first value.
  std::string Sql(const std::string& sql) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(admin_.get(), sql.c_str()),
                                                               PQclear);
    EXPECT_NE(PQresultStatus(result.get()), PGRES_FATAL_ERROR) << PQerrorMessage(admin_.get());
    return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
  }

  void StartOn(bool row_security) {
    std::string config = "dsn: '" + dsn_ + "'";
    if (row_security) {
      config = "row_security: true, background_dsn: '" + dsn_ + "', dsn: '" + dsn_ +
               " user=" + name_ + " password=" + kPassword + "'";
    }
    StartApp("store: {plugin: store-postgres, config: {schema: " + name_ + ", " + config + "}}\n");
    if (HasFatalFailure()) return;
    const Headers victim = Bearer(KeyFor("victim"));
    const Answer made =
        Post("/v1/jobs",
             R"({"type":"workspace.create","title":"hunter2","payload":{"name":"hunter2",)"
             R"("command":["sleep","9"]}})",
             victim);
    ASSERT_EQ(made.status, 201) << made.text;
    job_ = made.body["id"].Text();
    workspace_ = made.body["workspace"].Text();
    Send("PUT", "/v1/secrets/hunter2", R"({"value":"hunter2"})", victim);
    misled_ = Bearer(KeyFor("attacker"));
    misled_.insert(misled_.end(), {{"A4c-Misled", "victim"}, {"If-Match", "*"}});
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
  StartOn(true);
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

// Otherwise the test above would show nothing.
TEST_F(TenantsPostgres, WithoutItTheSameRequestsReadAndWriteWhatIsAnothers) {
  StartOn(false);
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
