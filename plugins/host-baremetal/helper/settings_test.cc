#include "settings.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "temporary_directory.h"

namespace a4c::helper {
namespace {

// An installation whose data is in `data`, of a unit that has a fence and a volume.
Settings InstalledWithUnits(const std::string& data) {
  for (const char* kind : {"units", "volumes"}) {
    const std::filesystem::path directory = data + "/production/" + kind;
    std::filesystem::create_directories(directory);
    std::ofstream(directory / "ws-1") << "x";
  }
  return {.data = data, .docker = "/run/docker.sock"};
}

// An upgrade would begin with nothing elsewhere: no fence, and an empty volume for each unit.
TEST(HelperInstallation, WhatIsNotSaidStaysAsItIsInstalled) {
  const TemporaryDirectory directory;
  const Settings installed = InstalledWithUnits(directory.path() + "/a4c");
  const auto wanted = ReadInstallation({"--user", "deploy"}, installed);
  ASSERT_TRUE(wanted) << wanted.error().ToString();
  EXPECT_EQ(wanted->user, "deploy");
  EXPECT_EQ(wanted->settings.data, installed.data);
  EXPECT_EQ(wanted->settings.docker, "/run/docker.sock");
}

TEST(HelperInstallation, WhatIsSaidIsTaken) {
  const auto wanted = ReadInstallation(
      {"--user", "deploy", "--data", "/srv/a4c", "--docker", "/run/other.sock"}, Settings{});
  ASSERT_TRUE(wanted) << wanted.error().ToString();
  EXPECT_EQ(wanted->settings.data, "/srv/a4c");
  EXPECT_EQ(wanted->settings.docker, "/run/other.sock");
}

TEST(HelperInstallation, WhatUnitsHaveIsNotLeftBehind) {
  const TemporaryDirectory directory;
  const std::string other = directory.path() + "/other";
  const Settings installed = InstalledWithUnits(directory.path() + "/a4c");
  const auto elsewhere = ReadInstallation({"--user", "deploy", "--data", other}, installed);
  ASSERT_FALSE(elsewhere);
  EXPECT_EQ(elsewhere.error().code(), Code::kConflict);
  EXPECT_NE(elsewhere.error().message().find(installed.data), std::string::npos)
      << elsewhere.error().message();
  EXPECT_TRUE(ReadInstallation({"--user", "deploy", "--data", installed.data + "/"}, installed))
      << "the same place";
  std::filesystem::rename(installed.data, other);
  const auto moved = ReadInstallation({"--user", "deploy", "--data", other}, installed);
  ASSERT_TRUE(moved) << moved.error().ToString();
  EXPECT_EQ(moved->settings.data, other);
}

TEST(HelperInstallation, WhatMakesNoSenseIsRefused) {
  using Arguments = std::vector<std::string>;
  for (const Arguments& arguments :
       {Arguments{}, Arguments{"--user", "-x"}, Arguments{"--user", "deploy", "--data", "relative"},
        Arguments{"--user", "deploy", "--dta", "/srv/a4c"}}) {
    const auto wanted = ReadInstallation(arguments, Settings{});
    ASSERT_FALSE(wanted);
    EXPECT_EQ(wanted.error().code(), Code::kInvalid);
  }
}

}  // namespace
}  // namespace a4c::helper
