#include <set>

#include "tests/integration/support/api_fixture.h"

namespace a4cd {
namespace {

class ApiJobs : public ApiTest {};

TEST_F(ApiJobs, AreCreatedReadListedAndFoundByTheirWords) {
  const Answer created = CreateWorkspaceJob("dev-1");
  ASSERT_EQ(created.status, 201) << created.text;
  const std::string id = created.body["id"].Text();
  EXPECT_EQ(created.Header("location"), "/v1/jobs/" + id);
  EXPECT_EQ(created.Header("etag"), "\"1\"");
  const Answer got = Get("/v1/jobs/" + id);
  EXPECT_EQ(got.body, created.body);
  EXPECT_EQ(got.Header("etag"), "\"1\"");
  EXPECT_EQ(Get("/v1/jobs").body["items"].Items().at(0)["id"].Text(), id);
  const Answer found =
      Get("/v1/jobs?q=pier+and+state:pending&token=" + created.Header("a4c-token"));
  ASSERT_EQ(found.status, 200) << found.text;
  EXPECT_TRUE(found.body["fresh"].Bool());
  ASSERT_EQ(found.body["items"].Items().size(), 1u) << found.text;
  EXPECT_EQ(found.body["items"].Items()[0]["id"].Text(), id);
  EXPECT_EQ(Get("/v1/jobs?q=quay&token=" + created.Header("a4c-token")).body["total"].Int(), 0);
  EXPECT_EQ(Get("/v1/workspaces/dev-1").body["id"].Text(), created.body["workspace"].Text());
}

TEST_F(ApiJobs, AFilterHoldsBesideTheQueryAndIsReadByItself) {
  const std::string token = CreateWorkspaceJob("dev-1").Header("a4c-token") + "," +
                            CreateWorkspaceJob("dev-2").Header("a4c-token");
  const auto total = [&](const std::string& query) {
    const Answer found = Get("/v1/jobs?token=" + token + "&" + query);
    EXPECT_EQ(found.status, 200) << found.text;
    return found.body["total"].Int();
  };
  EXPECT_EQ(total("q=pier"), 2);
  EXPECT_EQ(total("q=pier&filter=state:failed"), 0);
  EXPECT_EQ(total("q=quay+or+pier&filter=state:pending"), 2);
  EXPECT_EQ(total("filter=%22dev-2%22"), 1);
  EXPECT_EQ(Get("/v1/jobs?filter=state:pending").body["source"].Text(), "index");
  const Answer refused = Get("/v1/jobs?q=state:failed&filter=a:b");
  EXPECT_EQ(refused.status, 400);
  EXPECT_TRUE(refused.body["detail"].Text().starts_with("filter: column 1: unknown field"))
      << refused.text;
  const std::string page = "/v1/jobs?limit=1&token=" + token + "&filter=state:pending";
  const std::string next = Get(page).body["next"].Text();
  ASSERT_FALSE(next.empty());
  EXPECT_EQ(Get(page + "&cursor=" + next).status, 200);
  EXPECT_EQ(Get("/v1/jobs?limit=1&token=" + token + "&filter=state:failed&cursor=" + next).status,
            400);
}

TEST_F(ApiJobs, FoundWithHighlightSayWhichWordsMatchedWhere) {
  const std::string token = CreateWorkspaceJob("dev-1").Header("a4c-token");
  const std::string path = "/v1/jobs?q=pie*+and+state:pending&token=" + token;
  const Answer found = Get(path + "&highlight=true");
  ASSERT_EQ(found.status, 200) << found.text;
  EXPECT_EQ(
      found.body["items"].Items().at(0)["highlights"].ToString(),
      R"([{"field":"title","fragments":[[{"text":"the "},{"text":"pier","match":true},{"text":" of dev-1"}]]}])");
  EXPECT_EQ(Get(path).body["items"].Items().at(0).Find("highlights"), nullptr);
  EXPECT_EQ(Get("/v1/jobs?q=state:pending&highlight=true&token=" + token)
                .body["items"]
                .Items()
                .at(0)["highlights"]
                .ToString(),
            "[]");
}

TEST_F(ApiJobs, FacetsCountTheValuesOfAllThatWasFound) {
  const auto create = [&](const std::string& team) {
    return Post("/v1/jobs", R"({"type":"image.build","labels":{"team":")" + team +
                                R"("},"payload":{"tag":"t","context":"eA=="}})");
  };
  const std::string tokens = create("infra").Header("a4c-token") + "," +
                             create("web").Header("a4c-token") + "," +
                             create("infra").Header("a4c-token");
  const std::string path = "/v1/jobs?limit=1&token=" + tokens;
  const Answer found = Get(path + "&facets=state,+labels.team,labels&facet_limit=1");
  ASSERT_EQ(found.status, 200) << found.text;
  EXPECT_EQ(found.body["items"].Items().size(), 1u);
  EXPECT_EQ(found.body["facets"].ToString(),
            R"([{"field":"state","values":[{"value":"pending","count":3}]},)"
            R"({"field":"labels.team","values":[{"value":"infra","count":2}]},)"
            R"({"field":"labels","values":[{"value":"team=infra","count":2}]}])");
  EXPECT_EQ(Get(path).body.Find("facets"), nullptr);
  EXPECT_EQ(Get("/v1/jobs?facets=state").body["source"].Text(), "index");
  EXPECT_EQ(Get(path + "&facets=stat").status, 400);
  EXPECT_EQ(Get(path + "&facets=title").status, 400);
  EXPECT_EQ(Get(path + "&facets=state&facet_limit=0").status, 400);
}

