// The command line, run as a program against an a4cd in this process: what it prints, and its exit
// codes.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "apps/a4c/exit_code.h"
#include "tests/integration/cli_fixture.h"

namespace a4cd {
namespace {

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

TEST_F(Cli, AnEmptyListIsASuccess) {
  const Ran ran = Run({"job", "list", "-o", "json"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.out, "[]\n");
}

TEST_F(Cli, ExitCodesTellWhatWentWrong) {
  Run({"workspace", "create", "dev-1", "--", "sleep", "9"});
  const std::string id = Get("/v1/jobs").body["items"].Items().at(0)["id"].Text();
  struct Case {
    std::vector<std::string> arguments;
    std::vector<std::pair<std::string, std::string>> environment;
    int exit_code;
  };
  const Case cases[] = {
      {{"job", "list"}, {}, 0},
      {{"--no-such-flag"}, {}, 2},
      {{"job", "create", "nope"}, {}, 2},
      {{"job", "list", "-q", "state:("}, {}, 2},
      {{"job", "get", "nope"}, {}, 3},
      {{"workspace", "get", "nope"}, {}, 3},
      {{"job", "list"}, {{"A4C_API_KEY", "a4c_wrong"}}, 4},
      {{"job", "retry", id}, {}, 5},
      {{"workspace", "create", "dev-1", "--", "sleep", "9"}, {}, 5},
      {{"job", "cancel", id}, {}, 0},
      {{"job", "watch", id}, {}, 1},
      {{"--context", "nowhere", "job", "list"}, {}, 2},
      {{"--request-timeout-ms", "500", "job", "list"}, {{"A4C_URL", "http://127.0.0.1:1"}}, 8},
      {{"host", "add", "nonsense", "--fingerprint", "f"}, {}, 2},
      {{"host", "add", "memory:new", "--fingerprint", "SHA256:other"}, {}, 5},
      {{"host", "add"}, {}, 2},
      {{"host", "remove", "nope"}, {}, 3},
      {{"host", "remove", "local-1"}, {}, 5},
      {{"audit", "list"}, {}, 0},
  };
  for (const Case& one : cases) {
    const Ran ran = Run(one.arguments, one.environment);
    EXPECT_EQ(ran.exit_code, one.exit_code) << testing::PrintToString(one.arguments) << ran.err;
    // A job that was watched to its end has its say on standard output.
    const bool watched = one.arguments.size() > 1 && one.arguments[1] == "watch";
    EXPECT_EQ(ran.err.empty(), one.exit_code == 0 || watched)
        << testing::PrintToString(one.arguments) << ran.err;
  }
}

TEST_F(Cli, WhatIsWrongIsSaidOnceAndWithWhatToDo) {
  struct Case {
    std::vector<std::string> arguments;
    std::string err;
  };
  const Case cases[] = {
      {{"workspace", "create", "dev-1"},
       "error: without an image there has to be a command to run\n"
       "hint: a4c workspace create dev-1 -- sleep 600\n"},
      {{"workspace", "create", "dev-1", "--restart", "often", "--", "sleep", "9"},
       "error: --restart: often not in {never,on_failure,always}\n"
       "hint: a4c workspace create --help\n"},
      {{"workspace", "update", "dev-1", "--memory", "lots"},
       "error: /memory is a size\nhint: write 1048576 (bytes), \"512MiB\" or \"20GiB\"\n"},
      {{"job", "create", "nope"},
       "error: /type is no type of job\nhint: one of workspace.create, workspace.start, "},
      {{"key", "create", "ci", "--scope", "bogus"},
       "error: /scopes \"bogus\" is no scope\nhint: one of *, "},
      {{"host", "add"},
       "error: name one server, or a file of them with -f, and not both\nhint: a4c host add "},
      {{"host", "add", "-f", "/no/such/file"}, "error: the file /no/such/file cannot be read\n"},
      {{"host", "cleanup", "nope"}, "error: there is no server nope\nhint: "},
      {{"host", "adopt", "nope"}, "error: there is no server nope\nhint: "},
  };
  for (const Case& one : cases) {
    const Ran ran = Run(one.arguments);
    EXPECT_TRUE(ran.err.starts_with(one.err)) << ran.err;
    EXPECT_LE(std::ranges::count(ran.err, '\n'), 2) << ran.err;
    EXPECT_EQ(ran.out, "") << testing::PrintToString(one.arguments);
  }
}

TEST_F(Cli, ATenantIsMadeAndHasKeysOfItsOwn) {
  const std::vector<std::string> create_key = {"key",     "create",    "ci", "--tenant", "acme",
                                               "--scope", "jobs:read", "-o", "json"};
  const Ran early = Run(create_key);
  EXPECT_EQ(early.exit_code, 3);
  EXPECT_NE(early.err.find("a4c tenant create acme"), std::string::npos) << early.err;
  EXPECT_EQ(Run({"tenant", "create", "acme", "--share", "2"}).exit_code, 0);
  EXPECT_EQ(Run({"tenant", "create", "acme"}).exit_code, 5);
  const auto tenants = a4c::ParseJson(Run({"tenant", "list", "-o", "json"}).out);
  ASSERT_TRUE(tenants);
  EXPECT_EQ(tenants->Items().back()["id"].Text(), "acme");
  EXPECT_EQ(tenants->Items().back()["share"].Int(), 2);
  const auto made = a4c::ParseJson(Run(create_key).out);
  ASSERT_TRUE(made);
  const Ran theirs = Run({"tenant", "list"}, {{"A4C_API_KEY", (*made)["key"].Text()}});
  EXPECT_EQ(theirs.exit_code, 4) << "that needs a scope of its own";
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
  ASSERT_EQ(ran.exit_code, 6) << ran.err;
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
  }
  EXPECT_EQ(Run({"job", "cancel", name}).exit_code, 0);
  EXPECT_EQ(Run({"host", "get", "host/local-1"}).exit_code, 0);
  EXPECT_EQ(Run({"workspace", "get", "job/dev-1"}).exit_code, 3) << "another noun's";
}

TEST_F(Cli, AServerIsAddedOnlyWithAFingerprintThatSomebodyHasSeen) {
  const Ran asked = Run({"host", "add", "memory:srv-9"});
  EXPECT_EQ(asked.exit_code, 2) << "there is no terminal to ask at";
  EXPECT_NE(asked.err.find("SHA256:srv-9"), std::string::npos) << asked.err;
  EXPECT_NE(asked.err.find("--fingerprint SHA256:srv-9"), std::string::npos) << asked.err;
  EXPECT_EQ(Run({"host", "get", "srv-9"}).exit_code, 3);
  const Ran added = Run({"host", "add", "memory:srv-9", "--fingerprint", "SHA256:srv-9", "--set",
                         "disk=7GiB", "--label", "zone=b", "-o", "name"});
  ASSERT_EQ(added.exit_code, 0) << added.err;
  EXPECT_EQ(added.out, "host/srv-9\n");
  EXPECT_NE(Run({"host", "list"}).out.find("srv-9    yes"), std::string::npos);
  const auto host = a4c::ParseJson(Run({"host", "get", "srv-9", "-o", "json"}).out);
  ASSERT_TRUE(host);
  EXPECT_EQ((*host)["labels"]["zone"].Text(), "b");
  EXPECT_EQ((*host)["settings"]["disk"].Text(), "7GiB");
  EXPECT_EQ(Run({"host", "remove", "srv-9"}).exit_code, 5) << "it is not cordoned";
  EXPECT_EQ(Run({"host", "drain", "srv-9", "--wait"}).exit_code, 0);
  EXPECT_EQ(Run({"host", "remove", "srv-9"}).exit_code, 0);
}

TEST_F(Cli, WhatIsWrongWithAServerIsSaidWhenItIsAddedAndByTheDoctor) {
  const Ran added = Run({"host", "add", "memory:srv-9", "--fingerprint", "SHA256:srv-9", "--set",
                         "warning=its clock is 9 s behind ours"});
  ASSERT_EQ(added.exit_code, 0) << added.err;
  const std::string said = "warning: srv-9: its clock is 9 s behind ours";
  EXPECT_NE(added.err.find(said), std::string::npos) << added.err;
  const Ran wide = Run({"host", "get", "srv-9", "-o", "wide"});
  EXPECT_NE(wide.out.find("amd64"), std::string::npos) << wide.out;
  EXPECT_NE(wide.err.find(said), std::string::npos) << wide.err;
  const Ran doctor = Run({"doctor"});
  EXPECT_EQ(doctor.exit_code, 0) << "a warning is no failure: " << doctor.out;
  EXPECT_NE(doctor.out.find("ok    server srv-9 answers"), std::string::npos) << doctor.out;
  EXPECT_NE(doctor.out.find("WARN  server srv-9\n      its clock is 9 s behind ours"),
            std::string::npos)
      << doctor.out;
}

TEST_F(Cli, LabelsOfAServerAreChangedAndWorkspacesAskForThem) {
  const Ran labelled = Run({"host", "label", "local-2", "gpu=yes", "zone=b", "-o", "json"});
  ASSERT_EQ(labelled.exit_code, 0) << labelled.err;
  const Ran removed = Run({"host", "label", "local-2", "zone-", "-o", "json"});
  ASSERT_EQ(removed.exit_code, 0) << removed.err;
  EXPECT_NE(removed.out.find("\"gpu\""), std::string::npos) << removed.out;
  EXPECT_EQ(removed.out.find("\"zone\""), std::string::npos) << removed.out;
  EXPECT_EQ(Run({"host", "label", "local-2", "gpu"}).exit_code, 2);
  const Ran created = Run({"workspace", "create", "dev-1", "--constraint", "arch=amd64",
                           "--constraint", "label:gpu=yes", "-o", "json", "--", "sleep", "9"});
  ASSERT_EQ(created.exit_code, 0) << created.err;
  const Answer workspace = Get("/v1/workspaces/dev-1");
  EXPECT_EQ(workspace.body["constraints"]["arch"].Text(), "amd64") << workspace.text;
  EXPECT_EQ(workspace.body["constraints"]["labels"]["gpu"].Text(), "yes") << workspace.text;
  const Ran wrong = Run({"workspace", "create", "dev-2", "--constraint", "gpu=yes", "--", "true"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_NE(wrong.err.find("label:gpu=yes"), std::string::npos) << wrong.err;
}

TEST_F(Cli, ServersAreAddedByAFileEachForItself) {
  const std::string file = directory_ + "/hosts.yaml";
  std::ofstream(file) << "hosts:\n"
                         "  - {address: 'memory:one', fingerprint: 'SHA256:one'}\n"
                         "  - {id: bad, address: 'memory:two', fingerprint: 'SHA256:other'}\n"
                         "  - {id: third, address: 'memory:three', fingerprint: 'SHA256:three',"
                         " labels: {zone: b}}\n";
  const Ran ran = Run({"host", "add", "-f", file, "-o", "name"});
  EXPECT_EQ(ran.exit_code, 5) << ran.err;
  EXPECT_EQ(ran.out, "host/one\nhost/third\n");
  EXPECT_NE(ran.err.find("SHA256:two"), std::string::npos) << ran.err;
  std::ofstream(file) << "hosts:\n  - {adress: 'memory:one'}\n";
  const Ran wrong = Run({"host", "add", "-f", file});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_NE(wrong.err.find("adress"), std::string::npos) << wrong.err;
}

TEST_F(Cli, AWorkspaceSaysWhatADrainMayDoWithIt) {
  const auto created = [&](const std::string& name, const std::vector<std::string>& flags) {
    std::vector<std::string> arguments{"workspace", "create", name};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    arguments.insert(arguments.end(), {"--", "sleep", "9"});
    return Run(arguments).exit_code;
  };
  EXPECT_EQ(created("kept", {}), 0);
  EXPECT_EQ(created("moved", {"--on-drain", "recreate"}), 0);
  EXPECT_EQ(created("wrong", {"--on-drain", "explode"}), 2);
  EXPECT_EQ(Get("/v1/workspaces/kept").body["on_drain"].Text(), "keep");
  EXPECT_EQ(Get("/v1/workspaces/moved").body["on_drain"].Text(), "recreate");
}

TEST_F(Cli, TheAuditLogIsListed) {
  Run({"workspace", "create", "dev-1", "--", "sleep", "9"});
  const Ran ran = Run({"audit", "list"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_NE(ran.out.find("createWorkspace"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("applied"), std::string::npos) << ran.out;
}

TEST_F(Cli, ErrorsInJsonAreProblemsWithTheHint) {
  const Ran ran = Run({"job", "get", "nope", "-o", "json"});
  const auto problem = a4c::ParseJson(ran.err);
  ASSERT_TRUE(problem) << ran.err;
  EXPECT_EQ((*problem)["status"].Int(), 404);
  EXPECT_NE(Run({"job", "get", "nope"}).err.find("hint: list them: a4c job list"),
            std::string::npos);
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

TEST_F(Cli, KeepsContextsInAFileThatOthersCannotRead) {
  const std::string file = directory_ + "/config.yaml";
  EXPECT_EQ(Run({"context", "set", "home"}).exit_code, 0);
  EXPECT_EQ(std::filesystem::status(file).permissions() & std::filesystem::perms::all,
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  // The context alone is enough now.
  EXPECT_EQ(Run({"job", "list"}, {{"A4C_URL", ""}, {"A4C_API_KEY_FILE", ""}}).exit_code, 0);
  EXPECT_NE(Run({"context", "list"}).out.find("home  yes"), std::string::npos);
  EXPECT_EQ(Run({"context", "list", "-o", "json"}).out.find(key_), std::string::npos);
  EXPECT_EQ(Run({"context", "use", "away"}).exit_code, 3);
  EXPECT_EQ(Run({"context", "set", "away"}).exit_code, 0);
  EXPECT_EQ(Run({"context", "use", "away"}).exit_code, 0);
  EXPECT_EQ(Run({"context", "remove", "away"}).exit_code, 0);
  EXPECT_EQ(Run({"context", "remove", "away"}).exit_code, 3);
  EXPECT_NE(Run({"context", "list"}).out.find("home  no"), std::string::npos) << "none is chosen";
  std::filesystem::permissions(file, std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  EXPECT_EQ(Run({"context", "list"}).exit_code, 4);
}

TEST_F(Cli, CompletesCommandsFlagsAndIds) {
  EXPECT_EQ(Run({"__complete", "--", "job", "ca"}).out, "cancel\n");
  EXPECT_NE(Run({"__complete", "--", "job", "list", "--qu"}).out.find("--query\n"),
            std::string::npos);
  EXPECT_EQ(Run({"__complete", "--", "host", "get", "local-"}).out, "local-1\nlocal-2\nlocal-3\n");
  EXPECT_NE(Run({"completion", "bash"}).out.find("complete -o default -F _a4c a4c"),
            std::string::npos);
}

TEST_F(Cli, CompletesQueriesWithFieldsAndValues) {
  const Answer created = CreateWorkspaceJob("dev-1");
  ASSERT_EQ(Get("/v1/jobs?q=*&token=" + created.Header("a4c-token")).status, 200);
  const auto complete = [&](const std::string& query) {
    return Run({"__complete", "--", "job", "list", "-q", query}).out;
  };
  EXPECT_EQ(complete("sta"), "state:\nstarted_at:\n");
  EXPECT_EQ(complete("'type:image.build or state:pen"), "type:image.build or state:pending\n");
  EXPECT_EQ(complete("\"\u00e4rger or wor"), "\u00e4rger or workspace:\n");
  EXPECT_EQ(complete("state:a) b"), "");
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

TEST_F(Cli, AWrongCommandLineSaysWhatWasProbablyMeant) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong = {
      {{"workspce", "list"},
       "error: unknown command \"workspce\"\nhint: did you mean \"workspace\"?"},
      {{"job", "lst"}, "error: unknown command \"lst\"\nhint: did you mean \"list\"?"},
      {{"zzzz"}, "error: unknown command \"zzzz\"\nhint: a4c --help"},
      {{"job", "list", "--sorted", "x"},
       "error: unknown option --sorted\nhint: did you mean \"--sort\"?"},
      {{"job", "get", "--bogus=1"}, "error: unknown option --bogus\nhint: a4c job get --help"},
      {{"job", "list", "x"}, "error: unexpected argument \"x\"\nhint: a4c job list --help"},
      {{"job", "get"}, "error: job is required\nhint: a4c job get --help"},
      {{"help", "job", "lst"}, "error: unknown command \"lst\"\nhint: did you mean \"list\"?"},
      {{}, "Usage: a4c [OPTIONS] SUBCOMMAND"},
      {{"job"}, "Usage: a4c job [OPTIONS] SUBCOMMAND"},
  };
  for (const auto& [arguments, what] : wrong) {
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.exit_code, a4c_cli::kUsage) << what;
    EXPECT_NE(ran.err.find(what), std::string::npos) << ran.err;
    EXPECT_EQ(ran.out, "") << "what is wrong is no output";
  }
  const std::string of_secret = Run({"secret", "list", "s3cr3t"}).err;
  EXPECT_NE(of_secret.find("error: an argument too many"), std::string::npos) << of_secret;
  EXPECT_EQ(of_secret.find("s3cr3t"), std::string::npos);
  EXPECT_NE(Run({"help"}).out.find("Usage: a4c [OPTIONS] SUBCOMMAND"), std::string::npos);
  EXPECT_NE(Run({"help", "job", "get"}).out.find("Usage: a4c job get "), std::string::npos);
}

TEST_F(Cli, AListIsWholeHoweverSmallAPageMayBe) {
  StartApp("api: {page_limit_max: 2}\n");
  url_ = "http://127.0.0.1:" + std::to_string(app_->port());
  for (const char* name : {"one", "two", "three", "four"}) {
    ASSERT_EQ(Run({"key", "create", name, "--scope", "jobs:read"}).exit_code, 0);
  }
  const Ran keys = Run({"key", "list", "-o", "name"});
  EXPECT_EQ(keys.exit_code, 0) << keys.err;
  EXPECT_EQ(std::ranges::count(keys.out, '\n'), 5) << "the first key too: " << keys.out;
  for (const char* noun : {"workspace", "secret", "snapshot"}) {
    const Ran ran = Run({noun, "list"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
  }
}

TEST_F(Cli, DoctorSaysWhatToDo) {
  const Ran well = Run({"doctor"});
  EXPECT_EQ(well.exit_code, 0) << well.out;
  for (const char* check : {" answers", "the clocks agree", "the key is accepted", "versions fit",
                            "search is available"}) {
    EXPECT_NE(well.out.find(check), std::string::npos) << check << " in " << well.out;
  }
  const Ran ran =
      Run({"--request-timeout-ms", "300", "doctor"}, {{"A4C_URL", "http://127.0.0.1:1"}});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(ran.out.find("FAIL  http://127.0.0.1:1 answers"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("do: start it"), std::string::npos) << ran.out;
}

TEST_F(Cli, DoctorTellsProgramsTheSame) {
  const Ran ran = Run({"--request-timeout-ms", "300", "doctor", "-o", "json"},
                      {{"A4C_URL", "http://127.0.0.1:1"}});
  EXPECT_EQ(ran.exit_code, 1);
  const auto told = a4c::ParseJson(ran.out);
  ASSERT_TRUE(told) << ran.out;
  const auto& items = told->Items();
  ASSERT_EQ(items.size(), 3u) << ran.out;
  EXPECT_EQ(items[1].ToString(), R"({"level":"ok","check":"URL and key are known"})");
  EXPECT_EQ(items[2]["level"].Text(), "FAIL");
  EXPECT_EQ(items[2]["check"].Text(), "http://127.0.0.1:1 answers");
  EXPECT_NE(items[2]["hint"].Text().find("start it"), std::string::npos);
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

TEST_F(Cli, DisksAreDrawn) {
  const Ran all = Run({"host", "disks"});
  EXPECT_EQ(all.exit_code, a4c_cli::kOk) << all.err;
  EXPECT_NE(all.out.find("local-1  [..............................]   0 %"), std::string::npos)
      << all.out;
  const Ran one = Run({"host", "disks", "local-1"});
  EXPECT_EQ(one.exit_code, a4c_cli::kOk) << one.err;
  EXPECT_NE(one.out.find("cache"), std::string::npos) << one.out;
  EXPECT_EQ(Run({"host", "disks", "nowhere"}).exit_code, a4c_cli::kNotFound);
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
