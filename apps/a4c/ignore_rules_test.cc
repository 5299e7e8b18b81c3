#include "apps/a4c/ignore_rules.h"

#include <gtest/gtest.h>

namespace a4c_cli {
namespace {

IgnoreRules Rules(std::string_view text) {
  auto rules = IgnoreRules::Parse(text);
  EXPECT_TRUE(rules) << rules.error().ToString();
  return rules ? *std::move(rules) : IgnoreRules();
}

TEST(IgnoreRules, ANameIsIgnoredAtTheRootWithWhatIsInIt) {
  const IgnoreRules rules = Rules("# a comment\n\n  build/  \n/dist\n");
  EXPECT_TRUE(rules.Ignores("build"));
  EXPECT_TRUE(rules.Ignores("build/a/b.o"));
  EXPECT_TRUE(rules.Ignores("dist/x"));
  EXPECT_FALSE(rules.Ignores("src/build"));
  EXPECT_FALSE(rules.Ignores("builder"));
  EXPECT_FALSE(rules.TakesBack());
}

TEST(IgnoreRules, AStarStaysWithinAName) {
  const IgnoreRules rules = Rules("*.o\nsrc/*/tmp\na?c\n[x-z]1\n[^m]9\n");
  EXPECT_TRUE(rules.Ignores("a.o"));
  EXPECT_FALSE(rules.Ignores("src/a.o"));
  EXPECT_TRUE(rules.Ignores("src/one/tmp/file"));
  EXPECT_FALSE(rules.Ignores("src/one/two/tmp"));
  EXPECT_TRUE(rules.Ignores("abc"));
  EXPECT_FALSE(rules.Ignores("ac"));
  EXPECT_TRUE(rules.Ignores("y1"));
  EXPECT_FALSE(rules.Ignores("a1"));
  EXPECT_TRUE(rules.Ignores("n9"));
  EXPECT_FALSE(rules.Ignores("m9"));
}

TEST(IgnoreRules, TwoStarsGoThroughDirectories) {
  const IgnoreRules rules = Rules("**/*.log\ndocs/**/draft\nall/**\n");
  EXPECT_TRUE(rules.Ignores("a.log"));
  EXPECT_TRUE(rules.Ignores("a/b/c.log"));
  EXPECT_TRUE(rules.Ignores("docs/draft"));
  EXPECT_TRUE(rules.Ignores("docs/a/b/draft/x"));
  EXPECT_TRUE(rules.Ignores("all/of/it"));
  EXPECT_FALSE(rules.Ignores("other/draft"));
}

TEST(IgnoreRules, TheLastLineThatMatchesDecides) {
  const IgnoreRules rules = Rules("*\n!src\nsrc/*.md\n!src/README.md\n");
  EXPECT_TRUE(rules.TakesBack());
  EXPECT_TRUE(rules.Ignores("other"));
  EXPECT_FALSE(rules.Ignores("src/main.c"));
  EXPECT_TRUE(rules.Ignores("src/notes.md"));
  EXPECT_FALSE(rules.Ignores("src/README.md"));
}

TEST(IgnoreRules, ASetWithoutEndNamesItsLine) {
  const auto rules = IgnoreRules::Parse("ok\n[a-\n");
  ASSERT_FALSE(rules);
  EXPECT_NE(rules.error().message().find("line 2"), std::string::npos);
}

TEST(IgnoreRules, ManyStarsTakeNoLongerThanFew) {
  std::string pattern;
  for (int i = 0; i < 40; ++i) pattern += "**/*a*a*a*/";
  std::string path;
  for (int i = 0; i < 60; ++i) path += std::string(60, 'a') + "/";
  EXPECT_FALSE(Rules(pattern + "end").Ignores(path));
}

}  // namespace
}  // namespace a4c_cli
