#include "volumes.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "temporary_directory.h"

namespace a4c::helper {
namespace {

// Killed within mkfs: all of its room is taken already, and no list shows it.
TEST(HelperVolumes, WhatACreationLeftThatWasBrokenOffGoesWithTheUnit) {
  const TemporaryDirectory directory;
  const Volumes volumes(directory.path());
  std::filesystem::create_directories(directory.path() + "/volumes");
  const std::string left = directory.path() + "/volumes/.new.unit-1";
  std::ofstream(left) << "half";
  ASSERT_TRUE(std::filesystem::exists(left));
  ASSERT_TRUE(volumes.Remove("unit-1"));
  EXPECT_FALSE(std::filesystem::exists(left));
}

// The disk that it is on is not mounted, or a4c-host keeps it elsewhere by now.
TEST(HelperVolumes, OneThatHasToBeThereIsNotMadeAnew) {
  const TemporaryDirectory directory;
  const Volumes volumes(directory.path());
  const auto refreshed = volumes.Refresh("unit-1", 16 << 20, [] { return false; });
  ASSERT_FALSE(refreshed);
  EXPECT_EQ(refreshed.error().code(), Code::kUnavailable);
  EXPECT_NE(refreshed.error().message().find(directory.path() + "/volumes/unit-1"),
            std::string::npos)
      << refreshed.error().message();
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

}  // namespace
}  // namespace a4c::helper
