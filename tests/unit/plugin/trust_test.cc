#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/unit/plugin/plugin_test.h"

namespace a4c::testing {
namespace {

namespace fs = std::filesystem;

// A plugin below a directory of our own, which lies in /tmp: writable by all, and sticky.
class PluginTrust : public ::testing::Test {
 protected:
  PluginTrust() {
    char name[] = "/tmp/a4c-trust-XXXXXX";
    top = fs::path(mkdtemp(name));
    fs::create_directory(top / "plugins");
    file = top / "plugins" / "store-good.so";
    fs::copy_file(A4C_EVIL_DIR "/store-good.so", file);
    for (const fs::path& path : {top, top / "plugins", file}) chmod(path.c_str(), 0755);
  }
  ~PluginTrust() override { fs::remove_all(top); }

  Result<PluginInfo> Inspect(const fs::path& path, bool check = true) {
    return PluginHost(fake.runtime(), {.directories = {}, .check_ownership = check})
        .Inspect(path.string());
  }

  FakeRuntime fake;
  fs::path top;
  fs::path file;
};

TEST_F(PluginTrust, OurOwnFileIsLoadedAlsoBelowAStickyDirectory) {
  const auto info = Inspect(file);
  EXPECT_TRUE(info) << info.error().ToString();
}

TEST_F(PluginTrust, AFileThatOthersMayWriteIsRefused) {
  for (const mode_t mode : {0775, 0757}) {
    chmod(file.c_str(), mode);
    EXPECT_TRUE(FailsWith(Inspect(file), Code::kDenied, file.string() + " may be written"));
  }
  EXPECT_TRUE(Inspect(file, false));
}

TEST_F(PluginTrust, ADirectoryThatOthersMayWriteIsRefusedHoweverFarAbove) {
  chmod(top.c_str(), 0777);
  EXPECT_TRUE(FailsWith(Inspect(file), Code::kDenied, top.string() + " may be written"));
  chmod(top.c_str(), 01777);
  EXPECT_TRUE(Inspect(file));
}

TEST_F(PluginTrust, TheStickyBitOfAFileExcusesNothing) {
  chmod(file.c_str(), 01777);
  EXPECT_TRUE(FailsWith(Inspect(file), Code::kDenied, "may be written"));
}

TEST_F(PluginTrust, ALinkIsJudgedByWhereItLeads) {
  chmod((top / "plugins").c_str(), 0777);
  fs::create_symlink(file, top / "link.so");
  EXPECT_TRUE(FailsWith(Inspect(top / "link.so"), Code::kDenied, "/plugins may be written"));
}

TEST_F(PluginTrust, AFileOfAnotherUserIsRefused) {
  const uid_t other = 54321;
  // Root makes the file another's; anybody else looks at it as another would not: root's is fine.
  if (geteuid() != 0) {
    EXPECT_TRUE(FailsWith(Inspect("/bin/sh"), Code::kInvalid, "has no ABI tag"));
    return;
  }
  ASSERT_EQ(chown(file.c_str(), other, other), 0);
  EXPECT_TRUE(FailsWith(Inspect(file), Code::kDenied, "belongs to user 54321"));
}

}  // namespace
}  // namespace a4c::testing
