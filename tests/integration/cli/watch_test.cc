// Lists that are watched: what was there, then what changes, until somebody has seen enough.
#include <algorithm>
#include <csignal>
#include <map>
#include <sstream>

#include "apps/a4c/exit_code.h"
#include "tests/integration/cli/sessions_fixture.h"
#include "tests/support/canned.h"

namespace a4cd {
namespace {

class CliWatch : public CliOverMemory {
 protected:
  void Begin(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--interval", "1"});
    child_ = Start(arguments, {"/dev/null", home_ + "/out", home_ + "/err"});
  }
  // Whether it comes to print that.
  bool Prints(const std::string& text) const {
    return Eventually([&] { return ReadAll(home_ + "/out").find(text) != std::string::npos; });
  }
  bool Notes(const std::string& text) const {
    return Eventually([&] { return ReadAll(home_ + "/err").find(text) != std::string::npos; });
  }
  // What it has printed until Ctrl-C.
  std::string End() {
    EXPECT_EQ(kill(child_, SIGINT), 0);
    EXPECT_EQ(ExitCode(), a4c_cli::kInterrupted);
    return ReadAll(home_ + "/out");
  }
  int ExitCode() const {
    int status = 0;
    EXPECT_EQ(waitpid(child_, &status, 0), child_);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  pid_t child_ = -1;
};

TEST_F(CliWatch, WorkspacesThatChangeAreRowsBelowTheTable) {
  const std::string id = Get("/v1/workspaces/dev-1").body["id"].Text();
  Begin({"workspace", "list", "-w"});
  ASSERT_TRUE(Prints(id + "  dev-1  running  running  ")) << ReadAll(home_ + "/err");
  Post("/v1/workspaces/dev-1:stop", "");
  ASSERT_TRUE(Prints(id + "  dev-1  stopped  stopped  ")) << ReadAll(home_ + "/out");
  Make("dev-2");
  ASSERT_TRUE(Prints("  dev-2  running  running  ")) << ReadAll(home_ + "/out");
  Send("DELETE", "/v1/workspaces/dev-1");
  ASSERT_TRUE(Prints("  deleted  ")) << ReadAll(home_ + "/out");
  const std::string out = End();
  EXPECT_EQ(out.rfind("ID "), 0u) << "one header: " << out;
  EXPECT_EQ(ReadAll(home_ + "/err"), "");
}

TEST_F(CliWatch, ProgramsGetAnObjectForEachChange) {
  Begin({"workspace", "list", "--watch", "-o", "ndjson"});
  ASSERT_TRUE(Prints("\"dev-1\"")) << ReadAll(home_ + "/err");
  Send("DELETE", "/v1/workspaces/dev-1");
  ASSERT_TRUE(Prints("\"deleted\":true")) << ReadAll(home_ + "/out");
  std::istringstream lines(End());
  int64_t rev = 0;
  bool is_deleted = false;
  for (std::string line; std::getline(lines, line);) {
    const auto workspace = a4c::ParseJson(line);
    ASSERT_TRUE(workspace) << line;
    is_deleted = (*workspace)["deleted"].Bool();
    if (!is_deleted) {
      EXPECT_GT((*workspace)["rev"].Int(), rev) << "only what is news";
    }
    rev = (*workspace)["rev"].Int();
  }
  EXPECT_TRUE(is_deleted);
}

TEST_F(CliWatch, JsonAndYamlAreDocumentsOneAfterAnother) {
  Begin({"host", "list", "-w", "-o", "yaml"});
  ASSERT_TRUE(Prints("---\nid: ")) << ReadAll(home_ + "/err");
  const std::string host = Get("/v1/hosts").body["items"].Items().at(0)["id"].Text();
  Post("/v1/hosts/" + host + ":cordon", "");
  ASSERT_TRUE(Prints("cordoned: true")) << ReadAll(home_ + "/out");
  const std::string yaml = End();
  EXPECT_EQ(yaml.find("\n- "), std::string::npos) << "no list: " << yaml;
  Begin({"host", "list", "-w", "-o", "json"});
  ASSERT_TRUE(Prints("\n}\n")) << ReadAll(home_ + "/err");
  EXPECT_TRUE(End().starts_with("{\n  \"id\": "));
}

TEST_F(CliWatch, JobsAreToldByEventsAlsoThoseThatAreNotInTheList) {
  Begin({"job", "list", "-w", "--limit", "1"});
  ASSERT_TRUE(Prints("  workspace.create  succeeded  ")) << ReadAll(home_ + "/err");
  const std::string delayed =
      Post("/v1/jobs", R"({"type":"workspace.stop","payload":{"workspace":"dev-1"},"delay":"24h"})")
          .body["id"]
          .Text();
  ASSERT_TRUE(Prints(delayed + "  workspace.stop    pending ")) << ReadAll(home_ + "/out");
  Post("/v1/jobs/" + delayed + ":cancel", "", {{"If-Match", "*"}});
  ASSERT_TRUE(Prints(delayed + "  workspace.stop    canceled ")) << ReadAll(home_ + "/out");
  End();
}

TEST_F(CliWatch, AJobThatIsNoLongerWhatIsAskedForIsShownAsItIs) {
  const Answer made = Post(
      "/v1/jobs", R"({"type":"workspace.stop","payload":{"workspace":"dev-1"},"delay":"24h"})");
  const std::string id = made.body["id"].Text();
  Begin({"job", "list", "--state", "pending", "-w", "--token", made.Header("a4c-token"), "-o",
         "ndjson"});
  ASSERT_TRUE(Prints(id)) << ReadAll(home_ + "/err");
  Post("/v1/jobs/" + id + ":cancel", "", {{"If-Match", "*"}});
  ASSERT_TRUE(Prints("\"state\":\"canceled\"")) << ReadAll(home_ + "/out");
  const std::string out = End();
  EXPECT_EQ(std::ranges::count(out, '\n'), 2) << out;
}

TEST_F(CliWatch, NobodyIsWatchedForOnceNobodyReads) {
  const pid_t child =
      Start({"workspace", "list", "-w"}, {"/dev/null", "/dev/full", home_ + "/err"});
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), a4c_cli::kFailed);
}

constexpr const char* kBusy =
    "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
    "Content-Type: application/problem+json\r\n"
    "Content-Length: 29\r\n\r\n{\"detail\":\"it is restarting\"}";

std::string Ok(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n"
         "Content-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

TEST_F(CliWatch, WhatBreaksIsWaitedOutAndSaidOnce) {
  std::vector<std::string> answers = {
      Ok(R"({"items":[{"id":"w","name":"dev-1","actual":"running","rev":1}]})")};
  // Two rounds of what a request is sent again by itself.
  answers.insert(answers.end(), 10, kBusy);
  answers.push_back(Ok(R"({"items":[{"id":"w","name":"dev-1","actual":"lost","rev":2}]})"));
  const a4c::testing::Canned server(answers);
  url_ = server.url();
  Begin({"workspace", "list", "-w"});
  ASSERT_TRUE(Prints("lost")) << ReadAll(home_ + "/err");
  EXPECT_TRUE(Notes("note: it answers again\n"));
  End();
  EXPECT_EQ(ReadAll(home_ + "/err"),
            "note: it is restarting; it is asked again until it answers\nnote: it answers again\n");
}

TEST_F(CliWatch, AJobIsWatchedOverBreaksToItsEnd) {
  const std::string stream =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nretry: 2000\n\n";
  const a4c::testing::Canned server(
      {kBusy, stream, Ok(R"({"id":"j","state":"running","rev":1})"), kBusy, stream,
       Ok(R"({"id":"j","state":"succeeded","reason":"done","rev":2})")});
  url_ = server.url();
  const Ran ran = Run({"job", "watch", "j", "-o", "ndjson"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(std::ranges::count(ran.out, '\n'), 2) << ran.out;
  EXPECT_NE(ran.err.find("note: it is restarting"), std::string::npos) << ran.err;
}

// A stream without a sign of life is no stream that has ended: what was shown is not shown twice.
TEST_F(CliWatch, TheLogOfAJobIsFollowedOverBreaksToItsEnd) {
  const std::string stream =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n:\n\n";
  const a4c::testing::Canned server(
      {kBusy, stream + "id: 3\ndata: {\"text\":\"one\\n\"}\n\n:\n\n", kBusy,
       stream +
           "id: 5\ndata: {\"text\":\"two\\n\"}\n\nevent: end\ndata: {\"state\":\"failed\"}\n\n"});
  url_ = server.url();
  const Ran ran = Run({"job", "logs", "j", "-f", "--tail", "7"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.out, "one\ntwo\n");
  EXPECT_NE(ran.err.find("note: it is restarting"), std::string::npos) << ran.err;
  const std::vector<std::string> requests = server.requests();
  ASSERT_EQ(requests.size(), 4u);
  EXPECT_EQ(requests[1].find("Last-Event-ID"), std::string::npos);
  EXPECT_NE(requests[3].find("Last-Event-ID: 3\r\n"), std::string::npos) << requests[3];
}

TEST_F(CliWatch, TheLogOfNoJobIsNotWaitedFor) {
  const Ran ran = Run({"job", "logs", "nobody", "-f"});
  EXPECT_EQ(ran.exit_code, a4c_cli::kNotFound) << ran.err;
}

TEST_F(CliWatch, WhatNeverAnswersIsNotWaitedForForEver) {
  url_ = "http://127.0.0.1:1";
  const Ran ran = Run({"--request-timeout-ms", "500", "job", "watch"});
  EXPECT_EQ(ran.exit_code, a4c_cli::kUnavailable) << ran.err;
}

}  // namespace
}  // namespace a4cd
