// The audit log: a row for each request that changed something, or was refused by what is stored.
#include "tests/integration/support/api_fixture.h"

namespace a4cd {
namespace {

class ApiAudit : public ApiTest {
 protected:
  std::vector<a4c::Json> Rows(const Headers& headers = {}) {
    const Answer answer = Get("/v1/audit?limit=100", headers);
    EXPECT_EQ(answer.status, 200) << answer.text;
    return answer.body["items"].Items();
  }
};

TEST_F(ApiAudit, SaysWhoChangedWhatAndByWhichRequest) {
  const Answer made = CreateWorkspaceJob("dev-1");
  const std::string job = made.body["id"].Text();
  const auto rows = Rows();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0]["operation"].Text(), "createJob");
  EXPECT_EQ(rows[0]["outcome"].Text(), "applied");
  EXPECT_EQ(rows[0]["record_kind"].Text(), "job");
  EXPECT_EQ(rows[0]["record_id"].Text(), job);
  EXPECT_EQ(rows[0]["record_rev"].Int(), 1);
  EXPECT_EQ(rows[0]["request_id"].Text(), made.Header("x-request-id"));
  EXPECT_EQ(rows[0]["key_id"].Text(), Get("/v1/keys").body["items"].Items().at(0)["id"].Text());
  EXPECT_EQ(rows[0]["remote"].Text(), "127.0.0.1");
}

TEST_F(ApiAudit, WhereARequestIsFromIsTheWordOfATrustedGatewayAlone) {
  const Headers forwarded = {{"X-Forwarded-For", "203.0.113.9"}};
  CreateWorkspaceJob("dev-1", forwarded);
  EXPECT_EQ(Rows().at(0)["remote"].Text(), "127.0.0.1");
  StartApp("api: {trusted_proxies: [127.0.0.0/8]}\n");
  CreateWorkspaceJob("dev-1", forwarded);
  EXPECT_EQ(Rows().at(0)["remote"].Text(), "203.0.113.9");
}

TEST_F(ApiAudit, TheNewestIsFirstAndARefusalIsARow) {
  const std::string job = CreateWorkspaceJob("dev-1").body["id"].Text();
  ASSERT_EQ(Post("/v1/jobs/" + job + ":cancel", "", {{"If-Match", "*"}}).status, 200);
  ASSERT_EQ(Post("/v1/jobs/" + job + ":cancel", "", {{"If-Match", "*"}}).status, 409);
  ASSERT_EQ(CreateWorkspaceJob("dev-1").status, 409) << "the name is taken";
  const auto rows = Rows();
  ASSERT_GE(rows.size(), 3u);
  EXPECT_EQ(rows[rows.size() - 1]["operation"].Text(), "createJob");
  EXPECT_EQ(rows[rows.size() - 2]["operation"].Text(), "cancelJob");
  EXPECT_EQ(rows[rows.size() - 3]["outcome"].Text(), "conflict");
}

TEST_F(ApiAudit, ARequestThatIsSentAgainIsOneRow) {
  for (int i = 0; i < 3; ++i) CreateWorkspaceJob("dev-1", {{"Idempotency-Key", "same"}});
  EXPECT_EQ(Rows().size(), 1u);
}

TEST_F(ApiAudit, OfABatchEachJobIsARow) {
  const std::string line = R"({"type":"host.cleanup","payload":{"host":"local-1"}})";
  const Answer answer = Post("/v1/jobs:batch", line + "\n" + line + "\n{}\n");
  ASSERT_EQ(answer.status, 200) << answer.text;
  const auto rows = Rows();
  EXPECT_EQ(rows.size(), 2u);
  for (const a4c::Json& row : rows) EXPECT_EQ(row["operation"].Text(), "createJobs");
}

TEST_F(ApiAudit, ReadingIsNoRowAndEachTenantSeesItsOwn) {
  Get("/v1/jobs");
  EXPECT_TRUE(Rows().empty());
  const std::string key = KeyFor("other");
  CreateWorkspaceJob("theirs", Bearer(key));
  const auto mine = Rows();
  for (const a4c::Json& row : mine) EXPECT_NE(row["operation"].Text(), "createJob");
  EXPECT_EQ(mine.size(), 2u) << "the tenant and its key";
  EXPECT_EQ(Rows(Bearer(key)).size(), 1u);
}

TEST_F(ApiAudit, NoSecretIsInIt) {
  const std::string made = KeyFor("other");
  const Answer answer = Get("/v1/audit");
  EXPECT_EQ(answer.text.find(made), std::string::npos);
  EXPECT_EQ(answer.text.find(key_), std::string::npos);
}

TEST_F(ApiAudit, PagesGoBackInTime) {
  for (int i = 0; i < 5; ++i) CreateWorkspaceJob("dev-" + std::to_string(i));
  const Answer first = Get("/v1/audit?limit=3");
  ASSERT_EQ(first.body["items"].Items().size(), 3u);
  const Answer second = Get("/v1/audit?limit=3&cursor=" + first.body["next"].Text());
  EXPECT_EQ(second.body["items"].Items().size(), 2u) << second.text;
}

TEST_F(ApiAudit, IsOffByConfig) {
  StartApp("api: {audit: false}\n");
  CreateWorkspaceJob("dev-1");
  EXPECT_TRUE(Rows().empty());
}

}  // namespace
}  // namespace a4cd
