// Refusals that rest on what is stored, also those that only the commit finds: they are kept under
// their Idempotency-Key, and are in the audit log.
#include <algorithm>
#include <span>
#include <sstream>

#include "apps/a4cd/api/commit.h"
#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/jobs/kinds.h"
#include "tests/integration/support/handler_fixture.h"

namespace a4cd {
namespace {

using a4c::Json;
using a4c::Result;

constexpr const char* kTenant = "acme";
constexpr const char* kCreate =
    R"({"type":"workspace.create","payload":{"name":"dev-1","command":["a"]}})";

class Refusals : public HandlerTest {
 protected:
  void SetUp() override { ASSERT_TRUE(database_.Open(Within(), AllCollections())); }

  Request Asked(const std::string& path, const std::string& key, const std::string& body = "") {
    Request request;
    request.method = "POST";
    request.path = path;
    request.headers = {{"Idempotency-Key", key}};
    request.body = body;
    request.principal = {.tenant = kTenant, .key_id = "mine", .scopes = {"*"}};
    request.deadline_ms = runtime_.clock.MonotonicMs() + 30'000;
    request.own_id = ids_.Next();
    return request;
  }
  Response Create(const std::string& key) {
    Request request = Asked("/v1/jobs", key, kCreate);
    return CreateJob(api_, request);
  }
  // Nothing is together with what is wrong: each line goes alone.
  std::string CreateInBatch(const std::string& key) {
    std::istringstream lines(std::string(kCreate) + "\n" +
                             R"({"type":"workspace.stop","payload":{"workspace":"nobody"}})");
    Request request = Asked("/v1/jobs:batch", key);
    request.input = &lines;
    request.content_length = std::ssize(lines.str());
    return CreateJobs(api_, request).body;
  }
  // As the worker that has deleted it.
  void FreeTheName() {
    const Result<Workspace> found = jobs_.FindWorkspace(Within(), kTenant, "dev-1");
    ASSERT_TRUE(found);
    const auto done =
        database_.Write(Within(), {.changes = {{.ref = WorkspaceRef(kTenant, found->id),
                                                .body = WorkspaceBody(*found),
                                                .tombstone = true,
                                                .expect = a4c::Expect::Rev(found->rev)}}});
    ASSERT_TRUE(done && done->outcome == a4c::Committed::Outcome::kApplied);
  }
  int64_t Rows(const std::string& outcome) {
    const auto rows = database_.Scan(Within(), {.kind = "audit", .scope = kTenant});
    EXPECT_TRUE(rows);
    return std::ranges::count_if(rows->records, [&](const a4c::Record& row) {
      return (*a4c::ParseJson(row.body))["outcome"].Text() == outcome;
    });
  }
  static bool IsReplayed(const Response& response) {
    return std::ranges::count(response.headers, std::pair<std::string, std::string>(
                                                    "Idempotent-Replayed", "true")) == 1;
  }
};

TEST_F(Refusals, ATakenNameIsSoUnderItsKeyAlsoOnceItIsFree) {
  ASSERT_EQ(Create("first").status, 201);
  const Response refused = Create("second");
  ASSERT_EQ(refused.status, 409) << refused.body;
  EXPECT_EQ(Rows("conflict"), 1);
  FreeTheName();
  const Response again = Create("second");
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.body, refused.body);
  EXPECT_TRUE(IsReplayed(again));
  EXPECT_EQ(Rows("conflict"), 1);
  EXPECT_EQ(Create("third").status, 201);
}

TEST_F(Refusals, SoItIsInABatch) {
  ASSERT_EQ(Create("first").status, 201);
  const std::string refused = CreateInBatch("second");
  EXPECT_NE(refused.find(R"({"line":1,"status":409,)"), std::string::npos) << refused;
  EXPECT_NE(refused.find(R"({"line":2,"status":404,)"), std::string::npos) << refused;
  EXPECT_EQ(Rows("conflict"), 1);
  EXPECT_EQ(Rows("not-found"), 1);
  FreeTheName();
  EXPECT_EQ(CreateInBatch("second"), refused);
  EXPECT_EQ(Rows("conflict"), 1);
  EXPECT_EQ(Rows("not-found"), 1);
}

TEST_F(Refusals, WhoHasLostARaceHasLostItWhenHeAsksAgain) {
  ASSERT_EQ(Create("first").status, 201);
  const auto list = jobs_.List(Within(), kTenant, {});
  ASSERT_TRUE(list);
  const Job& job = list->jobs.at(0);
  Request request = Asked("/v1/jobs/" + job.id + ":cancel", "second");
  request.headers.emplace_back("If-Match", "\"1\"");
  const auto cancel = [&]() -> Result<PreparedWrite> {
    A4C_TRY(PreparedWrite write, jobs_.PrepareCancel(Within(), request.principal, job));
    A4C_TRY(const a4c::Committed other, database_.Write(Within(), write.commit));
    EXPECT_EQ(other.outcome, a4c::Committed::Outcome::kApplied);
    return write;
  };
  const Response refused = MakeWrite(api_, request, {.if_match = true}, cancel);
  ASSERT_EQ(refused.status, 412) << refused.body;
  EXPECT_EQ(Rows("precondition-failed"), 1);
  const Response again = MakeWrite(api_, request, {.if_match = true}, [&] {
    return jobs_.PrepareRetry(request.principal, *jobs_.Get(Within(), kTenant, job.id));
  });
  EXPECT_EQ(again.body, refused.body);
  EXPECT_TRUE(IsReplayed(again));
  EXPECT_EQ(Rows("precondition-failed"), 1);
}

TEST_F(Refusals, OnlyTheLastDecisionIsOne) {
  int decisions = 0;
  const Request request = Asked("/v1/jobs", "first");
  const auto decide = [&]() -> Result<PreparedWrite> {
    ++decisions;
    PreparedWrite write;
    write.id = "job";
    write.rev = 3;
    write.commit.changes = {{.ref = JobRef(kTenant, "gone"), .expect = a4c::Expect::Rev(2)}};
    write.decide_again = true;
    return write;
  };
  EXPECT_EQ(MakeWrite(api_, request, {}, decide).status, 409);
  EXPECT_EQ(decisions, 5);
  EXPECT_EQ(Rows("conflict"), 1);
}

}  // namespace
}  // namespace a4cd
