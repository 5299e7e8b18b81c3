// Jobs and images by the command line.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "a4c/query.h"
#include "apps/a4c/exit_code.h"
#include "apps/a4c/output.h"
#include "tests/integration/cli/cli_fixture.h"
#include "tests/integration/cli/sessions_fixture.h"
#include "tests/support/canned.h"

namespace a4cd {
namespace {

std::string PageThatLags(int64_t lag_ms) {
  const std::string body =
      R"({"items":[],"total":0,"fresh":true,"lag_ms":)" + std::to_string(lag_ms) + "}";
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
}

// An index that lags has seen all writes that nobody named.
TEST_F(Cli, AnIndexThatLagsIsToldOf) {
  const auto said = [&](int64_t lag_ms, const std::string& verb) {
    const a4c::testing::Canned server({PageThatLags(lag_ms)});
    return Run({"job", verb, "-q", "state:failed"}, {{"A4C_URL", server.url()}}).err;
  };
  for (const char* verb : {"list", "count"}) {
    EXPECT_EQ(said(2'000, verb), "");
    EXPECT_EQ(said(5'000, verb),
              "note: the index is behind by 5000 ms: some jobs may be missing\n");
  }
}

TEST_F(Cli, CreatesShowsAndListsJobs) {
  const Ran created = Run({"job", "create", "workspace.create", "--title", "the old pier", "--set",
                           "name=dev-1", "--set", R"(command=["sleep","9"])", "-o", "name"});
  ASSERT_EQ(created.exit_code, 0) << created.err;
  ASSERT_TRUE(created.out.starts_with("job/")) << created.out;
  const std::string id = created.out.substr(4, created.out.size() - 5);
  const Ran table = Run({"job", "list"});
  EXPECT_EQ(
      table.out,
      "ID                                    TYPE              STATE    REASON   AGE  TITLE\n" +
          id + "  workspace.create  pending  waiting  " +
          table.out.substr(table.out.rfind("waiting  ") + 9));
  EXPECT_NE(table.out.find("the old pier\n"), std::string::npos);
  const auto json = a4c::ParseJson(Run({"job", "get", id, "-o", "json"}).out);
  ASSERT_TRUE(json);
  EXPECT_EQ((*json)["payload"]["command"].Items()[1].Text(), "9");
  EXPECT_NE(Run({"-o", "yaml", "job", "get", id}).out.find("title: \"the old pier\"\n"),
            std::string::npos);
  EXPECT_EQ(Run({"job", "list", "-o", "json"}).out.substr(0, 2), "[\n");
}

TEST_F(Cli, ACommandsOwnFlagsMayFollowAnyFlagOfOurs) {
  for (const char* flag : {"--env", "--secret", "--label", "--constraint"}) {
    const std::string value = flag == std::string("--constraint") ? "arch=amd64" : "A=b";
    const Ran created = Run({"workspace", "create", "dev" + std::string(flag).substr(1), flag,
                             value, "--", "sh", "-c", "exit"});
    EXPECT_EQ(created.exit_code, 0) << flag << ": " << created.err;
  }
}

TEST(ExitCode, OfAJobThatIsWaitedForTellsWhyItIsNotDone) {
  const auto job = [](const char* state, const char* reason) {
    return a4c::Json(a4c::Json::Object{{"state", state}, {"reason", reason}});
  };
  EXPECT_EQ(a4c_cli::ExitCodeOfJob(job("succeeded", "done")), 0);
  EXPECT_EQ(a4c_cli::ExitCodeOfJob(job("failed", "exit_code")), 1);
  EXPECT_EQ(a4c_cli::ExitCodeOfJob(job("canceled", "canceled_by_user")), 1);
  EXPECT_EQ(a4c_cli::ExitCodeOfWait(job("pending", "no_capacity")), 6);
  EXPECT_EQ(a4c_cli::ExitCodeOfWait(job("pending", "waiting")), 7);
}

TEST_F(Cli, WaitsNoLongerThanToldAndWritesNdjsonToAPipe) {
  const Ran ran =
      Run({"workspace", "create", "dev-1", "--wait", "--timeout", "0", "--", "sleep", "9"});
  EXPECT_EQ(ran.exit_code, 7) << ran.err;
  const auto line = a4c::ParseJson(ran.out.substr(0, ran.out.find('\n')));
  ASSERT_TRUE(line) << ran.out;
  EXPECT_EQ((*line)["state"].Text(), "pending");
}

// Each change of the job is a line of its own, and nothing else is on standard output.
TEST_F(Cli, WhatIsWaitedForOnAPipeIsOneLineOfJsonForEachChange) {
  StartApp("roles: [api, worker, sync, poller]\nwork: {idle_period: 20ms}\n");
  url_ = "http://127.0.0.1:" + std::to_string(port_);
  const Ran ran = Run({"workspace", "create", "dev-1", "--wait", "--", "sleep", "infinity"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  std::istringstream lines(ran.out);
  int64_t rev = 0;
  a4c::Json last;
  for (std::string line; std::getline(lines, line);) {
    const auto job = a4c::ParseJson(line);
    ASSERT_TRUE(job) << line;
    EXPECT_GT((*job)["rev"].Int(), rev) << line;
    rev = (*job)["rev"].Int();
    last = *job;
  }
  EXPECT_EQ(last["state"].Text(), "succeeded") << ran.out;
}

TEST_F(Cli, AJobThatIsTriedAgainForTheSameReasonIsShownOnce) {
  StartApp("roles: [api, worker, sync, poller]\nwork: {idle_period: 20ms, capacity_wait: 20ms}\n");
  url_ = "http://127.0.0.1:" + std::to_string(port_);
  const Ran ran = Run({"workspace", "create", "dev-1", "--disk", "900TiB", "--wait", "--timeout",
                       "2", "--", "sleep", "infinity"});
  // No room, or the time is over in the middle of an attempt.
  ASSERT_TRUE(ran.exit_code == 6 || ran.exit_code == 7) << ran.exit_code << ran.err;
  std::istringstream lines(ran.out);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    const auto job = a4c::ParseJson(line);
    ASSERT_TRUE(job) << line;
    const std::string sight =
        (*job)["state"].Text() + (*job)["reason"].Text() + (*job)["message"].Text();
    EXPECT_NE(sight, last) << ran.out;
    last = sight;
  }
  EXPECT_NE(last.find("waiting cannot help"), std::string::npos) << ran.out;
}

std::string StopOf(const std::string& workspace, const std::string& delay) {
  return R"({"type":"workspace.stop","payload":{"workspace":")" + workspace + R"("},"delay":")" +
         delay + "\"}\n";
}

TEST_F(Cli, ExplainNamesTheJobThatIsWaitedFor) {
  const Answer created = Post("/v1/workspaces", R"({"name":"dev-1","command":["true"]})");
  const std::string first = created.body["id"].Text();
  const Answer second = Post("/v1/jobs", StopOf("dev-1", "24h"));
  ASSERT_EQ(Get("/v1/jobs?q=*&token=" + second.Header("a4c-token")).status, 200);
  const Ran explained = Run({"explain", second.body["id"].Text()});
  EXPECT_NE(explained.out.find("waits for job " + first +
                               " (workspace.create, pending), which is before it"),
            std::string::npos)
      << explained.out << explained.err;
  EXPECT_EQ(Run({"explain", first}).out.find("waits for job"), std::string::npos);
}

// More than one page of jobs is for later.
TEST_F(Cli, ExplainGoesByWhatJobsAreScheduledForAndNotByWhenTheyWereMade) {
  const Answer created = Post("/v1/workspaces", R"({"name":"dev-1","command":["true"]})");
  ASSERT_EQ(Run({"job", "cancel", created.body["id"].Text()}).exit_code, 0);
  std::string later;
  for (int i = 0; i < 120; ++i) later += StopOf("dev-1", "48h");
  ASSERT_EQ(Post("/v1/jobs:batch", later).status, 200);
  const std::string asked = Post("/v1/jobs", StopOf("dev-1", "24h")).body["id"].Text();
  const Answer before = Post("/v1/jobs", StopOf("dev-1", "12h"));
  ASSERT_EQ(Get("/v1/jobs?q=*&token=" + before.Header("a4c-token")).status, 200);
  const std::string& id = before.body["id"].Text();
  const Ran explained = Run({"explain", asked});
  EXPECT_NE(explained.out.find("waits for job " + id + " (workspace.stop, pending)"),
            std::string::npos)
      << explained.out << explained.err;
  EXPECT_EQ(Run({"explain", id}).out.find("waits for job"), std::string::npos);
}

TEST_F(Cli, ListsAreNarrowedWithoutTheQueryLanguage) {
  std::string token;
  std::string tokens;
  const auto make = [&](const std::string& label) {
    const Answer made =
        Post("/v1/jobs", R"({"type":"host.cleanup","payload":{"host":"local-1"},"delay":"24h",)"
                         R"("labels":{"team":)" +
                             label + "}}");
    token = made.Header("a4c-token");
    tokens += "&token=" + token;
    return made.body["id"].Text();
  };
  const std::string a = make(R"("infra")");
  const std::string b = make(R"("two \"words\"")");
  // On a busy machine that may take longer than one search waits.
  bool fresh = false;
  for (int i = 0; i < 30 && !fresh; ++i) fresh = Get("/v1/jobs?q=*" + tokens).body["fresh"].Bool();
  ASSERT_TRUE(fresh);
  const auto names = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"job", "list"});
    arguments.insert(arguments.end(), {"-o", "name", "--token", token});
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    return ran.out;
  };
  EXPECT_EQ(names({"--label", "team"}), "job/" + b + "\njob/" + a + "\n");
  EXPECT_EQ(names({"--label", "team=infra"}), "job/" + a + "\n");
  EXPECT_EQ(names({"--label", "team=two \"words\""}), "job/" + b + "\n");
  EXPECT_EQ(names({"--state", "failed", "--label", "team"}), "");
  EXPECT_EQ(names({"--state", "failed", "--state", "pending", "--label", "team=infra"}),
            "job/" + a + "\n");
  EXPECT_EQ(names({"--type", "host.cleanup", "-q", "labels.team:infra or labels.team:nobody"}),
            "job/" + a + "\n");
  EXPECT_EQ(names({"--type", "command.run"}), "");
  EXPECT_EQ(Run({"job", "count", "--label", "team"}).out, "2\n");
  EXPECT_EQ(Run({"job", "list", "--state", "broken"}).exit_code, 2);
}

TEST_F(Cli, AQueryThatIsNarrowedKeepsItsColumnsAndItsLimits) {
  const auto error = [&](const std::string& command, const std::string& query) {
    const Ran ran = Run({"job", command, "-q", query, "--state", "failed", "--label", "team"});
    EXPECT_EQ(ran.exit_code, 2) << query;
    return ran.err;
  };
  for (const char* command : {"list", "count"}) {
    EXPECT_THAT(error(command, R"(title:"title infra" and (veiws:x))"),
                testing::StartsWith("error: column 26: unknown field \"veiws\""));
    EXPECT_THAT(error(command, "state:a) or (state:b"),
                testing::StartsWith("error: column 8: this \")\" closes nothing"));
    EXPECT_THAT(error(command, "state:a and (state:b"),
                testing::StartsWith("error: column 13: this \"(\" is never closed"));
  }
  std::string deep = "state:failed";
  for (int i = 0; i < a4c::QueryLimits().depth_max; ++i) deep = "x or y and (" + deep + ")";
  EXPECT_EQ(Run({"job", "count", "-q", deep, "--state", "failed"}).out, "0\n");
}

TEST_F(Cli, WorkspacesServersAndTheAuditLogAreFiltered) {
  ASSERT_EQ(Run({"workspace", "create", "dev-1", "--label", "team=infra", "--", "true"}).exit_code,
            0);
  ASSERT_EQ(Run({"workspace", "create", "dev-2", "--", "true"}).exit_code, 0);
  const auto names = [this](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"-o", "json"});
    const auto list = a4c::ParseJson(Run(arguments).out);
    std::string text;
    for (const a4c::Json& one : list ? list->Items() : a4c::Json::Array{}) {
      const a4c::Json& name = one.Find("name") != nullptr ? one["name"] : one["id"];
      text += name.Text() + " ";
    }
    return text;
  };
  EXPECT_EQ(names({"workspace", "list"}), "dev-2 dev-1 ");
  EXPECT_EQ(names({"workspace", "list", "--label", "team=infra"}), "dev-1 ");
  EXPECT_EQ(names({"workspace", "list", "--actual", "lost"}), "");
  EXPECT_EQ(Run({"workspace", "list", "--actual", "gone"}).exit_code, 2);
  ASSERT_EQ(Run({"host", "cordon", "local-2"}).exit_code, 0);
  EXPECT_EQ(names({"host", "list", "--cordoned", "true"}), "local-2 ");
  EXPECT_EQ(names({"host", "list", "--cordoned", "true", "--label", "gpu=yes"}), "");
  const Ran rows = Run({"audit", "list", "--operation", "cordonHost", "--record", "local-2"});
  EXPECT_NE(rows.out.find("cordonHost"), std::string::npos) << rows.out << rows.err;
  EXPECT_EQ(rows.out.find("createWorkspace"), std::string::npos) << rows.out;
}

