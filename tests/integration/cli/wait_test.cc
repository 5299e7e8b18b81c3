// What a command writes that waits for its job, and then tells what came of it.
#include <sstream>

#include "a4c/json.h"
#include "apps/a4c/exit_code.h"
#include "tests/integration/cli/sessions_fixture.h"
#include "tests/support/canned.h"

namespace a4cd {
namespace {

class CliWait : public CliOverMemory {
 protected:
  std::string Host() { return Get("/v1/hosts").body["items"].Items().at(0)["id"].Text(); }
};

TEST_F(CliWait, OnAPipeItIsTheStatesOfTheJobInLinesOfJsonAlone) {
  const std::vector<std::vector<std::string>> commands = {{"host", "cleanup", Host(), "--dry-run"},
                                                          {"host", "cleanup", Host(), "--wait"},
                                                          {"workspace", "stop", "dev-1", "--wait"}};
  for (const auto& command : commands) {
    const Ran ran = Run(command);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    std::istringstream lines(ran.out);
    std::string state;
    for (std::string line; std::getline(lines, line);) {
      const auto job = a4c::ParseJson(line);
      ASSERT_TRUE(job) << ran.out;
      state = (*job)["state"].Text();
    }
    EXPECT_EQ(state, "succeeded") << ran.out;
  }
}

TEST_F(CliWait, AListThatAJobMakesIsOneDocument) {
  const Ran json = Run({"host", "adopt", Host(), "-o", "json"});
  EXPECT_EQ(json.out, "[]\n") << json.err;
  const Ran table = Run({"host", "adopt", Host()});
  EXPECT_EQ(table.out, "UNIT  ACTUAL\n") << table.err;
}

TEST_F(CliWait, ATableThatIsAskedForHasNoJson) {
  const Ran ran = Run({"-o", "table", "host", "cleanup", Host(), "--dry-run"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_TRUE(ran.out.starts_with("ID ")) << ran.out;
  EXPECT_EQ(ran.out.find('{'), std::string::npos) << ran.out;
  EXPECT_NE(ran.err.find(" would be given back"), std::string::npos) << ran.err;
}

std::string Told(const std::string& status, const std::string& body) {
  return "HTTP/1.1 " + status +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + body;
}

// One answer, then more of none than a request is sent again for, then another.
std::vector<std::string> OverABreak(const std::string& first, const std::string& then) {
  std::vector<std::string> answers(6, Told("503 Gone for a while", R"({"detail":"it restarts"})"));
  answers.insert(answers.begin(), Told("200 OK", first));
  answers.push_back(Told("200 OK", then));
  return answers;
}

TEST_F(CliWait, ABreakIsWaitedOut) {
  struct Case {
    std::vector<std::string> command;
    std::string first;
    std::string then;
  };
  const std::vector<Case> cases = {
      {{"job", "create", "x", "--wait"},
       R"({"id":"j","state":"running"})",
       R"({"id":"j","state":"succeeded"})"},
      {{"sync", "verify"},
       R"({"task":"verify","state":"running"})",
       R"({"task":"verify","state":"succeeded"})"},
      {{"host", "drain", "one", "--wait"}, R"({"id":"one"})", R"({"id":"one","workspaces":0})"}};
  for (const Case& each : cases) {
    const a4c::testing::Canned server(OverABreak(each.first, each.then));
    url_ = server.url();
    std::vector<std::string> command = each.command;
    command.insert(command.begin(), {"--request-timeout-ms", "2000"});
    const Ran ran = Run(command);
    EXPECT_EQ(ran.exit_code, 0) << command[2] << ": " << ran.err;
    EXPECT_EQ(ran.err,
              "note: it restarts; it is asked again until it answers\nnote: it answers again\n")
        << command[2];
  }
}

TEST_F(CliWait, ABreakEndsWithTheTimeThatWasGiven) {
  std::vector<std::string> answers = OverABreak(R"({"id":"j","state":"running"})", "");
  answers.pop_back();  // the last answer is given over and over
  const a4c::testing::Canned server(answers);
  url_ = server.url();
  const Ran ran =
      Run({"--request-timeout-ms", "1000", "job", "create", "x", "--wait", "--timeout", "1"});
  EXPECT_EQ(ran.exit_code, a4c_cli::kTimedOut) << ran.err;
  EXPECT_NE(ran.err.find("it has not ended in time"), std::string::npos) << ran.err;
}

// What stays for others is counted, and not named.
TEST_F(CliWait, ADrainEndsWhenNothingIsLeftThatItMoves) {
  const a4c::testing::Canned server(
      {Told("200 OK", R"({"id":"srv-9"})"),
       Told("200 OK", R"({"id":"srv-9","workspaces":4,"staying":[],"staying_count":3})"),
       Told("200 OK", R"({"id":"srv-9","workspaces":3,"staying_count":3,)"
                      R"("staying":[{"id":"w","name":"dev-1","reason":"it is tied"}]})")});
  url_ = server.url();
  const Ran ran = Run({"host", "drain", "srv-9", "--wait", "--timeout", "30"});
  EXPECT_EQ(ran.exit_code, a4c_cli::kConflict) << ran.err;
  EXPECT_EQ(ran.err, "dev-1 stays: it is tied\nand 2 more, of other tenants too\n");
  EXPECT_EQ(server.requests().size(), 3u);
}

TEST_F(CliWait, AJobThatIsNotThereAnyMoreIsNotWaitedFor) {
  const a4c::testing::Canned server({Told("200 OK", R"({"id":"j","state":"running"})"),
                                     Told("404 Not Found", R"({"detail":"no such job"})")});
  url_ = server.url();
  const Ran ran = Run({"job", "create", "x", "--wait"});
  EXPECT_EQ(ran.exit_code, a4c_cli::kNotFound) << ran.err;
}

}  // namespace
}  // namespace a4cd
