#include "files/local_copy.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "files/local_files.h"

namespace a4c::local {
namespace {

namespace fs = std::filesystem;

class LocalCopy : public ::testing::Test {
 protected:
  LocalCopy() : dir_(fs::temp_directory_path() / ("a4c-local-copy-" + std::to_string(getpid()))) {
    fs::create_directories(dir_ / "from");
    fs::create_directories(dir_ / "to");
  }
  ~LocalCopy() override { fs::remove_all(dir_); }

  Result<int64_t> Copy(const std::function<bool()>& go_on = [] { return true; }) {
    const Fd from(open((dir_ / "from").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const Fd to(open((dir_ / "to").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return CopyTree(from.get(), to.get(), go_on);
  }
  static void Write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }
  std::string Read(const std::string& name) {
    std::ifstream in(dir_ / "to" / name);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  struct stat StatusOf(const std::string& name) {
    struct stat status {};
    EXPECT_EQ(lstat((dir_ / "to" / name).c_str(), &status), 0) << name;
    return status;
  }

  fs::path dir_;
};

TEST_F(LocalCopy, FilesAndDirectoriesKeepContentModeAndTime) {
  fs::create_directories(dir_ / "from" / "a" / "b");
  Write(dir_ / "from" / "a" / "b" / "file", "content");
  const timespec times[] = {{1'000'000'000, 0}, {1'100'000'000, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, (dir_ / "from/a/b/file").c_str(), times, 0), 0);
  ASSERT_EQ(chmod((dir_ / "from/a/b/file").c_str(), 04750), 0);
  ASSERT_EQ(chmod((dir_ / "from/a/b").c_str(), 0555), 0);
  const auto bytes = Copy();
  ASSERT_TRUE(bytes) << bytes.error().ToString();
  EXPECT_EQ(*bytes, 7);
  EXPECT_EQ(Read("a/b/file"), "content");
  EXPECT_EQ(StatusOf("a/b/file").st_mode & 07777, 04750u);
  EXPECT_EQ(StatusOf("a/b/file").st_mtime, 1'100'000'000);
  EXPECT_EQ(StatusOf("a/b").st_mode & 07777, 0555u);
  for (const char* one : {"from/a/b", "to/a/b"}) chmod((dir_ / one).c_str(), 0755);
}

TEST_F(LocalCopy, LinksAreCopiedAndNotFollowed) {
  Write(dir_ / "secret", "secret");
  fs::create_symlink(dir_ / "secret", dir_ / "from" / "link");
  fs::create_symlink("/no/such", dir_ / "from" / "dangling");
  fs::create_directory_symlink(dir_, dir_ / "from" / "up");
  ASSERT_TRUE(Copy());
  EXPECT_EQ(fs::read_symlink(dir_ / "to" / "link"), dir_ / "secret");
  EXPECT_EQ(fs::read_symlink(dir_ / "to" / "dangling"), "/no/such");
  EXPECT_TRUE(fs::is_symlink(dir_ / "to" / "up"));
}

TEST_F(LocalCopy, ALinkInTheReceiverIsReplacedAndNotWrittenThrough) {
  Write(dir_ / "from" / "file", "mine");
  Write(dir_ / "other", "other");
  fs::create_symlink(dir_ / "other", dir_ / "to" / "file");
  ASSERT_TRUE(Copy());
  EXPECT_FALSE(fs::is_symlink(dir_ / "to" / "file"));
  EXPECT_EQ(Read("file"), "mine");
  std::ifstream in(dir_ / "other");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "other");
}

TEST_F(LocalCopy, APipeIsCopiedAndNotRead) {
  ASSERT_EQ(mkfifo((dir_ / "from" / "pipe").c_str(), 0640), 0);
  ASSERT_TRUE(Copy());
  EXPECT_TRUE(S_ISFIFO(StatusOf("pipe").st_mode));
}

TEST_F(LocalCopy, TheSameAgainChangesNothing) {
  Write(dir_ / "from" / "file", "content");
  ASSERT_TRUE(Copy());
  ASSERT_TRUE(Copy());
  EXPECT_EQ(Read("file"), "content");
}

TEST_F(LocalCopy, OwnersAreKept) {
  if (geteuid() != 0) {
    ASSERT_EQ(std::getenv("CI"), nullptr) << "only root can give files away";
    GTEST_SKIP() << "only root can give files away";
  }
  Write(dir_ / "from" / "file", "content");
  ASSERT_EQ(chown((dir_ / "from" / "file").c_str(), 4711, 4712), 0);
  ASSERT_TRUE(Copy());
  EXPECT_EQ(StatusOf("file").st_uid, 4711u);
  EXPECT_EQ(StatusOf("file").st_gid, 4712u);
}

TEST_F(LocalCopy, ItEndsWhenItIsToldToAndTheOutcomeIsUnknown) {
  Write(dir_ / "from" / "file", "content");
  const auto copied = Copy([] { return false; });
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code(), Code::kUnknownOutcome);
}

TEST_F(LocalCopy, WhatIsNestedTooDeepIsRefused) {
  fs::path deep = dir_ / "from";
  for (int i = 0; i < 70; ++i) deep /= "d";
  fs::create_directories(deep);
  const auto copied = Copy();
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code(), Code::kInvalid);
}

}  // namespace
}  // namespace a4c::local
