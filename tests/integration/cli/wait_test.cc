// What a command writes that waits for its job, and then tells what came of it.
#include <sstream>

#include "a4c/json.h"
#include "tests/integration/cli/sessions_fixture.h"

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

}  // namespace
}  // namespace a4cd
