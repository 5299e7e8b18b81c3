// a4c-conformance --plugin=NAME|PATH [--config=FILE.json] [--plugin-dir=DIR] [--count=CASES]
//                 [--seed=N] [--gtest_...]
// Runs the suites of the plugin's kind; count and seed are those of random tests. Exit status: 0
// passed, 1 failed, 2 usage, 77 skipped because the config needs a variable that is not set (1
// where CI or A4C_REQUIRE_SERVERS is set).
#include <gtest/gtest.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/conformance/config_file.h"
#include "tests/conformance/run.h"
#include "tests/conformance/subject.h"

namespace a4c::conformance {
namespace {

constexpr int kSkipped = 77;
constexpr std::string_view kUsage =
    "usage: a4c-conformance --plugin=NAME|PATH [--config=FILE.json] [--plugin-dir=DIR] "
    "[--count=CASES] [--seed=N] [--gtest_...]\n";

struct Options {
  std::string plugin;
  std::string config;
  std::vector<std::string> directories;
  int count = Run().count;
  uint32_t seed = Run().seed;
};

template <typename Number>
bool ReadNumber(std::string_view text, Number* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size() && *number > 0;
}

// What gtest left over, or nothing if there is an option that we do not know.
bool ReadOptions(int argc, char** argv, Options* options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view text = argv[i];
    const size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    const std::string value(equals == std::string_view::npos ? "" : text.substr(equals + 1));
    if (name == "--plugin") {
      options->plugin = value;
    } else if (name == "--config") {
      options->config = value;
    } else if (name == "--plugin-dir") {
      options->directories.push_back(value);
    } else if (name == "--count" && ReadNumber(value, &options->count)) {
    } else if (name == "--seed" && ReadNumber(value, &options->seed)) {
    } else {
      std::fprintf(stderr, "a4c-conformance: wrong option %s\n", argv[i]);
      return false;
    }
  }
  return !options->plugin.empty();
}

// A directory that lives as long as the run.
class TestDirectory {
 public:
  TestDirectory()
      : path_(std::filesystem::temp_directory_path() / ("a4c-conformance-" + RandomWord())) {
    std::filesystem::create_directory(path_);
  }
  ~TestDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

// "Sizes/StoreApply" is a suite of the Store.
bool BelongsTo(std::string_view suite, std::string_view kind) {
  if (const size_t slash = suite.find('/'); slash != std::string_view::npos) {
    const std::string_view after = suite.substr(slash + 1);
    if (after.starts_with(kind)) return true;
  }
  return suite.starts_with(kind);
}

void LeaveOutSuitesOfOtherKinds(std::string_view kind) {
  std::string filter = testing::GTEST_FLAG(filter);
  filter += filter.find('-') == std::string::npos ? "-" : ":";
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const std::string name = all.GetTestSuite(i)->name();
    if (!BelongsTo(name, kind)) filter += name + ".*:";
  }
  testing::GTEST_FLAG(filter) = filter;
}

int Skip(const std::vector<std::string>& missing) {
  const bool required = std::getenv("CI") || std::getenv("A4C_REQUIRE_SERVERS");
  std::string names;
  for (const std::string& name : missing) names += (names.empty() ? "" : ", ") + name;
  std::printf("%s: needs %s\n", required ? "FAILED" : "SKIPPED", names.c_str());
  return required ? 1 : kSkipped;
}

int Fail(const Error& error) {
  std::fprintf(stderr, "a4c-conformance: %s\n", error.ToString().c_str());
  return 1;
}

int RunSuites() {
  const int failed = RUN_ALL_TESTS();
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  if (failed == 0 && all.successful_test_count() == 0) {
    std::fprintf(stderr, "a4c-conformance: no test ran\n");
    return 1;
  }
  return failed;
}

int Main(const Options& options) {
  const TestDirectory directory;
  ConfigFile config;
  if (!options.config.empty()) {
    auto read = ReadConfigFile(
        options.config, {{"A4C_TEST_DIR", directory.path()}, {"A4C_TEST_WORD", RandomWord()}});
    if (!read) return Fail(read.error());
    config = *std::move(read);
  }
  Run& run = TheRun();
  run.plugin = options.plugin;
  run.config = std::move(config.value);
  run.count = options.count;
  run.seed = options.seed;
  // The author's own build, which in a container may belong to another user.
  run.host = std::make_unique<PluginHost>(
      TheRuntime(),
      PluginHostOptions{.directories = options.directories, .check_ownership = false});
  auto info = run.host->Inspect(run.plugin);
  if (!info) return Fail(info.error());
  run.info = *std::move(info);
  if (!config.missing.empty()) return Skip(config.missing);
  std::printf("%s %s (%s), %s\n", run.info.name.c_str(), run.info.version.c_str(),
              run.info.kind.c_str(), run.info.path.c_str());
  LeaveOutSuitesOfOtherKinds(run.info.kind);
  return RunSuites();
}

}  // namespace
}  // namespace a4c::conformance

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  a4c::conformance::Options options;
  if (!a4c::conformance::ReadOptions(argc, argv, &options)) {
    std::fputs(a4c::conformance::kUsage.data(), stderr);
    return 2;
  }
  return a4c::conformance::Main(options);
}