TEST_F(Cli, AValueOfAPayloadIsJsonWhereItLooksSo) {
  const Ran created = Run({"job", "create", "workspace.create", "--set", R"(name="dev-1")", "--set",
                           "image=busybox", "--set", "cpu_millis=500", "--set", R"(env={"A":"b"})",
                           "--label", "n=5", "-o", "json"});
  ASSERT_EQ(created.exit_code, 0) << created.err;
  const auto job = a4c::ParseJson(created.out);
  ASSERT_TRUE(job) << created.out;
  EXPECT_EQ((*job)["payload"]["cpu_millis"].ToString(), "500");
  EXPECT_EQ((*job)["payload"]["name"].ToString(), R"("dev-1")");
  EXPECT_EQ((*job)["payload"]["image"].ToString(), R"("busybox")");
  EXPECT_EQ((*job)["payload"]["env"].ToString(), R"({"A":"b"})");
  EXPECT_EQ((*job)["labels"].ToString(), R"({"n":"5"})");
  const Ran text = Run({"job", "create", "workspace.create", "--set", R"(cpu_millis="500")"});
  EXPECT_NE(text.err.find("cpu_millis"), std::string::npos) << text.err;
  const Ran broken = Run({"job", "create", "workspace.create", "--set", R"(command=["sleep",])"});
  EXPECT_EQ(broken.exit_code, 2);
  EXPECT_NE(broken.err.find("command: "), std::string::npos) << broken.err;
  EXPECT_NE(broken.err.find("9"), std::string::npos) << "the position: " << broken.err;
}

