#include "apps/a4c/build_context.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace a4c_cli {
namespace {

namespace fs = std::filesystem;

class Context : public ::testing::Test {
 protected:
  Context() : root_(fs::temp_directory_path() / ("a4c-context-" + std::to_string(getpid()))) {
    fs::remove_all(root_);
    fs::create_directories(root_ / "in");
    Write("Dockerfile", "FROM scratch\n");
  }
  ~Context() override { fs::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / "in" / path).parent_path());
    std::ofstream(root_ / "in" / path, std::ios::binary) << text;
  }
  std::vector<std::string> Paths(const std::string& dockerfile = kDockerfile) {
    std::vector<std::string> paths;
    const auto context = ScanContext(root_ / "in", dockerfile);
    EXPECT_TRUE(context) << context.error().ToString();
    if (!context) return paths;
    for (const ContextEntry& entry : context->entries) paths.push_back(entry.path);
    return paths;
  }
  // What tar itself makes of the stream: the directory it was unpacked into.
  fs::path Unpacked(const BuildContext& context) {
    const auto source = TarOf(context);
    std::string tar;
    while (true) {
      const auto piece = source();
      EXPECT_TRUE(piece) << piece.error().ToString();
      if (!piece || piece->empty()) break;
      EXPECT_LE(piece->size(), 66u << 10);
      tar += *piece;
    }
    EXPECT_EQ(static_cast<int64_t>(tar.size()), context.TarBytes());
    std::ofstream(root_ / "out.tar", std::ios::binary) << tar;
    fs::create_directories(root_ / "out");
    const std::string line =
        "tar -xf " + (root_ / "out.tar").string() + " -C " + (root_ / "out").string();
    EXPECT_EQ(std::system(line.c_str()), 0);
    return root_ / "out";
  }
  static std::string TextOf(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  const fs::path root_;
};

