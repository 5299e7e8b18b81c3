// The sync as operators meet it: through the API and the command line.
#include <Poco/Net/ServerSocket.h>

#include "a4c/clock.h"
#include "a4c/sinks.h"
#include "tests/integration/cli/cli_fixture.h"

namespace a4cd {
namespace {

class ApiSync : public Cli {
 protected:
  // Until the task has ended, but no longer than a minute.
  a4c::Json Ended(const std::string& task) {
    const a4c::Runtime runtime = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
    const auto waiter = runtime.threads.NewWaiter();
    const int64_t until_ms = runtime.clock.MonotonicMs() + 60'000;
    Answer answer;
    do {
      const a4c::Waiter::Lock lock(*waiter);
      waiter->Wait(runtime.clock.MonotonicMs() + 50);
      answer = Get("/v1/sync/tasks/" + task);
    } while (answer.body["state"].Text() == "running" && runtime.clock.MonotonicMs() < until_ms);
    EXPECT_EQ(answer.status, 200) << answer.text;
    return answer.body;
  }

  // Until the role sync is not ready, but no longer than half a minute.
  Answer NotReady() {
    const a4c::Runtime runtime = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
    const auto waiter = runtime.threads.NewWaiter();
    const int64_t until_ms = runtime.clock.MonotonicMs() + 30'000;
    Answer ready = Get("/readyz?role=sync");
    while (ready.status == 200 && runtime.clock.MonotonicMs() < until_ms) {
      const a4c::Waiter::Lock lock(*waiter);
      waiter->Wait(runtime.clock.MonotonicMs() + 50);
      ready = Get("/readyz?role=sync");
    }
    return ready;
  }

