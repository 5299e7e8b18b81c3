// What a4cd --check-config says of the files and plugins that a config names.
#include "apps/a4cd/check_config.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "a4c/sinks.h"
#include "apps/a4cd/config/config_file.h"

namespace a4cd {
namespace {

class CheckNamedTest : public ::testing::Test {
 protected:
  CheckNamedTest() { std::filesystem::create_directories(directory_); }
  ~CheckNamedTest() override { std::filesystem::remove_all(directory_); }

  // What is wrong with these lines, which begin at the third; "" if nothing is.
  std::string FaultsOf(const std::string& yaml) {
    const auto root = ParseYaml(
        "plugin_directories: ['" A4C_PLUGIN_DIRECTORY "']\nhosts: {plugin: host-memory}\n" + yaml,
        "a4cd.yaml");
    EXPECT_TRUE(root) << root.error().ToString();
    const auto settings = CheckSettings(*root, "/nowhere", directory_);
    EXPECT_TRUE(settings) << settings.error().ToString();
    const auto checked = CheckNamed(*settings, runtime_);
    return checked ? "" : checked.error().message();
  }

  const std::string directory_ =
      ::testing::TempDir() + "a4c_check_config_test_" + std::to_string(getpid());
  const a4c::Runtime runtime_ = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
};

TEST_F(CheckNamedTest, WhatIsGoodOpensNothing) {
  EXPECT_EQ(FaultsOf(""), "");
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
}

TEST_F(CheckNamedTest, APluginThatIsNotThereHasItsPlaceAndTheNearest) {
  const std::string faults = FaultsOf("store: {plugin: store-sqlit}\n");
  EXPECT_TRUE(faults.starts_with("a4cd.yaml:3: store.plugin: ")) << faults;
  EXPECT_NE(faults.find("did you mean \"store-sqlite\"?"), std::string::npos) << faults;
}

TEST_F(CheckNamedTest, APluginOfAnotherKindIsRefused) {
  EXPECT_EQ(FaultsOf("store: {plugin: search-sqlite}\n"),
            "a4cd.yaml:3: store.plugin: search-sqlite is a SearchIndex, not a Store");
}

TEST_F(CheckNamedTest, APluginsOwnSettingsAreHeldToItsKeys) {
  const std::string faults =
      FaultsOf("search: {plugin: search-sqlite, config: {path: x, readrs: 2}}\n");
  EXPECT_TRUE(faults.starts_with("a4cd.yaml:3: search.config.readrs: unknown key")) << faults;
}

TEST_F(CheckNamedTest, TheKeysOfSecretsAreReadAsTheStartReadsThem) {
  const std::string file = directory_ + "/keys";
  const std::string yaml = "secrets: {key_file: '" + file + "'}\n";
  const std::string where = "a4cd.yaml:3: secrets.key_file: ";
  EXPECT_TRUE(FaultsOf(yaml).starts_with(where + file + " cannot be read")) << FaultsOf(yaml);
  std::ofstream(file) << "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
  chmod(file.c_str(), 0640);
  EXPECT_TRUE(FaultsOf(yaml).starts_with(where + file + " may be read by others"))
      << FaultsOf(yaml);
  EXPECT_NE(FaultsOf(yaml).find("chmod 600"), std::string::npos);
  chmod(file.c_str(), 0600);
  EXPECT_EQ(FaultsOf(yaml), "");
  std::ofstream(file) << "no key\n";
  EXPECT_TRUE(FaultsOf(yaml).starts_with(where + file + ":1: a key is 32 bytes")) << FaultsOf(yaml);
}

}  // namespace
}  // namespace a4cd