TEST_F(Context, IsWhatTarUnpacksAgain) {
  const std::string deep = std::string(90, 'd') + "/" + std::string(120, 'n');
  const std::string big(200'000, 'x');
  Write("a/b.txt", "hello");
  Write("empty", "");
  Write(deep, big);
  fs::permissions(root_ / "in/a/b.txt", fs::perms::owner_all);
  fs::create_symlink("a/b.txt", root_ / "in/link");
  fs::create_symlink(std::string(150, 't'), root_ / "in/longlink");
  const auto context = ScanContext(root_ / "in");
  ASSERT_TRUE(context) << context.error().ToString();
  const fs::path out = Unpacked(*context);
  EXPECT_EQ(TextOf(out / "Dockerfile"), "FROM scratch\n");
  EXPECT_EQ(TextOf(out / "a/b.txt"), "hello");
  EXPECT_EQ(fs::status(out / "a/b.txt").permissions(), fs::perms::owner_all);
  EXPECT_TRUE(fs::exists(out / "empty"));
  EXPECT_EQ(TextOf(out / deep), big);
  EXPECT_EQ(fs::read_symlink(out / "link"), "a/b.txt");
  EXPECT_EQ(fs::read_symlink(out / "longlink"), std::string(150, 't'));
}

TEST_F(Context, LeavesOutWhatDockerignoreNames) {
  Write(".dockerignore", "*\n!src\nsrc/*.o\n");
  Write("secret", "x");
  Write("src/main.c", "x");
  Write("src/main.o", "x");
  EXPECT_EQ(Paths(),
            (std::vector<std::string>{".dockerignore", "Dockerfile", "src", "src/main.c"}));
}

TEST_F(Context, WhatIsTakenBackInAnIgnoredDirectoryGoesAlong) {
  Write(".dockerignore", "node_modules\n!node_modules/keep/**\n");
  Write("node_modules/drop/x", "x");
  Write("node_modules/keep/y", "x");
  const auto paths = Paths();
  EXPECT_EQ(std::ranges::count(paths, "node_modules/keep/y"), 1);
  EXPECT_EQ(std::ranges::count(paths, "node_modules/drop/x"), 0);
}

TEST_F(Context, ADockerfileGoesAlongWhereverItIs) {
  Write(".dockerignore", "*\n");
  Write("docker/deep/File", "FROM scratch\n");
  Write("docker/deep/other", "x");
  Write("docker/deep/File.txt", "x");
  EXPECT_EQ(Paths("docker/deep/File"),
            (std::vector<std::string>{".dockerignore", "docker/deep/File"}));
  EXPECT_EQ(Paths(), (std::vector<std::string>{".dockerignore", "Dockerfile"}));
}

TEST_F(Context, ADockerfileIsFoundFromTheCurrentDirectory) {
  Write("docker/File", "FROM scratch\n");
  Write("..odd", "FROM scratch\n");
  fs::create_symlink("docker/File", root_ / "in/link");
  fs::create_directory_symlink("in", root_ / "same");
  const fs::path before = fs::current_path();
  fs::current_path(root_);
  const auto find = [](const char* directory, const char* file) {
    return FindDockerfile(directory, file);
  };
  EXPECT_EQ(*find("in", ""), "Dockerfile");
  EXPECT_EQ(*find("in", "in/docker/File"), "docker/File");
  EXPECT_EQ(*find("in/", "./in/../in/docker/File"), "docker/File");
  EXPECT_EQ(*find("same", "in/docker/File"), "docker/File");
  EXPECT_EQ(*find("in", (root_ / "same/docker/File").c_str()), "docker/File");
  EXPECT_EQ(*find("in", "in/link"), "docker/File");
  EXPECT_EQ(*find("in", "in/..odd"), "..odd");
  const auto meant = find("in", "docker/File");
  ASSERT_FALSE(meant);
  EXPECT_NE(meant.error().hint().find("-f in/docker/File"), std::string::npos)
      << meant.error().ToString();
  fs::current_path(before);
}

TEST_F(Context, WithoutADockerfileInItIsInvalid) {
  const auto refused = [&](const std::string& directory, const std::string& file) {
    const auto found = FindDockerfile(root_ / directory, file.empty() ? "" : root_ / file);
    return !found && found.error().code() == a4c::Code::kInvalid;
  };
  std::ofstream(root_ / "outside") << "FROM scratch\n";
  fs::create_symlink(root_ / "outside", root_ / "in/link");
  EXPECT_TRUE(refused("in", "outside"));
  EXPECT_TRUE(refused("in", "in/link")) << "what it links to is not sent";
  EXPECT_TRUE(refused("in", "in"));
  EXPECT_TRUE(refused("in", "in/none"));
  EXPECT_TRUE(refused("nowhere", "in/Dockerfile"));
  EXPECT_TRUE(refused("nowhere", ""));
  fs::remove(root_ / "in/Dockerfile");
  EXPECT_TRUE(refused("in", ""));
  EXPECT_EQ(ScanContext(root_ / "nowhere").error().code(), a4c::Code::kInvalid);
}

TEST_F(Context, BeyondTwoGibibytesIsInvalidBeforeAnythingIsRead) {
  Write("big", "");
  fs::resize_file(root_ / "in/big", (2ULL << 30) + 1);  // sparse
  const auto context = ScanContext(root_ / "in");
  ASSERT_FALSE(context);
  EXPECT_EQ(context.error().code(), a4c::Code::kInvalid);
  EXPECT_NE(context.error().ToString().find(".dockerignore"), std::string::npos);
}

TEST_F(Context, AFileThatBecameShorterIsAnErrorNotAHole) {
  Write("data", std::string(300'000, 'x'));
  const auto context = ScanContext(root_ / "in");
  ASSERT_TRUE(context);
  fs::resize_file(root_ / "in/data", 100);
  const auto source = TarOf(*context);
  a4c::Result<std::string> piece = source();
  while (piece && !piece->empty()) piece = source();
  ASSERT_FALSE(piece);
  EXPECT_EQ(piece.error().message(), "data became shorter while it was sent");
}

TEST_F(Context, AFileThatWentAwayIsAnErrorThatSaysSo) {
  Write("data", "x");
  const auto context = ScanContext(root_ / "in");
  ASSERT_TRUE(context);
  fs::remove(root_ / "in/data");
  const auto source = TarOf(*context);
  a4c::Result<std::string> piece = source();
  while (piece && !piece->empty()) piece = source();
  ASSERT_FALSE(piece);
  EXPECT_EQ(piece.error().message(), "data cannot be opened any more: No such file or directory");
}

// root may read everything.
class AsNobody {
 public:
  AsNobody() : was_(geteuid()) {
    if (was_ == 0) {
      EXPECT_EQ(seteuid(65534), 0);
    }
  }
  ~AsNobody() { EXPECT_EQ(seteuid(was_), 0); }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;

 private:
  const uid_t was_;
};

TEST_F(Context, WhatMayNotBeReadIsNamedBeforeAnythingIsSent) {
  Write("ssl/key", "x");
  fs::permissions(root_ / "in/ssl/key", fs::perms::none);
  const auto scan = [&] {
    const AsNobody nobody;
    return ScanContext(root_ / "in");
  };
  const auto refused = scan();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), a4c::Code::kInvalid);
  EXPECT_EQ(refused.error().message(), "ssl/key cannot be read: Permission denied");
  EXPECT_NE(refused.error().hint().find(".dockerignore"), std::string::npos);
  Write(".dockerignore", "ssl/key\n");
  EXPECT_TRUE(scan()) << "it is not sent";
  fs::permissions(root_ / "in/.dockerignore", fs::perms::none);
  const auto rules = scan();
  ASSERT_FALSE(rules) << "what it leaves out would be sent";
  EXPECT_EQ(rules.error().message(), ".dockerignore cannot be read: Permission denied");
}

}  // namespace
}  // namespace a4c_cli
