#include "apps/usage/named_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace a4c::usage {
namespace {

TEST(NamedFile, IsReadWholeOrAnErrorNamesIt) {
  const std::string path = ::testing::TempDir() + "a4c_named_file_" + std::to_string(getpid());
  std::ofstream(path) << "one\ntwo";
  const auto text = ReadNamedFile(path);
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "one\ntwo");
  EXPECT_FALSE(ReadNamedFile(path, 6)) << "longer than that";
  std::filesystem::remove(path);
  for (const std::string& wrong : {path, ::testing::TempDir()}) {
    const auto none = ReadNamedFile(wrong);
    ASSERT_FALSE(none);
    EXPECT_NE(none.error().message().find("the file " + wrong + " cannot be read: "),
              std::string::npos)
        << none.error().ToString();
  }
}

}  // namespace
}  // namespace a4c::usage