TEST_F(ApiJobs, AQueryIsCompletedWithFieldsAndTheTenantsOwnValues) {
  const std::string token = CreateWorkspaceJob("dev-1").Header("a4c-token");
  ASSERT_EQ(Get("/v1/jobs?q=*&token=" + token).body["total"].Int(), 1);
  EXPECT_EQ(
      Get("/v1/jobs:complete?q=not+sta").body.ToString(),
      R"({"start":4,"end":7,"suggestions":[{"text":"state:","kind":"field","description":"keyword"},)"
      R"({"text":"started_at:","kind":"field","description":"time"}]})");
  const std::string pending =
      R"({"start":6,"end":7,"suggestions":[{"text":"pending","kind":"value","description":"1"}]})";
  EXPECT_EQ(Get("/v1/jobs:complete?q=state:p").body.ToString(), pending);
  EXPECT_EQ(Get("/v1/jobs:complete?q=state:p+or+x&cursor=7").body.ToString(), pending);
  EXPECT_EQ(Get("/v1/jobs:complete?q=%C3%A4+or+state:p").body["start"].Int(), 11);
  EXPECT_EQ(Get("/v1/jobs:complete?q=state:p", Bearer(KeyFor("other")))
                .body["suggestions"]
                .Items()
                .size(),
            0u);
  EXPECT_EQ(Get("/v1/jobs:complete?q=reason:" + std::string(490, 'a')).status, 200);
  EXPECT_EQ(Get("/v1/jobs:complete?q=abc&cursor=4").status, 400);
  EXPECT_EQ(Get("/v1/jobs:complete?q=abc&cursor=x").status, 400);
}

TEST_F(ApiJobs, WithATakenNameAreAConflict) {
  EXPECT_EQ(CreateWorkspaceJob("dev-1").status, 201);
  const Answer second = CreateWorkspaceJob("dev-1");
  EXPECT_EQ(second.status, 409) << second.text;
  EXPECT_EQ(second.body["detail"].Text(), "the name is taken");
  EXPECT_EQ(Get("/v1/jobs").body["items"].Items().size(), 1u);
}

TEST_F(ApiJobs, SentTwiceWithOneKeyAreMadeOnce) {
  const Headers key = {{"Idempotency-Key", "k-1"}};
  const Answer first = CreateWorkspaceJob("dev-1", key);
  const Answer second = CreateWorkspaceJob("dev-1", key);
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(second.status, 201);
  EXPECT_EQ(second.text, first.text);
  EXPECT_EQ(first.Header("idempotent-replayed"), "");
  EXPECT_EQ(second.Header("idempotent-replayed"), "true");
  EXPECT_EQ(second.Header("etag"), first.Header("etag"));
  EXPECT_EQ(second.Header("a4c-token"), first.Header("a4c-token"));
  EXPECT_EQ(CreateWorkspaceJob("dev-2", key).status, 422);
  EXPECT_EQ(Get("/v1/jobs").body["items"].Items().size(), 1u);
}

