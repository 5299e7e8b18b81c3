#include "files/local_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace a4c::local {
namespace {

namespace fs = std::filesystem;

class LocalFiles : public ::testing::Test {
 protected:
  LocalFiles() : dir_(fs::temp_directory_path() / ("a4c-local-files-" + std::to_string(getpid()))) {
    fs::create_directories(dir_ / "tree");
    fd_ = Fd(open(dir_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  ~LocalFiles() override { fs::remove_all(dir_); }
  static bool Always() { return true; }
  void Touch(const fs::path& path, size_t size = 1) {
    std::ofstream(path) << std::string(size, 'x');
  }

  fs::path dir_;
  Fd fd_;
};

TEST_F(LocalFiles, AWrittenFileIsReadAndAMissingOneIsNothing) {
  ASSERT_TRUE(WriteFile(fd_.get(), "a", "one"));
  ASSERT_TRUE(WriteFile(fd_.get(), "a", "two"));
  EXPECT_EQ(**ReadFile(fd_.get(), "a"), "two");
  EXPECT_FALSE(fs::exists(dir_ / "a.new"));
  const auto missing = ReadFile(fd_.get(), "b");
  ASSERT_TRUE(missing);
  EXPECT_FALSE(*missing);
}

TEST_F(LocalFiles, LinksAreNotFollowedWhenReading) {
  Touch(dir_ / "secret");
  fs::create_symlink(dir_ / "secret", dir_ / "link");
  EXPECT_FALSE(ReadFile(fd_.get(), "link"));
  fs::create_directory_symlink(dir_ / "tree", dir_ / "dirlink");
  EXPECT_FALSE(FindDirectory(fd_.get(), "dirlink"));
}

TEST_F(LocalFiles, RemovingATreeLeavesWhatItsLinksPointAt) {
  fs::create_directories(dir_ / "outside" / "below");
  Touch(dir_ / "outside" / "below" / "kept");
  fs::create_directory_symlink(dir_ / "outside", dir_ / "tree" / "directory-link");
  fs::create_symlink(dir_ / "outside" / "below" / "kept", dir_ / "tree" / "file-link");
  fs::create_symlink("/no/such", dir_ / "tree" / "dangling");
  const auto removed = RemoveTree(fd_.get(), "tree", Always);
  ASSERT_TRUE(removed) << removed.error().ToString();
  EXPECT_FALSE(fs::exists(dir_ / "tree"));
  EXPECT_TRUE(fs::exists(dir_ / "outside" / "below" / "kept"));
}

TEST_F(LocalFiles, TreesOfAnyDepthAreRemoved) {
  Fd at(open((dir_ / "tree").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int depth = 0; depth < 1000; ++depth) {
    auto below = OpenDirectory(at.get(), ".deep.0", 0755);  // also the name that removal would use
    ASSERT_TRUE(below) << below.error().ToString();
    at = *std::move(below);
  }
  const auto removed = RemoveTree(fd_.get(), "tree", Always);
  ASSERT_TRUE(removed) << removed.error().ToString();
  EXPECT_FALSE(fs::exists(dir_ / "tree"));
}

TEST_F(LocalFiles, DirectoriesThatAreClosedAreRemovedToo) {
  fs::create_directories(dir_ / "tree" / "closed" / "below");
  Touch(dir_ / "tree" / "closed" / "below" / "file");
  chmod((dir_ / "tree" / "closed" / "below").c_str(), 0);
  chmod((dir_ / "tree" / "closed").c_str(), 0);
  const auto removed = RemoveTree(fd_.get(), "tree", Always);
  ASSERT_TRUE(removed) << removed.error().ToString();
  EXPECT_FALSE(fs::exists(dir_ / "tree"));
}

TEST_F(LocalFiles, RemovingWhatIsNotThereIsFine) {
  EXPECT_TRUE(RemoveTree(fd_.get(), "never", Always));
}

TEST_F(LocalFiles, ARemovalThatIsCutShortIsUnknownAndCanBeDoneAgain) {
  for (int i = 0; i < 10; ++i) Touch(dir_ / "tree" / std::to_string(i));
  int left = 5;
  const auto removed = RemoveTree(fd_.get(), "tree", [&] { return left-- > 0; });
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code(), Code::kUnknownOutcome);
  EXPECT_TRUE(RemoveTree(fd_.get(), "tree", Always));
}

TEST_F(LocalFiles, TheBytesOfATreeAreItsOwnAndNotThoseOfItsLinks) {
  const int64_t empty = *TreeBytes(fd_.get(), Always);
  Touch(dir_ / "tree" / "file", 1 << 20);
  const int64_t full = *TreeBytes(fd_.get(), Always);
  EXPECT_GE(full - empty, 1 << 20);
  EXPECT_LT(full - empty, 2 << 20);
  fs::create_directory_symlink("/usr", dir_ / "tree" / "link");
  EXPECT_LT(*TreeBytes(fd_.get(), Always) - full, 1 << 16);
  EXPECT_FALSE(TreeBytes(fd_.get(), [] { return false; }));
}

TEST(FileError, Table) {
  EXPECT_EQ(FileError(ENOSPC, "x").code(), Code::kExhausted);
  EXPECT_EQ(FileError(EDQUOT, "x").code(), Code::kExhausted);
  EXPECT_EQ(FileError(EMFILE, "x").code(), Code::kUnavailable);
  EXPECT_EQ(FileError(EAGAIN, "x").code(), Code::kUnavailable);
  EXPECT_EQ(FileError(EACCES, "x").code(), Code::kDenied);
  EXPECT_EQ(FileError(ENOENT, "x").code(), Code::kNotFound);
  EXPECT_EQ(FileError(EIO, "x").code(), Code::kInternal);
  EXPECT_NE(FileError(EIO, "the file").message().find("the file"), std::string::npos);
}

}  // namespace
}  // namespace a4c::local