TEST_F(Cli, WhatNamePrintsIsTakenAsAnId) {
  const Ran created = Run({"workspace", "create", "dev-1", "-o", "name", "--", "sleep", "9"});
  ASSERT_EQ(created.exit_code, 0) << created.err;
  const std::string name = created.out.substr(0, created.out.size() - 1);
  ASSERT_TRUE(name.starts_with("job/")) << name;
  const std::string id = name.substr(4);
  for (const std::string& given : {name, id}) {
    const Ran explained = Run({"explain", given});
    EXPECT_EQ(explained.exit_code, 0) << explained.err;
    EXPECT_TRUE(explained.out.starts_with("job " + id)) << explained.out;
    EXPECT_EQ(Run({"job", "get", given}).exit_code, 0);
    EXPECT_EQ(Run({"job", "logs", given}).exit_code, 0);
    EXPECT_EQ(Run({"job", "logs", given, "--tail", "5", "--since", "10m"}).exit_code, 0);
    const Ran wrong = Run({"job", "logs", given, "--since", "soon"});
    EXPECT_EQ(wrong.exit_code, 2);
    EXPECT_NE(wrong.err.find("since is a duration or a time"), std::string::npos) << wrong.err;
  }
  EXPECT_EQ(Run({"job", "cancel", name}).exit_code, 0);
  EXPECT_EQ(Run({"host", "get", "host/local-1"}).exit_code, 0);
  EXPECT_EQ(Run({"workspace", "get", "job/dev-1"}).exit_code, 3) << "another noun's";
}