TEST_F(ApiJobs, AreCanceledAndRetriedByTheVersionThatWasRead) {
  const std::string path = "/v1/jobs/" + CreateWorkspaceJob("dev-1").body["id"].Text();
  EXPECT_EQ(Post(path + ":cancel", "").status, 428);
  EXPECT_EQ(Post(path + ":cancel", "", {{"If-Match", "\"9\""}}).status, 412);
  EXPECT_EQ(Post(path + ":cancel", "", {{"If-Match", "x"}}).status, 400);
  EXPECT_EQ(Post(path + ":retry", "", {{"If-Match", "*"}}).status, 409);
  const Headers cancel = {{"If-Match", "\"1\""}, {"Idempotency-Key", "c"}};
  const Answer canceled = Post(path + ":cancel", "", cancel);
  ASSERT_EQ(canceled.status, 200) << canceled.text;
  EXPECT_EQ(canceled.body["state"].Text(), "canceled");
  EXPECT_EQ(canceled.Header("etag"), "\"2\"");
  EXPECT_EQ(Get(path).body["rev"].Int(), 2);
  // What was done is told again, though the state would refuse it now.
  const Answer again = Post(path + ":cancel", "", cancel);
  EXPECT_EQ(again.status, 200) << again.text;
  EXPECT_EQ(again.Header("idempotent-replayed"), "true");
  EXPECT_EQ(Post(path + ":cancel", "", {{"If-Match", "*"}}).status, 409);
  const Answer retried = Post(path + ":retry", "", {{"If-Match", "\"2\""}});
  EXPECT_EQ(retried.body["state"].Text(), "pending") << retried.text;
}

// Of the workspace, and not of the job that the answer shows.
TEST_F(ApiJobs, AboutAWorkspaceAreMadeByTheVersionOfItThatWasRead) {
  CreateWorkspaceJob("dev-1");
  const std::string path = "/v1/workspaces/dev-1";
  const Headers read = {{"If-Match", Get(path).Header("etag")}};
  EXPECT_EQ(Post(path + ":update", R"({"memory":"1GiB"})", read).status, 202);
  const Answer stopped = Post(path + ":stop", "", read);
  ASSERT_EQ(stopped.status, 202) << stopped.text;
  const Answer stale = Send("DELETE", path, "", read);
  EXPECT_EQ(stale.status, 412) << stale.text;
  EXPECT_EQ(Post(path + ":update", R"({"memory":"2GiB"})", read).status, 412);
  EXPECT_EQ(Send("DELETE", path, "", {{"If-Match", Get(path).Header("etag")}}).status, 202);
}

TEST_F(ApiJobs, ThatDeleteAWorkspaceCancelWhatWaitsForIt) {
  const std::string created = CreateWorkspaceJob("dev-1").body["id"].Text();
  const Answer deleted = Send("DELETE", "/v1/workspaces/dev-1");
  ASSERT_EQ(deleted.status, 202) << deleted.text;
  EXPECT_EQ(Get("/v1/jobs/" + created).body["reason"].Text(), "subject_gone");
  EXPECT_EQ(Get("/v1/workspaces/dev-1").body["desired"].Text(), "deleted");
  EXPECT_EQ(Post("/v1/workspaces/dev-1:start", "").status, 409);
}

TEST_F(ApiJobs, ArePagedWithoutGapsAndCursorsKeepToTheirList) {
  std::set<std::string> made;
  std::string tokens;
  for (int i = 0; i < 7; ++i) {
    const Answer created = CreateWorkspaceJob("dev-" + std::to_string(i));
    made.insert(created.body["id"].Text());
    tokens += (i == 0 ? "" : ",") + created.Header("a4c-token");
  }
  // With a token it is the index that is asked, for every page.
  const std::pair<std::string, Headers> ways[] = {
      {"", {}}, {"&token=" + tokens, {}}, {"", {{"A4C-Token", tokens}}}};
  for (const auto& [query, headers] : ways) {
    std::set<std::string> listed;
    std::string asked = "?limit=3" + query;
    for (int page = 0; page < 3; ++page) {
      const Answer answer = Send("GET", "/v1/jobs" + asked, "", page == 0 ? headers : Headers{});
      ASSERT_EQ(answer.status, 200) << answer.text;
      for (const a4c::Json& item : answer.body["items"].Items()) listed.insert(item["id"].Text());
      const std::string link = answer.Header("link");
      EXPECT_EQ(link.empty(), page == 2) << link;
      if (!link.empty()) asked = link.substr(1, link.find('>') - 1);
    }
    EXPECT_EQ(listed, made);
  }
  const std::string next = Get("/v1/jobs?limit=3").body["next"].Text();
  EXPECT_EQ(Get("/v1/jobs?limit=3&q=pier&cursor=" + next).status, 400);
  EXPECT_EQ(Get("/v1/workspaces?limit=3&cursor=" + next).status, 400);
  EXPECT_EQ(Get("/v1/jobs?cursor=" + next, Bearer(KeyFor("other"))).status, 400);
  EXPECT_EQ(Get("/v1/jobs?limit=0").status, 400);
  EXPECT_EQ(Get("/v1/jobs?limit=501").status, 400);
}