  a4c::Json Do(const std::string& verb, const std::string& body = "") {
    const Answer answer = Post("/v1/sync:" + verb, body);
    EXPECT_TRUE(answer.status == 200 || answer.status == 202) << answer.text;
    return answer.body;
  }
};

TEST_F(ApiSync, AVerifyProvesThatStoreAndIndexAgree) {
  CreateWorkspaceJob("dev-1");
  Do("verify");
  const a4c::Json task = Ended("verify");
  EXPECT_EQ(task["state"].Text(), "succeeded");
  EXPECT_EQ(task["drift"].Int(), 0);
  const Answer status = Get("/v1/sync");
  ASSERT_EQ(status.status, 200) << status.text;
  EXPECT_EQ(status.body["kind"].Text(), "job");
  EXPECT_TRUE(status.body["proved_at"].IsText());
  EXPECT_EQ(status.body["generations"].Items().size(), 1u);
}

TEST_F(ApiSync, ARebuildPutsANewGenerationInPlaceAndTheOldOneIsDropped) {
  CreateWorkspaceJob("dev-1");
  EXPECT_EQ(Do("rebuild")["generation"].Int(), 2);
  EXPECT_EQ(Ended("rebuild")["state"].Text(), "succeeded");
  EXPECT_EQ(Get("/v1/jobs?q=pier").body["items"].Items().size(), 1u);
  EXPECT_TRUE(Get("/v1/sync").body["generations"].Items().at(1)["live"].Bool());
  EXPECT_EQ(Do("drop-old")["dropped"].Int(), 1);
  EXPECT_EQ(Post("/v1/sync:cancel-rebuild", "").status, 409);
}

TEST_F(ApiSync, ADryRunComparesAndStartsNothing) {
  CreateWorkspaceJob("dev-1");
  const Answer compared = Post("/v1/sync:verify", R"({"dry_run":true})");
  EXPECT_EQ(compared.status, 200) << compared.text;
  EXPECT_TRUE(compared.body["dry_run"].Bool());
  EXPECT_GE(compared.body["done"].Int(), 1);
  EXPECT_EQ(Post("/v1/sync:verify", R"({"dry_run":1})").status, 400);
  EXPECT_EQ(Post("/v1/sync:verify", R"({"dry":true})").status, 400);
  const Answer audit = Get("/v1/audit?limit=100");
  for (const a4c::Json& row : audit.body["items"].Items()) {
    EXPECT_NE(row["operation"].Text(), "verifySync");
  }
}

TEST_F(ApiSync, WhatAnOperatorStartsOrIsRefusedIsInTheAuditLog) {
  Do("repair");
  Ended("repair");
  EXPECT_EQ(Post("/v1/sync:cancel-rebuild", "").status, 409);
  const auto rows = Get("/v1/audit?limit=100").body["items"].Items();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["operation"].Text(), "cancelRebuild");
  EXPECT_EQ(rows[0]["outcome"].Text(), "conflict");
  EXPECT_EQ(rows[1]["operation"].Text(), "repairSync");
  EXPECT_EQ(rows[1]["outcome"].Text(), "applied");
}

TEST_F(ApiSync, ARepairSendsEverythingAgain) {
  CreateWorkspaceJob("dev-1");
  CreateWorkspaceJob("dev-2");
  Do("repair");
  EXPECT_EQ(Ended("repair")["state"].Text(), "succeeded");
}

TEST_F(ApiSync, DeadLettersAreListedAndTheUnknownIsNotFound) {
  const Answer letters = Get("/v1/sync/dead-letters");
  ASSERT_EQ(letters.status, 200) << letters.text;
  EXPECT_TRUE(letters.body["items"].IsArray());
  EXPECT_EQ(Get("/v1/sync/dead-letters?cursor=nope").status, 400);
  EXPECT_EQ(Do("retry")["retried"].Int(), 0);
  EXPECT_EQ(Post("/v1/sync:retry", R"({"ids":["nope"]})").status, 404);
  EXPECT_EQ(Post("/v1/sync:retry", R"({"id":"nope"})").status, 400);
  EXPECT_EQ(Post("/v1/sync:retry", R"({"ids":[]})").status, 400) << "none is not all";
  EXPECT_EQ(Get("/v1/sync/tasks/repair").status, 404);
  EXPECT_EQ(Get("/v1/sync/tasks/nope").status, 404);
}

// It spans all tenants, so that none but an operator may see it, whatever else a key allows.
TEST_F(ApiSync, WithoutTheScopeNothingIsShownOrDone) {
  const Headers tenant = Bearer(
      KeyFor("other",
             R"("jobs:read","jobs:write","status:read","hosts:admin","keys:admin","audit:read")"));
  for (const char* path : {"/v1/sync", "/v1/sync/dead-letters", "/v1/sync/tasks/verify"}) {
    EXPECT_EQ(Get(path, tenant).status, 403) << path;
  }
  for (const char* verb : {"verify", "repair", "rebuild", "cancel-rebuild", "drop-old", "retry"}) {
    EXPECT_EQ(Post(std::string("/v1/sync:") + verb, "", tenant).status, 403) << verb;
  }
  EXPECT_EQ(Post("/v1/keys", R"({"name":"more","scopes":["sync:admin"]})", tenant).status, 400)
      << "nobody gives what they lack";
}

TEST_F(ApiSync, PastTheLagBoundTheRoleSyncIsNotReady) {
  EXPECT_EQ(Get("/readyz?role=sync").status, 200);
  // Without a poller nothing becomes searchable.
  StartApp("roles: [api, sync]\ndatabase: {ready_lag_max: 0}\n");
  CreateWorkspaceJob("dev-1");
  const Answer ready = NotReady();
  EXPECT_EQ(ready.status, 503);
  EXPECT_NE(ready.text.find("a change has waited for"), std::string::npos) << ready.text;
  EXPECT_EQ(Get("/readyz").status, 200);
}

// Nobody listens at that port: it is bound, and refuses connections.
TEST_F(ApiSync, WithoutItsIndexAndItsBusItStartsAndTakesWritesAndSaysWhatIsAway) {
  Poco::Net::ServerSocket bound;
  bound.bind(Poco::Net::SocketAddress("127.0.0.1", 0));
  const std::string away = "127.0.0.1:" + std::to_string(bound.address().port());
  StartApp("search: {plugin: search-elastic, config: {urls: ['http://" + away +
           "']}}\nbus: {plugin: bus-kafka, config: {brokers: '" + away +
           "'}}\ndrain: {timeout: 1s}\n");
  EXPECT_EQ(Get("/readyz").status, 200);
  const Answer created = CreateWorkspaceJob("dev-1");
  EXPECT_EQ(created.status / 100, 2) << created.text;
  const Answer listed = Get("/v1/jobs");
  EXPECT_EQ(listed.status, 200) << listed.text;
  EXPECT_EQ(listed.body["items"].Items().size(), 1u);
  const Answer searched = Get("/v1/jobs?q=pier");
  EXPECT_EQ(searched.status, 503);
  EXPECT_EQ(searched.body["type"].Text(), "urn:a4c:problem:unavailable");
  EXPECT_NE(searched.body["hint"].Text().find("reads the store"), std::string::npos);
  EXPECT_NE(Get("/v1/sync").body["index_trouble"].Text(), "");
  const Answer ready = NotReady();
  EXPECT_EQ(ready.status, 503);
  EXPECT_NE(ready.text.find("search-elastic"), std::string::npos) << ready.text;
  EXPECT_EQ(Get("/readyz").status, 200);
}

TEST_F(ApiSync, TheCommandLineFollowsATaskInNdjsonOnAPipe) {
  CreateWorkspaceJob("dev-1");
  const Ran rebuilt = Run({"sync", "rebuild"});
  EXPECT_EQ(rebuilt.exit_code, 0) << rebuilt.err;
  const size_t last = rebuilt.out.rfind('\n', rebuilt.out.size() - 2);
  const auto line = a4c::ParseJson(rebuilt.out.substr(last == std::string::npos ? 0 : last + 1));
  ASSERT_TRUE(line) << rebuilt.out;
  EXPECT_EQ((*line)["state"].Text(), "succeeded");
  EXPECT_EQ(Run({"sync", "rebuild", "--drop-old"}).out, "dropped 1 generation\n");
  EXPECT_EQ(Run({"sync", "rebuild", "--cancel"}).exit_code, 5);
}

TEST_F(ApiSync, TheCommandLineShowsAndRepairs) {
  const Ran verified = Run({"sync", "verify", "-o", "table"});
  EXPECT_EQ(verified.exit_code, 0) << verified.err;
  EXPECT_TRUE(verified.out.starts_with("verify: succeeded")) << verified.out;
  EXPECT_EQ(Run({"sync", "verify", "--dry-run", "-o", "table"}).exit_code, 0);
  const Ran status = Run({"sync", "status"});
  EXPECT_EQ(status.exit_code, 0) << status.err;
  EXPECT_NE(status.out.find("proven equal"), std::string::npos) << status.out;
  EXPECT_EQ(Run({"sync", "repair"}).exit_code, 0);
  EXPECT_EQ(Run({"sync", "dead-letters", "-o", "json"}).out, "[]\n");
  EXPECT_EQ(Run({"sync", "retry"}).exit_code, 2);
  EXPECT_EQ(Run({"sync", "retry", "--all", "--dry-run", "-o", "json"}).out, "[]\n");
  for (const Ran& ran :
       {Run({"sync", "retry", "nope"}), Run({"sync", "retry", "nope", "--dry-run"})}) {
    EXPECT_EQ(ran.exit_code, 3);
    EXPECT_NE(ran.err.find("there is no dead letter nope"), std::string::npos) << ran.err;
  }
  EXPECT_EQ(Run({"sync", "retry", "--all"}).out, "sent again: 0\n");
}

}  // namespace
}  // namespace a4cd