TEST_F(Cli, SubmitsABatchAndNumbersItsLines) {
  const std::string file = directory_ + "/jobs.ndjson";
  std::ofstream(file) << R"({"type":"host.cleanup","payload":{"host":"local-1"}})"
                      << "\n"
                      << "x\n"
                      << R"({"type":"host.cleanup","payload":{"host":"local-2"}})"
                      << "\n";
  const Ran ran = Run({"job", "batch", file, "--chunk", "1"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(ran.out.find(R"({"line":2,"status":400)"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find(R"({"line":3,"status":201)"), std::string::npos) << ran.out;
  EXPECT_EQ(ran.err, "2 created, 1 failed\n");
}

TEST_F(Cli, OnATerminalABatchShowsHowFarItIs) {
  const std::string file = directory_ + "/jobs.ndjson";
  const std::string line = R"({"type":"host.cleanup","payload":{"host":"local-1"}})";
  std::ofstream(file) << line << "\n" << line << "\n" << line << "\n" << line << "\n";
  Screen screen({.ws_row = 20, .ws_col = 60, .ws_xpixel = 0, .ws_ypixel = 0});
  EXPECT_EQ(Run({"job", "batch", file, "--chunk", "1"}, {}, "", screen.path()).exit_code, 0);
  EXPECT_TRUE(screen.Shows("4 created, 0 failed\r\n")) << screen.seen();
  EXPECT_TRUE(screen.Shows("[#######.......................] 25% 1 created, 0 failed, a\r\x1b[K"))
      << "as much as fits 59 columns: " << screen.seen();
}

// Sent again from the start, it would create the first lines a second time.
TEST_F(Cli, ABatchThatIsBrokenOffSaysWhatOfItIsThere) {
  StartApp("api: {batch_bytes_max: 1KiB}\n");
  url_ = "http://127.0.0.1:" + std::to_string(app_->port());
  const std::string file = directory_ + "/jobs.ndjson";
  std::ofstream(file) << R"({"type":"host.cleanup","payload":{"host":"local-1"}})"
                      << "\n"
                      << std::string(2'000, 'x') << "\n";
  const Ran ran = Run({"job", "batch", file, "--chunk", "1"});
  EXPECT_NE(ran.exit_code, 0);
  EXPECT_NE(ran.err.find("1 created, 0 failed; from line 2 on there is no answer\n"),
            std::string::npos)
      << ran.err;
}

TEST(CliOutput, WhatAServerSaysDoesNothingToTheTerminal) {
  EXPECT_EQ(a4c_cli::HarmlessText("it failed:\n\x1b]0;title\x07no\r"), "it failed:\n ]0;title no ");
  EXPECT_EQ(a4c_cli::HarmlessText("a\xc2\x9b"
                                  "31mb\n\xc2\xb5s\xc2"),
            "a 31mb\n\xc2\xb5s\xc2");
}

TEST(CliOutput, ALineOfATerminalIsOneWhateverTheServerSays) {
  EXPECT_EQ(a4c_cli::OneLine("p\xc3\xa9rime", 3), "p\xc3\xa9r");
  EXPECT_EQ(a4c_cli::OneLine("a\nb\x1b[31m", 80), "a b [31m");
  EXPECT_EQ(a4c_cli::OneLine("\u6771\u4eac\u90fd", 5), "\u6771\u4eac") << "each takes two columns";
  EXPECT_EQ(a4c_cli::OneLine("e\u0301t", 2), "e\u0301t") << "an accent of its own takes none";
  EXPECT_EQ(a4c_cli::OneLine("a\xe6\x9d", 2), "a\xe6\x9d") << "what is cut off breaks nothing";
  EXPECT_EQ(a4c_cli::BarText(1, 2), "[###############...............] 50% ");
  EXPECT_EQ(a4c_cli::BarText(3, 2), "[##############################] 100% ");
  EXPECT_EQ(a4c_cli::BarText(1, 0), "");
}

TEST_F(Cli, JobsAreCountedAlsoByTheValuesOfAField) {
  // A token is for the write that gave it, and says nothing of the one before.
  const std::string first = CreateWorkspaceJob("dev-1").Header("a4c-token");
  EXPECT_EQ(Run({"job", "count", "--token", first}).out, "1\n");
  const std::string token = CreateWorkspaceJob("dev-2").Header("a4c-token");
  EXPECT_EQ(Run({"job", "count", "--token", token}).out, "2\n");
  EXPECT_EQ(Run({"job", "count", "-q", "\"dev-2\"", "--token", token}).out, "1\n");
  const Ran ran = Run({"job", "count", "--by", "state", "--by", "type", "--token", token});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.out,
            "FIELD  VALUE             COUNT\n"
            "state  pending           2\n"
            "type   workspace.create  2\n");
  const Ran unknown = Run({"job", "count", "--by", "stat"});
  EXPECT_NE(unknown.exit_code, 0);
  EXPECT_NE(unknown.err.find("did you mean \"state\"?"), std::string::npos) << unknown.err;
}

TEST_F(Cli, AWideListOfASearchShowsWhatItFound) {
  const Answer created = CreateWorkspaceJob("dev-1");
  const Ran ran =
      Run({"-o", "wide", "job", "list", "-q", "pier", "--token", created.Header("a4c-token")});
  EXPECT_NE(ran.out.find("  FOUND\n"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("  title: the [pier] of dev-1\n"), std::string::npos) << ran.out;
  EXPECT_EQ(Run({"-o", "wide", "job", "list"}).out.find("FOUND"), std::string::npos);
  const auto json =
      a4c::ParseJson(Run({"-o", "json", "job", "list", "-q", "pier", "--highlight"}).out);
  ASSERT_TRUE(json);
  EXPECT_EQ(json->Items().at(0)["highlights"].Items().at(0)["field"].Text(), "title");
}

TEST_F(Cli, AnImageIsBuiltFromADirectory) {
  const std::string context = directory_ + "/context";
  std::filesystem::create_directories(context);
  std::ofstream(context + "/Dockerfile") << "FROM busybox:local\nRUN true\n";
  const Ran built = Run({"image", "build", "-t", "app:1", "-o", "table", context});
  EXPECT_EQ(built.exit_code, a4c_cli::kOk) << built.out << built.err;
  EXPECT_NE(built.err.find("RUN true"), std::string::npos) << built.err;
  EXPECT_NE(built.out.find("succeeded"), std::string::npos) << built.out;
  const Ran listed = Run({"image", "list"});
  EXPECT_EQ(listed.exit_code, a4c_cli::kOk) << listed.err;
  EXPECT_NE(listed.out.find("app:1"), std::string::npos) << listed.out;
}

TEST_F(Cli, AnImageIsBuiltAsWithDockerBuild) {
  const std::string context = directory_ + "/context";
  std::filesystem::create_directories(context + "/docker");
  std::ofstream(context + "/docker/File") << "FROM busybox:local AS first\n"
                                             "ARG ONE=false\nARG TWO=false\n"
                                             "RUN $ONE\nRUN $TWO\n"
                                             "FROM first\nRUN false\n";
  std::ofstream(context + "/.dockerignore") << "docker\n";
  setenv("TWO", "true", 1);
  const Ran built =
      Run({"image", "build", "-t", "app:1", "-f", context + "/docker/File", "--target", "first",
           "--build-arg", "ONE=true", "--build-arg", "TWO", "--no-cache", "-o", "json", context});
  unsetenv("TWO");
  ASSERT_EQ(built.exit_code, a4c_cli::kOk) << built.out << built.err;
  const auto jobs = a4c::ParseJson(Run({"job", "list", "-o", "json"}).out);
  ASSERT_TRUE(jobs);
  const a4c::Json& payload = jobs->Items().at(0)["payload"];
  EXPECT_EQ(payload["build_args"].ToString(), R"({"ONE":"true","TWO":"true"})");
  EXPECT_EQ(payload["target"].Text(), "first");
  EXPECT_EQ(payload["dockerfile"].Text(), "docker/File");
  EXPECT_TRUE(payload["no_cache"].Bool());
}

TEST_F(Cli, WhatABuildLacksIsToldBeforeAnythingIsSent) {
  const std::string context = directory_ + "/context";
  std::filesystem::create_directories(context);
  const auto refusal = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"image", "build", "-t", "app:1", context});
    const Ran ran = Run(more);
    EXPECT_EQ(ran.exit_code, a4c_cli::kUsage) << ran.out << ran.err;
    return ran.err;
  };
  EXPECT_NE(refusal({}).find("there is no Dockerfile"), std::string::npos);
  std::ofstream(context + "/Dockerfile") << "FROM busybox:local\n";
  EXPECT_NE(refusal({"-f", context + "/Dockerfil"}).find("there is no file"), std::string::npos);
  EXPECT_NE(refusal({"--build-arg", "A-B=1"}).find("A-B"), std::string::npos);
  EXPECT_NE(refusal({"--build-arg", "=1"}).find("is no name"), std::string::npos);
  EXPECT_EQ(Run({"job", "list", "-o", "json"}).out, "[]\n");
  const Ran unset = Run({"image", "build", "-t", "app:1", context, "--build-arg", "A4_UNSET"});
  EXPECT_EQ(unset.exit_code, a4c_cli::kOk) << unset.err;
  EXPECT_NE(unset.err.find("A4_UNSET is not in the environment"), std::string::npos) << unset.err;
  EXPECT_EQ(Run({"__complete", "--", "image", "build", "--build-"}).out, "--build-arg\n");
}

TEST_F(Cli, AnImageThatCannotBeBuiltSaysWhy) {
  const std::string context = directory_ + "/context";
  std::filesystem::create_directories(context);
  EXPECT_EQ(Run({"image", "build", "-t", "app:1", context}).exit_code, a4c_cli::kUsage);
  std::ofstream(context + "/Dockerfile") << "FROM busybox:local\nRUN false\n";
  const Ran failed = Run({"image", "build", "-t", "app:1", context});
  EXPECT_EQ(failed.exit_code, a4c_cli::kFailed) << failed.out << failed.err;
  EXPECT_NE((failed.out + failed.err).find("returned code 1"), std::string::npos) << failed.err;
}

}  // namespace
}  // namespace a4cd
