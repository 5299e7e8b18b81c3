// The command line as a process, against a whole a4cd in this one.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "tests/integration/support/api_fixture.h"
#include "tests/integration/support/ran.h"
#include "tests/integration/support/spawn.h"

namespace a4cd {

class Cli : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    directory_ = testing::TempDir() + "a4c_cli_test_" + std::to_string(getpid());
    std::filesystem::create_directories(directory_);
    url_ = "http://127.0.0.1:" + std::to_string(app_->port());
  }
  void TearDown() override {
    ApiTest::TearDown();
    std::filesystem::remove_all(directory_);
  }

  Ran Run(const std::vector<std::string>& arguments,
          std::vector<std::pair<std::string, std::string>> environment = {},
          const std::string& out_file = "", const std::string& err_file = "") {
    const std::string out = out_file.empty() ? directory_ + "/out" : out_file;
    const std::string err = err_file.empty() ? directory_ + "/err" : err_file;
    environment.insert(environment.begin(), {{"A4C_URL", url_},
                                             {"A4C_API_KEY_FILE", key_file_},
                                             {"A4C_CONFIG", directory_ + "/config.yaml"},
                                             {"HOME", directory_}});
    const pid_t child = Spawn({.path = A4C_CLI,
                               .arguments = arguments,
                               .environment = std::move(environment),
                               .files = {"/dev/null", out, err}});
    EXPECT_GT(child, 0) << "a4c was not started";
    int status = 0;
    waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, out_file.empty() ? ReadAll(out) : "",
            err_file.empty() ? ReadAll(err) : ""};
  }

  std::string directory_;
  std::string url_;
};

}  // namespace a4cd
