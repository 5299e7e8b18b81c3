// The main job, as a user sees it: through the API of a whole a4cd over its memory back ends.
#include <memory>
#include <string>

#include "a4c/clock.h"
#include "a4c/sinks.h"
#include "tests/integration/support/api_fixture.h"

namespace a4cd {
namespace {

class ApiWorkTest : public ApiTest {
 protected:
  void SetUp() override {
    StartApp(
        "roles: [api, worker, sync, poller]\nwork: {idle_period: 20ms, capacity_wait: 100ms}\n");
  }

  // The job once it has ended, or as it is after a long time.
  Answer Ended(const std::string& id) {
    const a4c::Runtime runtime = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
    const std::unique_ptr<a4c::Waiter> waiter = runtime.threads.NewWaiter();
    const int64_t until_ms = runtime.clock.MonotonicMs() + 60'000;
    Answer answer = Get("/v1/jobs/" + id);
    while (answer.body["finished_at"].IsNull() && runtime.clock.MonotonicMs() < until_ms) {
      {
        a4c::Waiter::Lock lock(*waiter);
        waiter->Wait(runtime.clock.MonotonicMs() + 20);
      }
      answer = Get("/v1/jobs/" + id);
    }
    return answer;
  }
};

TEST_F(ApiWorkTest, AWorkspaceIsCreatedFoundExplainedUsedAndDeleted) {
  const Answer created =
      Send("POST", "/v1/jobs",
           R"({"type":"workspace.create","title":"the pier at dawn","payload":{"name":"dev-1",)"
           R"("disk":"2GiB","command":["sh","-c","echo hello; sleep infinity"]}})");
  ASSERT_EQ(created.status, 201) << created.text;
  const std::string id = created.body["id"].Text();
  const Answer job = Ended(id);
  ASSERT_EQ(job.body["state"].Text(), "succeeded") << job.text;
  const std::string host = job.body["result"]["host"].Text();

  const Answer workspace = Get("/v1/workspaces/dev-1");
  EXPECT_EQ(workspace.body["actual"].Text(), "running") << workspace.text;
  EXPECT_EQ(workspace.body["host"].Text(), host);
  EXPECT_EQ(Get("/v1/workspaces/dev-1/logs").text, "hello\n");

  const Answer explained = Get("/v1/placement:explain?job=" + id);
  EXPECT_EQ(explained.body["recorded"]["server"].Text(), host) << explained.text;
  const Answer asked = Get("/v1/placement:explain?disk=1000GiB");
  EXPECT_FALSE(asked.body["fits"].Bool(true)) << asked.text;
  EXPECT_EQ(asked.body["servers"].Items().size(), 3u);

  const Answer run = Send("POST", "/v1/jobs",
                          R"({"type":"command.run","payload":{"workspace":"dev-1",)"
                          R"("command":["echo","made"]}})");
  EXPECT_EQ(Ended(run.body["id"].Text()).body["result"]["exit_code"].Int(-1), 0);
  EXPECT_NE(Get("/v1/jobs/" + run.body["id"].Text() + "/logs").text.find("made"),
            std::string::npos);

  // The end of a log is also where it goes on.
  const std::string logs = "/v1/jobs/" + run.body["id"].Text() + "/logs";
  const std::string whole = Get(logs).text;
  const Answer last = Get(logs + "?tail=1");
  EXPECT_EQ(last.text, whole.substr(whole.rfind('\n', whole.size() - 2) + 1)) << whole;
  EXPECT_EQ(Get(logs + "?from=" + last.Header("a4c-log-next")).text, "");
  EXPECT_EQ(Get(logs + "?tail=0").text, "");
  EXPECT_EQ(Get(logs + "?tail=1&follow=true").text, last.text);
  const a4c::Json::Object text{{"text", whole}};
  EXPECT_EQ(Send("GET", logs + "?follow=true", "", {{"Accept", "text/event-stream"}}).text,
            "id: " + last.Header("a4c-log-next") + "\ndata: " + a4c::Json(text).ToString() +
                "\n\n" + "event: end\ndata: {\"state\":\"succeeded\"}\n\n");
  EXPECT_EQ(Send("GET", logs + "?follow=true&tail=5", "",
                 {{"Accept", "text/event-stream"}, {"Last-Event-ID", last.Header("a4c-log-next")}})
                .text,
            "event: end\ndata: {\"state\":\"succeeded\"}\n\n")
      << "goes on where it was";
  EXPECT_EQ(Get(logs + "?since=1h").text, whole);
  EXPECT_EQ(Get(logs + "?since=2100-01-01T00:00:00Z&follow=true").text, "");
  EXPECT_EQ(Get(logs + "?tail=-1").status, 400);
  EXPECT_EQ(Get(logs + "?since=soon").status, 400);
  EXPECT_EQ(Get("/v1/jobs/nobody/logs?tail=1").status, 404);

  const Answer gone = Send("DELETE", "/v1/workspaces/dev-1", "");
  ASSERT_EQ(gone.status, 202) << gone.text;
  EXPECT_EQ(Ended(gone.body["id"].Text()).body["state"].Text(), "succeeded");
  EXPECT_EQ(Get("/v1/workspaces/dev-1").status, 404);
}

}  // namespace
}  // namespace a4cd
