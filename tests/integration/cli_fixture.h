// The command line as a process, against a whole a4cd in this one.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "tests/integration/api_fixture.h"
#include "tests/integration/ran.h"

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
          std::vector<std::pair<std::string, std::string>> environment = {}) {
    const std::string out = directory_ + "/out";
    const std::string err = directory_ + "/err";
    environment.insert(environment.begin(), {{"A4C_URL", url_},
                                             {"A4C_API_KEY_FILE", key_file_},
                                             {"A4C_CONFIG", directory_ + "/config.yaml"},
                                             {"HOME", directory_}});
    const pid_t child = fork();
    if (child == 0) {
      for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
      if (freopen(out.c_str(), "w", stdout) == nullptr) _exit(99);
      if (freopen(err.c_str(), "w", stderr) == nullptr) _exit(99);
      std::vector<char*> argv = {const_cast<char*>("a4c")};
      for (const std::string& argument : arguments)
        argv.push_back(const_cast<char*>(argument.c_str()));
      argv.push_back(nullptr);
      execv(A4C_CLI, argv.data());
      _exit(98);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, ReadAll(out), ReadAll(err)};
  }

  std::string directory_;
  std::string url_;
};

}  // namespace a4cd
