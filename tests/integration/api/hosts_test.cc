// Servers through the API: enrolled, cordoned, drained, removed.
#include <functional>

#include "a4c/clock.h"
#include "a4c/sinks.h"
#include "tests/integration/support/workspace_fixture.h"

namespace a4cd {
namespace {

constexpr const char* kNew =
    R"({"id":"new-1","address":"memory:new","fingerprint":"SHA256:new","labels":{"zone":"b"},)"
    R"("settings":{"disk":"50GiB"}})";

class ApiHosts : public ApiTest {
 protected:
  void SetUp() override {
    StartApp(
        "roles: [api, worker, sync, poller]\nwork: {idle_period: 20ms, capacity_wait: 100ms}\n"
        "loops: {look_period: 20ms}\n");
  }
  bool Eventually(const std::function<bool()>& condition) {
    const a4c::Runtime runtime = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
    const std::unique_ptr<a4c::Waiter> waiter = runtime.threads.NewWaiter();
    const int64_t until_ms = runtime.clock.MonotonicMs() + 60'000;
    while (!condition()) {
      if (runtime.clock.MonotonicMs() >= until_ms) return false;
      a4c::Waiter::Lock lock(*waiter);
      waiter->Wait(runtime.clock.MonotonicMs() + 20);
    }
    return true;
  }
  void CreateWorkspace(const std::string& name, const std::string& more) {
    const Answer made =
        Post("/v1/workspaces",
             R"({"name":")" + name + R"(","command":["sleep","infinity"])" + more + "}");
    ASSERT_EQ(made.status, 202) << made.text;
    ASSERT_TRUE(Eventually([&] {
      return Get("/v1/workspaces/" + name).body["actual"].Text() == "running";
    })) << Get("/v1/jobs/" + made.body["id"].Text()).text;
  }
  // What a stream says until this has come; after: where another one was.
  std::string Events(const std::string& key, const std::string& until,
                     const std::string& after = "") {
    const size_t at = after.rfind("id: ");
    const std::string last =
        at == std::string::npos
            ? ""
            : "Last-Event-ID: " + after.substr(at + 4, after.find('\n', at) - at - 4) + "\r\n";
    return Raw("GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key + "\r\n" +
                   last + "\r\n",
               until);
  }
  std::string HostOf(const std::string& name) {
    return Get("/v1/workspaces/" + name).body["host"].Text();
  }
};

TEST_F(ApiHosts, AServerIsProbedEnrolledAndUsed) {
  const Answer probe = Post("/v1/hosts:probe", R"({"address":"memory:new"})");
  ASSERT_EQ(probe.status, 200) << probe.text;
  EXPECT_EQ(probe.body["fingerprint"].Text(), "SHA256:new");
  EXPECT_EQ(Get("/v1/hosts").body["items"].Items().size(), 3u) << "a probe adds nothing";
  const Answer added = Post("/v1/hosts", kNew);
  ASSERT_EQ(added.status, 201) << added.text;
  EXPECT_EQ(added.Header("location"), "/v1/hosts/new-1");
  ASSERT_TRUE(Eventually([&] { return Get("/v1/hosts/new-1").body["reachable"].Bool(); }));
  const Answer host = Get("/v1/hosts/new-1");
  EXPECT_EQ(host.body["disk_total_bytes"].Int(), 50LL << 30) << host.text;
  EXPECT_EQ(host.body["fingerprint"].Text(), "SHA256:new");
  EXPECT_EQ(host.body["labels"]["zone"].Text(), "b");
  CreateWorkspace("dev-1", R"(,"host":"new-1")");
  EXPECT_EQ(HostOf("dev-1"), "new-1");
}

TEST_F(ApiHosts, WhatAServerSaysOfItselfIsShown) {
  ASSERT_EQ(
      Post("/v1/hosts", R"({"id":"new-1","address":"memory:new","fingerprint":"SHA256:new",)"
                        R"("settings":{"arch":"arm64","warning":"its clock is 9 s behind ours"}})")
          .status,
      201);
  ASSERT_TRUE(Eventually([&] { return Get("/v1/hosts/new-1").body["reachable"].Bool(); }));
  const Answer host = Get("/v1/hosts/new-1");
  EXPECT_EQ(host.body["arch"].Text(), "arm64") << host.text;
  EXPECT_EQ(host.body["versions"]["memory"].Text(), "1") << host.text;
  ASSERT_EQ(host.body["warnings"].Items().size(), 1u) << host.text;
  EXPECT_EQ(host.body["warnings"].Items()[0].Text(), "its clock is 9 s behind ours");
  EXPECT_EQ(Get("/v1/hosts/local-1").body["warnings"].Items().size(), 0u);
}

TEST_F(ApiHosts, AServerIsEnrolledAgainAndServesOn) {
  ASSERT_EQ(Post("/v1/hosts", kNew).status, 201);
  const Answer enrolled = Post("/v1/hosts/new-1:enrol", "");
  EXPECT_EQ(enrolled.status, 200) << enrolled.text;
  EXPECT_EQ(enrolled.body["id"].Text(), "new-1");
  CreateWorkspace("dev-1", R"(,"host":"new-1")");
  EXPECT_EQ(Post("/v1/hosts/local-1:enrol", "").status, 200) << "one of the provider's config";
  EXPECT_EQ(Post("/v1/hosts/nobody:enrol", "").status, 404);
}

TEST_F(ApiHosts, AServerIsReachedInAnotherWayAndStaysTheSame) {
  ASSERT_EQ(Post("/v1/hosts", kNew).status, 201);
  CreateWorkspace("dev-1", R"(,"host":"new-1")");
  const auto change = [this](const std::string& body, const std::string& host = "new-1") {
    return Send("PATCH", "/v1/hosts/" + host, body, {{"If-Match", "*"}});
  };
  EXPECT_EQ(Send("PATCH", "/v1/hosts/new-1", R"({"address":"memory:new"})").status, 428);
  const Answer changed =
      change(R"({"settings":{"set":{"warning":"its clock is 9 s behind ours"}}})");
  ASSERT_EQ(changed.status, 200) << changed.text;
  EXPECT_EQ(changed.body["settings"]["warning"].Text(), "its clock is 9 s behind ours");
  EXPECT_EQ(Get("/v1/hosts/new-1").body["warnings"].Items().size(), 1u);
  const Answer back = change(R"({"settings":{"remove":["warning"]}})");
  ASSERT_EQ(back.status, 200) << back.text;
  EXPECT_EQ(Get("/v1/hosts/new-1").body["warnings"].Items().size(), 0u);
  EXPECT_EQ(HostOf("dev-1"), "new-1");

  const Answer other = change(R"({"address":"memory:elsewhere"})");
  EXPECT_EQ(other.status, 409) << "another server answers there: " << other.text;
  EXPECT_EQ(Get("/v1/hosts/new-1").body["address"].Text(), "memory:new");
  EXPECT_EQ(change(R"({})").status, 400);
  EXPECT_EQ(change(R"({"fingerprint":"SHA256:x"})").status, 400);
  EXPECT_EQ(change(R"({"address":"memory:new"})", "nobody").status, 404);
  const Answer fixed = change(R"({"address":"memory:new"})", "local-1");
  EXPECT_EQ(fixed.status, 409) << fixed.text;
  EXPECT_NE(fixed.body["hint"].Text().find("hosts.config"), std::string::npos);
}

TEST_F(ApiHosts, WhatKeepsAServerFromBeingRemovedIsNamed) {
  ASSERT_EQ(Post("/v1/hosts", kNew).status, 201);
  CreateWorkspace("dev-1", R"(,"host":"new-1")");
  ASSERT_EQ(Post("/v1/hosts/new-1:cordon", "").status, 200);
  const std::string id = Get("/v1/workspaces/dev-1").body["id"].Text();
  const Answer kept = Send("DELETE", "/v1/hosts/new-1");
  EXPECT_EQ(kept.status, 409) << kept.text;
  EXPECT_NE(kept.body["detail"].Text().find("by workspace " + id), std::string::npos) << kept.text;
}

TEST_F(ApiHosts, NobodyIsTrustedAtFirstSight) {
  const Answer none = Post("/v1/hosts", R"({"id":"new-1","address":"memory:new"})");
  EXPECT_EQ(none.status, 400) << none.text;
  EXPECT_EQ(none.body["errors"].Items().at(0)["pointer"].Text(), "/fingerprint");
  EXPECT_NE(none.body["hint"].Text().find("/v1/hosts:probe"), std::string::npos);
  const Answer other =
      Post("/v1/hosts", R"({"id":"new-1","address":"memory:new","fingerprint":"SHA256:other"})");
  EXPECT_EQ(other.status, 409) << other.text;
  EXPECT_NE(other.body["detail"].Text().find("SHA256:new"), std::string::npos) << "names both";
  EXPECT_EQ(Get("/v1/hosts/new-1").status, 404);
}

TEST_F(ApiHosts, WhatIsWrongWithAServerIsSaid) {
  EXPECT_EQ(Post("/v1/hosts", R"({"id":"../x","address":"memory:a","fingerprint":"x"})").status,
            400);
  const Answer setting =
      Post("/v1/hosts", R"({"id":"new-1","address":"memory:new","fingerprint":"SHA256:new",)"
                        R"("settings":{"dsik":"1GiB"}})");
  EXPECT_EQ(setting.status, 400) << setting.text;
  EXPECT_NE(setting.text.find("dsik"), std::string::npos) << setting.text;
  EXPECT_EQ(Post("/v1/hosts:probe", R"({"address":"nonsense"})").status, 400);
  EXPECT_EQ(Post("/v1/hosts", kNew).status, 201);
  const Answer again = Post("/v1/hosts", kNew);
  EXPECT_EQ(again.status, 409) << again.text;
  EXPECT_EQ(again.body["detail"].Text(), "this server is new-1 already");
  EXPECT_NE(again.body["hint"].Text().find("a4c host get new-1"), std::string::npos) << again.text;
  EXPECT_EQ(
      Post("/v1/hosts", R"({"id":"new-1","address":"memory:other","fingerprint":"SHA256:other"})")
          .body["detail"]
          .Text(),
      "there is another server new-1 already");
  const Answer twice =
      Post("/v1/hosts", R"({"id":"new-2","address":"memory:new","fingerprint":"SHA256:new"})");
  EXPECT_EQ(twice.status, 409) << twice.text;
  EXPECT_NE(twice.body["detail"].Text().find("new-1"), std::string::npos);
  EXPECT_NE(twice.body["hint"].Text().find("a4c host remove new-1"), std::string::npos);
}

TEST_F(ApiHosts, AServerThatIsDrainedGivesAwayWhatMayBeMovedAndIsThenRemoved) {
  ASSERT_EQ(Post("/v1/hosts", kNew).status, 201);
  ASSERT_TRUE(Eventually([&] { return Get("/v1/hosts/new-1").body["reachable"].Bool(); }));
  // So that both are placed on the new one.
  for (const char* id : {"local-1", "local-2", "local-3"}) {
    ASSERT_EQ(Post("/v1/hosts/" + std::string(id) + ":cordon", "").status, 200);
  }
  CreateWorkspace("moves", R"(,"on_drain":"recreate")");
  CreateWorkspace("stays", "");
  ASSERT_EQ(HostOf("moves"), "new-1");
  ASSERT_EQ(HostOf("stays"), "new-1");
  ASSERT_EQ(Post("/v1/hosts/local-2:uncordon", "").status, 200);
  EXPECT_EQ(Send("DELETE", "/v1/hosts/new-1").status, 409) << "it is not empty";
  const Headers once = {{"Idempotency-Key", "drain"}};
  ASSERT_EQ(Post("/v1/hosts/new-1:drain", "", once).status, 200);
  EXPECT_EQ(Post("/v1/hosts/new-1:drain", "", once).status, 200);
  EXPECT_EQ(Post("/v1/hosts/new-1:drain?with_volumes=true", "", once).status, 422)
      << "that is another request";
  ASSERT_TRUE(Eventually([&] { return HostOf("moves") == "local-2"; }));
  const Answer host = Get("/v1/hosts/new-1");
  EXPECT_FALSE(host.body["drained"].Bool(true)) << host.text;
  ASSERT_EQ(host.body["staying"].Items().size(), 1u) << host.text;
  EXPECT_EQ(host.body["staying"].Items()[0]["name"].Text(), "stays");
  EXPECT_EQ(host.body["staying_count"].Int(), 1);
  const Answer others = Get("/v1/hosts/new-1", Bearer(KeyFor("other", R"("hosts:read")")));
  EXPECT_TRUE(others.body["staying"].Items().empty()) << "of another tenant: " << others.text;
  EXPECT_EQ(others.body["staying_count"].Int(), 1) << others.text;
  EXPECT_EQ(HostOf("stays"), "new-1");

  ASSERT_EQ(Send("DELETE", "/v1/workspaces/stays", "").status, 202);
  ASSERT_TRUE(Eventually([&] { return Get("/v1/hosts/new-1").body["drained"].Bool(); }));
  EXPECT_EQ(Get("/v1/hosts/new-1").body["disk_committed_bytes"].Int(-1), 0);
  const Answer removed = Send("DELETE", "/v1/hosts/new-1");
  EXPECT_EQ(removed.status, 200) << removed.text;
  EXPECT_EQ(Get("/v1/hosts/new-1").status, 404);
  ASSERT_TRUE(Eventually([&] { return Get("/v1/hosts").body["items"].Items().size() == 3; }));
  EXPECT_EQ(Post("/v1/hosts", kNew).status, 201) << "and may come again";
}

TEST_F(ApiHosts, AServerOfTheConfigIsNotRemoved) {
  ASSERT_TRUE(Eventually([&] { return Get("/v1/hosts/local-1").status == 200; }));
  ASSERT_EQ(Post("/v1/hosts/local-1:cordon", "").status, 200);
  const Answer answer = Send("DELETE", "/v1/hosts/local-1");
  EXPECT_EQ(answer.status, 409) << answer.text;
  EXPECT_NE(answer.body["hint"].Text().find("hosts.config"), std::string::npos);
  EXPECT_TRUE(Get("/v1/hosts/local-1").body["cordoned"].Bool());
}

// Another machine has its address, and its own will not come again.
TEST_F(ApiHosts, AnEnrolledServerThatIsGoneForGoodIsRemovedByAWord) {
  ASSERT_EQ(Post("/v1/hosts", kNew).status, 201);
  for (const char* name : {"kept", "going"}) CreateWorkspace(name, R"(,"host":"new-1")");
  ASSERT_EQ(Post("/v1/hosts/new-1:cordon", "").status, 200);
  EXPECT_EQ(Send("DELETE", "/v1/hosts/new-1?lost=true").status, 409) << "it answers";
  ASSERT_EQ(Send("PATCH", "/v1/hosts/new-1", R"({"settings":{"set":{"shows":"SHA256:anew"}}})",
                 {{"If-Match", "*"}})
                .status,
            200);
  const Answer deletion = Send("DELETE", "/v1/workspaces/going");
  ASSERT_EQ(deletion.status, 202) << deletion.text;
  const std::string job = "/v1/jobs/" + deletion.body["id"].Text();
  ASSERT_TRUE(Eventually([&] { return Get(job).body["reason"].Text() == "host_unreachable"; }))
      << Get(job).text;
  EXPECT_EQ(Send("DELETE", "/v1/hosts/new-1").status, 409);
  EXPECT_EQ(Send("DELETE", "/v1/hosts/new-1?lost=maybe").status, 400);
  const Answer host = Get("/v1/hosts/new-1");
  EXPECT_EQ(host.body["workspaces"].Int(), 2) << host.text;
  EXPECT_EQ(host.body["snapshots"].Int(-1), 0) << host.text;
  const Answer removed = Send("DELETE", "/v1/hosts/new-1?lost=true");
  ASSERT_EQ(removed.status, 200) << removed.text;
  EXPECT_EQ(removed.body["workspaces"].Int(), 2) << removed.text;
  EXPECT_EQ(Get("/v1/hosts/new-1").status, 404);
  EXPECT_EQ(Get("/v1/workspaces/going").status, 404);
  EXPECT_TRUE(Eventually([&] { return Get(job).body["state"].Text() == "succeeded"; }))
      << Get(job).text;
  const Answer kept = Get("/v1/workspaces/kept");
  EXPECT_EQ(kept.body["actual"].Text(), "lost") << kept.text;
  EXPECT_EQ(kept.body["lost_with"].Text(), "new-1");
  EXPECT_TRUE(kept.body["host"].IsNull()) << kept.text;
  const Answer start = Post("/v1/workspaces/kept:start", "");
  EXPECT_EQ(start.status, 409) << start.text;
  EXPECT_NE(start.body["hint"].Text().find("--on-drain recreate"), std::string::npos) << start.text;
  ASSERT_EQ(Send("DELETE", "/v1/workspaces/kept").status, 202);
  EXPECT_TRUE(Eventually([&] { return Get("/v1/workspaces/kept").status == 404; }));
  EXPECT_EQ(Post("/v1/hosts", kNew).status, 201) << "and may come again";
  EXPECT_EQ(Get("/v1/hosts/new-1").body["disk_committed_bytes"].Int(-1), 0);
}

TEST_F(ApiHosts, MetricsTellOfEveryServer) {
  StartApp("roles: [api, worker]\nhosts: {plugin: host-memory, poll_period: 100ms}\n");
  EXPECT_TRUE(Eventually([&] {
    return Get("/metrics").text.find("a4c_host_reachable{host=\"local-1\"} 1\n") !=
           std::string::npos;
  }));
}

// "new" shows another key once it was enrolled, as a machine that was set up anew does.
TEST_F(ApiHosts, AServerWithAnotherKeyIsHeldAndToldOfUntilSomebodyAcceptsTheKey) {
  const Answer added =
      Post("/v1/hosts", R"({"id":"new-1","address":"memory:new","fingerprint":"SHA256:new",)"
                        R"("settings":{"shows":"SHA256:anew"}})");
  ASSERT_EQ(added.status, 201) << added.text;
  std::string told = Events(key_, R"("state":"quarantined")");
  EXPECT_NE(told.find("event: host"), std::string::npos) << told;
  EXPECT_NE(told.find(R"("shown_fingerprint":"SHA256:anew")"), std::string::npos) << told;
  const Answer held = Get("/v1/hosts/new-1");
  EXPECT_EQ(held.body["state"].Text(), "quarantined") << held.text;
  EXPECT_EQ(held.body["state_reason"].Text(), "host_key_changed");
  EXPECT_EQ(held.body["pinned_fingerprint"].Text(), "SHA256:new");
  EXPECT_EQ(held.body["shown_fingerprint"].Text(), "SHA256:anew");
  EXPECT_NE(held.body["hint"].Text().find("a4c host enrol new-1 --fingerprint SHA256:anew"),
            std::string::npos)
      << held.text;
  const Answer explained = Get("/v1/placement:explain?host=new-1");
  EXPECT_FALSE(explained.body["fits"].Bool(true)) << explained.text;
  EXPECT_EQ(Post("/v1/hosts/new-1:enrol?fingerprint=SHA256:third", "").status, 409);
  EXPECT_EQ(Post("/v1/hosts/local-1:enrol?fingerprint=SHA256:anew", "").status, 409)
      << "that one stands in the config";
  const Answer taken = Post("/v1/hosts/new-1:enrol?fingerprint=SHA256:anew", "");
  ASSERT_EQ(taken.status, 200) << taken.text;
  const Answer back = Get("/v1/hosts/new-1");
  EXPECT_EQ(back.body["state"].Text(), "reachable") << back.text;
  EXPECT_EQ(back.body["fingerprint"].Text(), "SHA256:anew");
  EXPECT_TRUE(back.body["hint"].IsNull()) << back.text;
  told = Events(key_, R"("state":"reachable")", told);
  EXPECT_NE(told.find("event: host"), std::string::npos) << told;
  CreateWorkspace("dev-1", R"(,"host":"new-1")");
}

TEST_F(ApiHosts, ServersThatGoAreToldOfAndOnlyToWhoMaySeeServers) {
  const std::string user = KeyFor("other", R"("jobs:read","jobs:write","workspaces:write")");
  ASSERT_EQ(Post("/v1/hosts", kNew).status, 201);
  ASSERT_EQ(Post("/v1/hosts/new-1:cordon", "").status, 200);
  EXPECT_EQ(Send("DELETE", "/v1/hosts/new-1").status, 200);
  const std::string told = Events(key_, R"("removed":true)");
  EXPECT_NE(told.find(R"("id":"new-1")"), std::string::npos) << told;
  CreateWorkspaceJob("last", Bearer(user));
  const std::string theirs = Events(user, "the pier of last", told);
  EXPECT_NE(theirs.find("event: job"), std::string::npos) << theirs;
  EXPECT_EQ(theirs.find("event: host"), std::string::npos) << theirs;
}

TEST_F(ApiHosts, LabelsAreChangedAndWorkspacesGoByThem) {
  ASSERT_TRUE(Eventually([&] { return Get("/v1/hosts/local-2").status == 200; }));
  const Answer labelled = Post("/v1/hosts/local-2:label", R"({"set":{"gpu":"yes","zone":"b"}})");
  ASSERT_EQ(labelled.status, 200) << labelled.text;
  EXPECT_EQ(labelled.body["labels"]["gpu"].Text(), "yes");
  CreateWorkspace("dev-1", R"(,"constraints":{"arch":"amd64","labels":{"gpu":"yes"}})");
  EXPECT_EQ(HostOf("dev-1"), "local-2");
  EXPECT_EQ(Get("/v1/workspaces/dev-1").body["constraints"]["labels"]["gpu"].Text(), "yes");
  const Answer removed =
      Post("/v1/hosts/local-2:label", R"({"set":{"zone":"c"},"remove":["gpu"]})");
  ASSERT_EQ(removed.status, 200) << removed.text;
  EXPECT_EQ(removed.body["labels"].Members().size(), 1u) << removed.text;
  EXPECT_EQ(removed.body["labels"]["zone"].Text(), "c");
  EXPECT_EQ(Get("/v1/workspaces/dev-1").body["actual"].Text(), "running") << "nobody is sent away";
  const Answer none = Get("/v1/placement:explain?labels=gpu=yes&arch=amd64");
  ASSERT_EQ(none.status, 200) << none.text;
  EXPECT_EQ(none.body["summary"].Text(), "none of 3 servers fits: 3 labels");
  EXPECT_EQ(none.body["servers"].Items().at(0)["detail"].Text(), "it has no label gpu");
}

TEST_F(ApiHosts, ALabelOrANewServerEndsTheWaitForOne) {
  StartApp(
      "roles: [api, worker, sync, poller]\nwork: {idle_period: 20ms, capacity_wait: 1h}\n"
      "loops: {look_period: 20ms}\n");
  const auto waits = [this](const Answer& made) {
    return Eventually([&] {
      return Get("/v1/jobs/" + made.body["id"].Text()).body["reason"].Text() == "no_capacity";
    });
  };
  const auto runs = [this](const std::string& name) {
    return Eventually(
        [&] { return Get("/v1/workspaces/" + name).body["actual"].Text() == "running"; });
  };
  ASSERT_TRUE(waits(Post("/v1/workspaces", R"({"name":"dev-1","command":["sleep","infinity"],)"
                                           R"("constraints":{"labels":{"gpu":"yes"}}})")));
  ASSERT_EQ(Post("/v1/hosts/local-2:label", R"({"set":{"gpu":"yes"}})").status, 200);
  EXPECT_TRUE(runs("dev-1"));
  ASSERT_TRUE(waits(Post("/v1/workspaces", R"({"name":"dev-2","command":["sleep","infinity"],)"
                                           R"("constraints":{"labels":{"zone":"b"}}})")));
  ASSERT_EQ(Post("/v1/hosts", kNew).status, 201);
  EXPECT_TRUE(runs("dev-2"));
}

TEST_F(ApiHosts, AChangeOfLabelsThatIsWrongIsPointedAt) {
  ASSERT_TRUE(Eventually([&] { return Get("/v1/hosts/local-2").status == 200; }));
  const std::pair<const char*, const char*> wrong[] = {
      {R"({})", "/set"},
      {R"({"set":{"gpu":1}})", "/set/gpu"},
      {R"({"set":{"gpu":"yes"},"remove":["gpu"]})", "/remove"},
      {R"({"labels":{"gpu":"yes"}})", "/set"}};
  for (const auto& [body, pointer] : wrong) {
    const Answer answer = Post("/v1/hosts/local-2:label", body);
    EXPECT_EQ(answer.status, 400) << answer.text;
    EXPECT_EQ(answer.body["errors"].Items().at(0)["pointer"].Text(), pointer) << answer.text;
  }
  EXPECT_EQ(Post("/v1/hosts/nobody:label", R"({"remove":["gpu"]})").status, 404);
  const Answer arch = Get("/v1/placement:explain?arch=x86_64");
  EXPECT_EQ(arch.status, 400) << arch.text;
  EXPECT_NE(arch.body["hint"].Text().find("amd64"), std::string::npos) << arch.text;
  EXPECT_EQ(Get("/v1/placement:explain?labels=gpu").status, 400);
}

TEST_F(ApiHosts, TheLeastUsedDiskIsNamed) {
  ASSERT_TRUE(Eventually([&] { return Get("/v1/hosts/local-3").status == 200; }));
  ASSERT_EQ(Post("/v1/hosts/local-1:cordon", "").status, 200);
  CreateWorkspace("dev-1", R"(,"disk":"4GiB")");
  const std::string taken = HostOf("dev-1");
  const std::string free = taken == "local-2" ? "local-3" : "local-2";
  const Answer least = Get("/v1/hosts:least-used?disk=1GiB");
  ASSERT_EQ(least.status, 200) << least.text;
  EXPECT_EQ(least.body["id"].Text(), free) << least.text;
  EXPECT_EQ(least.body["request"]["disk_bytes"].Int(), 1 << 30);
  EXPECT_GT(least.body["disk_total_bytes"].Int(), 0);
  const Answer none = Get("/v1/hosts:least-used?disk=1000GiB");
  EXPECT_EQ(none.status, 409) << none.text;
  EXPECT_EQ(none.body["type"].Text(), "urn:a4c:problem:no-capacity");
  EXPECT_NE(none.body["hint"].Text().find("add one"), std::string::npos) << none.text;
  EXPECT_EQ(Get("/v1/hosts:least-used?disk=much").status, 400);
}

TEST_F(ApiHosts, ACordonIsKeptAndOfItsVersion) {
  // Its first figures make a version of their own.
  ASSERT_TRUE(Eventually([&] { return Get("/v1/hosts/local-1").body["reachable"].Bool(); }));
  const Answer cordoned = Post("/v1/hosts/local-1:cordon", "");
  ASSERT_EQ(cordoned.status, 200) << cordoned.text;
  EXPECT_EQ(Get("/v1/hosts/local-1").Header("etag"), cordoned.Header("etag"));
  EXPECT_FALSE(Post("/v1/hosts/local-1:uncordon", "").body["cordoned"].Bool(true));
}

class ReservedMemory : public LocalWorkspaceTest {
 protected:
  void SetUp() override {}  // each test says what the provider is told
  int64_t Reserved() { return Get("/v1/hosts/one").body["memory_committed_bytes"].Int(); }
};

TEST_F(ReservedMemory, IsWhatAWorkspaceThatNamesNoneMayUse) {
  StartLocal("memory_default: 300MiB, ");
  EXPECT_EQ(Reserved(), 300 << 20);
}

TEST_F(ReservedMemory, IsLittleWhereThereIsNoLimit) {
  StartLocal("");
  EXPECT_EQ(Reserved(), 128 << 20);
}

}  // namespace
}  // namespace a4cd
