// Commands that take several names.
#include <algorithm>
#include <set>
#include <sstream>

#include "apps/a4c/exit_code.h"
#include "tests/integration/cli/cli_fixture.h"
#include "tests/integration/cli/sessions_fixture.h"

namespace a4cd {
namespace {

class CliSeveral : public CliOverMemory {
 protected:
  std::string ActualOf(const std::string& name) {
    return Get("/v1/workspaces/" + name).body["actual"].Text();
  }
};

TEST_F(CliSeveral, EachIsDoneAndWhatFailsIsSaidWithItsName) {
  Make("dev-2");
  const Ran ran =
      Run({"workspace", "stop", "dev-1", "nope", "workspace/dev-2", "--wait", "-o", "json"});
  EXPECT_EQ(ran.exit_code, a4c_cli::kNotFound) << ran.err;
  EXPECT_EQ(ActualOf("dev-1"), "stopped");
  EXPECT_EQ(ActualOf("dev-2"), "stopped") << "also behind the one that failed";
  const auto jobs = a4c::ParseJson(ran.out);
  ASSERT_TRUE(jobs) << ran.out;
  ASSERT_EQ(jobs->Items().size(), 2u) << "one document: " << ran.out;
  EXPECT_EQ(jobs->Items()[1]["state"].Text(), "succeeded");
  const auto problem = a4c::ParseJson(ran.err);
  ASSERT_TRUE(problem) << ran.err;
  EXPECT_EQ((*problem)["name"].Text(), "nope");
  const Ran text = Run({"workspace", "start", "gone", "dev-1", "nope"});
  EXPECT_NE(text.err.find("error: gone: there is no workspace"), std::string::npos) << text.err;
  EXPECT_NE(text.err.find("error: nope: there is no workspace"), std::string::npos) << text.err;
  EXPECT_EQ(std::ranges::count(text.out, '\n'), 2) << "a header and a row: " << text.out;
}

TEST_F(CliSeveral, OneNameIsAnsweredAsEver) {
  const auto job = a4c::ParseJson(Run({"workspace", "stop", "dev-1", "-o", "json"}).out);
  ASSERT_TRUE(job);
  EXPECT_EQ((*job)["type"].Text(), "workspace.stop");
  const Ran wrong = Run({"workspace", "stop", "nope"});
  EXPECT_TRUE(wrong.err.starts_with("error: there is no workspace")) << wrong.err;
}

TEST_F(CliSeveral, WhatCannotBeUndoneIsAskedAboutAtATerminal) {
  Make("dev-2");
  const auto answer = [&](const std::string& said) {
    Screen screen;
    const pid_t child = Start({"workspace", "delete", "dev-1", "dev-2", "--wait"},
                              {screen.path(), home_ + "/out", screen.path()});
    EXPECT_TRUE(Eventually([&] {
      return screen.Shows("delete dev-1 and dev-2 with all files at http://127.0.0.1:" +
                          std::to_string(port_) + "? [yes/no] ");
    })) << screen.seen();
    EXPECT_TRUE(screen.Type(said + "\n"));
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return WEXITSTATUS(status);
  };
  EXPECT_EQ(answer("no"), a4c_cli::kAuth);
  EXPECT_EQ(ActualOf("dev-1"), "running");
  EXPECT_EQ(answer("yes"), a4c_cli::kOk);
  EXPECT_EQ(Get("/v1/workspaces/dev-2").status, 404);
}

TEST_F(CliSeveral, OnAPipeTheStatesOfAllJobsAreLinesOfJson) {
  Make("dev-2");
  const Ran ran = Run({"workspace", "delete", "dev-1", "dev-2", "--wait"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  std::istringstream lines(ran.out);
  int ended = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto job = a4c::ParseJson(line);
    ASSERT_TRUE(job) << ran.out;
    if ((*job)["state"].Text() == "succeeded") ++ended;
  }
  EXPECT_EQ(ended, 2) << ran.out;
}

TEST_F(CliSeveral, AWorkspaceIsRestarted) {
  Make("dev-2");
  const Ran ran = Run({"workspace", "restart", "dev-1", "dev-2", "--wait", "-o", "table"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ActualOf("dev-1"), "running");
  const a4c::Json jobs = Get("/v1/jobs").body["items"];
  ASSERT_GE(jobs.Items().size(), 4u);
  std::multiset<std::string> types;
  for (size_t i = 0; i < 4; ++i) types.insert(jobs.Items()[i]["type"].Text());
  EXPECT_EQ(types.count("workspace.stop"), 2u);
  EXPECT_EQ(types.count("workspace.start"), 2u);
  EXPECT_EQ(std::ranges::count(ran.out, '\n'), 3) << "the jobs that start: " << ran.out;
  const Ran none = Run({"workspace", "restart", "nope", "--wait"});
  EXPECT_EQ(none.exit_code, a4c_cli::kNotFound);
  EXPECT_EQ(none.out, "");
}

TEST_F(Cli, SeveralJobsServersKeysAndSecretsInOneCommand) {
  const std::string a = CreateWorkspaceJob("a").body["id"].Text();
  const std::string b = CreateWorkspaceJob("b").body["id"].Text();
  const Ran canceled = Run({"job", "cancel", a, "job/" + b, "-o", "name"});
  EXPECT_EQ(canceled.exit_code, 0) << canceled.err;
  EXPECT_EQ(canceled.out, "job/" + a + "\njob/" + b + "\n");
  EXPECT_EQ(Run({"job", "cancel", a, b}).exit_code, a4c_cli::kConflict);
  EXPECT_EQ(Run({"job", "get", a, b, "-o", "name"}).out, canceled.out);
  EXPECT_EQ(Run({"host", "cordon", "local-1", "local-2"}).exit_code, 0);
  EXPECT_TRUE(Get("/v1/hosts/local-2").body["cordoned"].Bool());
  EXPECT_EQ(Run({"host", "uncordon", "local-1", "nope", "local-2"}).exit_code, a4c_cli::kNotFound);
  EXPECT_FALSE(Get("/v1/hosts/local-2").body["cordoned"].Bool());
  const Ran drained = Run({"host", "drain", "local-1", "local-2", "--wait", "-o", "name"});
  EXPECT_EQ(drained.exit_code, 0) << drained.err;
  EXPECT_EQ(drained.out, "host/local-1\nhost/local-2\n");
  const Ran removed = Run({"host", "remove", "nope", "local-1"});
  EXPECT_EQ(removed.exit_code, a4c_cli::kNotFound) << "of the first failure";
  EXPECT_NE(removed.err.find("error: local-1: "), std::string::npos) << removed.err;
  std::vector<std::string> revoke = {"key", "revoke"};
  for (const char* name : {"one", "two"}) {
    const auto key =
        a4c::ParseJson(Run({"key", "create", name, "--scope", "jobs:read", "-o", "json"}).out);
    revoke.push_back((*key)["id"].Text());
  }
  EXPECT_EQ(Run(revoke).err, "revoked " + revoke[2] + "\nrevoked " + revoke[3] + "\n");
}

}  // namespace
}  // namespace a4cd