TEST_F(ApiJobs, InABatchFailAloneAndAreMadeOnce) {
  const std::string lines = R"({"type":"host.cleanup","payload":{"host":"local-1"}})"
                            "\n"
                            R"({"type":"nope","payload":{}})"
                            "\n\n"
                            "not json\n"
                            R"({"type":"workspace.create","payload":{"name":"w","command":["a"]}})"
                            "\n"
                            R"({"type":"workspace.create","payload":{"name":"w","command":["a"]}})";
  const Headers key = {{"Idempotency-Key", "b"}, {"Content-Type", "application/x-ndjson"}};
  const Answer first = Post("/v1/jobs:batch", lines, key);
  ASSERT_EQ(first.status, 200) << first.text;
  std::vector<std::pair<int64_t, int64_t>> results;
  size_t at = 0;
  while (at < first.text.size()) {
    const size_t end = first.text.find('\n', at);
    const auto line = a4c::ParseJson(first.text.substr(at, end - at));
    ASSERT_TRUE(line);
    results.emplace_back((*line)["line"].Int(), (*line)["status"].Int());
    at = end + 1;
  }
  const std::vector<std::pair<int64_t, int64_t>> wanted = {
      {1, 201}, {2, 400}, {4, 400}, {5, 201}, {6, 409}};
  EXPECT_EQ(results, wanted) << first.text;
  EXPECT_EQ(Post("/v1/jobs:batch", lines, key).text, first.text);
  EXPECT_EQ(Get("/v1/jobs").body["items"].Items().size(), 2u);
}

// By then the state of things says no: the workspace is being deleted, by this very batch.
TEST_F(ApiJobs, ABatchThatIsSentAgainMakesNothingTwice) {
  ASSERT_EQ(CreateWorkspaceJob("dev-1").status, 201);
  const std::string remove = R"({"type":"workspace.delete","payload":{"workspace":"dev-1"}})";
  const std::string clean = R"({"type":"host.cleanup","payload":{"host":"local-1"}})";
  const std::string wrong = R"({"type":"workspace.stop","payload":{"workspace":"nobody"}})";
  const auto send = [this](const std::string& lines, const std::string& key) {
    return Post("/v1/jobs:batch", lines,
                {{"Idempotency-Key", key}, {"Content-Type", "application/x-ndjson"}});
  };
  const Answer together = send(clean + "\n" + remove, "together");
  ASSERT_NE(together.text.find(R"("line":2,"status":201)"), std::string::npos) << together.text;
  EXPECT_EQ(send(clean + "\n" + remove, "together").text, together.text);
  EXPECT_EQ(Get("/v1/jobs").body["items"].Items().size(), 3u);

  ASSERT_EQ(CreateWorkspaceJob("dev-2").status, 201);
  const std::string remove_2 = R"({"type":"workspace.delete","payload":{"workspace":"dev-2"}})";
  const Answer apart = send(wrong + "\n" + remove_2, "apart");
  ASSERT_NE(apart.text.find(R"("line":2,"status":201)"), std::string::npos) << apart.text;
  EXPECT_EQ(send(wrong + "\n" + remove_2, "apart").text, apart.text);
  EXPECT_EQ(Get("/v1/jobs").body["items"].Items().size(), 5u);
  EXPECT_EQ(send(clean, std::string(181, 'k')).status, 400);
}

TEST_F(ApiJobs, AboutServersNeedServers) {
  const Answer hosts = Get("/v1/hosts");
  ASSERT_EQ(hosts.body["items"].Items().size(), 3u) << hosts.text;
  EXPECT_EQ(Post("/v1/hosts/local-1:drain", "").status, 200);
  EXPECT_TRUE(Get("/v1/hosts/local-1").body["draining"].Bool());
  EXPECT_EQ(Post("/v1/hosts/local-1:uncordon", "").status, 200);
  EXPECT_FALSE(Get("/v1/hosts/local-1").body["cordoned"].Bool());
  EXPECT_EQ(Post("/v1/hosts/nowhere:cordon", "").status, 404);
}

}  // namespace
}  // namespace a4cd
