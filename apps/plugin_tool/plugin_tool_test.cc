#include "apps/plugin_tool/plugin_tool.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "tests/support/fake_clock.h"

namespace a4c::testing {
namespace {

namespace fs = std::filesystem;

class PluginToolTest : public ::testing::Test {
 protected:
  PluginToolTest() {
    char name[] = "/tmp/a4c-tool-XXXXXX";
    scratch = mkdtemp(name);
  }
  ~PluginToolTest() override { fs::remove_all(scratch); }

  using Command = int (*)(const PluginTool&, std::span<const std::string>, std::ostream&,
                          std::ostream&);
  int Run(Command command, std::vector<std::string> args) {
    out.str("");
    err.str("");
    return command(tool, args, out, err);
  }
  static std::string TextOf(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  bool Said(const std::string& part) const { return out.str().find(part) != std::string::npos; }
  bool Complained(const std::string& part) const {
    return err.str().find(part) != std::string::npos;
  }

  FakeRuntime fake;
  PluginHost host{fake.runtime(), {.directories = {A4C_EVIL_DIR}, .check_ownership = false}};
  ConfigValue config;
  PluginTool tool{host,
                  [this](const std::string& file) -> Result<ConfigValue> {
                    if (file == "good.yaml") return config;
                    return Error(Code::kInvalid, file + " is no config");
                  },
                  A4C_TEMPLATES};
  std::ostringstream out;
  std::ostringstream err;
  fs::path scratch;
};

TEST_F(PluginToolTest, ListShowsEachPluginAndWhyOneIsRefused) {
  EXPECT_EQ(Run(PluginList, {}), 0);
  EXPECT_TRUE(Said("store-good"));
  EXPECT_TRUE(Said("a bus for tests of the host"));
  EXPECT_TRUE(Said("refused: invalid: "));
  EXPECT_TRUE(Said("was built for store/00000000dead"));
  EXPECT_EQ(Run(PluginList, {"more"}), 2);
}

TEST_F(PluginToolTest, InspectShowsSettingsAndWhatIsAbsent) {
  EXPECT_EQ(Run(PluginInspect, {"store-good"}), 0);
  EXPECT_TRUE(Said("kind     Store"));
  EXPECT_TRUE(Said("  mode (string): what it does wrong"));
  EXPECT_TRUE(Said("  replicas: there is one copy"));
  EXPECT_TRUE(Said(std::string("ABI tag  ") + A4C_ABI_TAG_Store));
}

TEST_F(PluginToolTest, InspectOfWhatIsNotThereIsNotFound) {
  EXPECT_EQ(Run(PluginInspect, {"store-goot"}), 3);
  EXPECT_TRUE(Complained("hint: did you mean \"store-good\"?"));
  EXPECT_EQ(Run(PluginInspect, {"store-old-tag"}), 1);
  EXPECT_EQ(Run(PluginInspect, {}), 2);
}

TEST_F(PluginToolTest, CheckMakesOneWithTheConfig) {
  EXPECT_EQ(Run(PluginCheck, {"store-good"}), 0);
  EXPECT_TRUE(Said("store-good 0.0.0 (Store) is ready"));
  EXPECT_EQ(Run(PluginCheck, {"bus-evil", "--config=good.yaml"}), 0);
  EXPECT_EQ(Run(PluginCheck, {"store-good", "--config=bad.yaml"}), 1);
  EXPECT_TRUE(Complained("bad.yaml is no config"));
  config = ConfigValue::Map({{"mode", ConfigValue::Scalar("refuse")}});
  EXPECT_EQ(Run(PluginCheck, {"store-good", "--config=good.yaml"}), 1);
  EXPECT_TRUE(Complained("not today"));
  EXPECT_EQ(Run(PluginCheck, {"store-good", "extra"}), 2);
}

TEST_F(PluginToolTest, NewFillsInTheTemplate) {
  const fs::path into = scratch / "mine";
  EXPECT_EQ(Run(PluginNew, {"store-foo-bar", "--into=" + into.string()}), 0) << err.str();
  EXPECT_TRUE(Said("next: cmake -S " + into.string()));
  EXPECT_TRUE(fs::exists(into / "foo_bar_store.cc"));
  int files = 0;
  for (const auto& entry : fs::directory_iterator(into)) {
    ++files;
    const std::string text = TextOf(entry.path());
    for (const char* mark : {"@plugin@", "@space@", "@Type@"}) {
      EXPECT_EQ(text.find(mark), std::string::npos) << entry.path() << " still has " << mark;
    }
  }
  EXPECT_EQ(files, 6);
  const std::string text = TextOf(into / "foo_bar_store.cc");
  EXPECT_NE(text.find("class FooBarStore final : public a4c::Store"), std::string::npos);
}

// As a namespace these are words of C++, or others' already.
TEST_F(PluginToolTest, NewMakesANamespaceThatNobodyElseHas) {
  for (const std::string what : {"new", "std", "a4c", "time"}) {
    const fs::path into = scratch / what;
    EXPECT_EQ(Run(PluginNew, {"store-" + what, "--into=" + into.string()}), 0) << err.str();
    const std::string opened = "\nnamespace " + what + "_store {\n";
    EXPECT_NE(TextOf(into / (what + "_store.h")).find(opened), std::string::npos) << what;
    EXPECT_NE(TextOf(into / (what + "_store.cc")).find(opened), std::string::npos) << what;
    EXPECT_NE(TextOf(into / "plugin.cc").find(" " + what + "_store::Open"), std::string::npos);
  }
}

TEST_F(PluginToolTest, NewOverwritesNothing) {
  EXPECT_EQ(Run(PluginNew, {"store-foo", "--into=" + scratch.string()}), 1);
  EXPECT_TRUE(Complained("exists already"));
  EXPECT_TRUE(fs::is_empty(scratch));
}

TEST_F(PluginToolTest, NewRefusesWhatIsNoName) {
  for (const char* name : {"store", "store-", "-foo", "store-Foo", "../store-foo", "store-foo-",
                           "store-9p", "store--foo"}) {
    EXPECT_EQ(Run(PluginNew, {name, "--into=" + (scratch / "x").string()}), 1) << name;
    EXPECT_TRUE(Complained("is no name for a plugin")) << name;
  }
  EXPECT_EQ(Run(PluginNew, {}), 2);
}

TEST_F(PluginToolTest, NewOfAKindWithoutATemplateSaysSo) {
  const std::string into = "--into=" + (scratch / "x").string();
  EXPECT_EQ(Run(PluginNew, {"bus-foo", into}), 1);
  EXPECT_TRUE(Complained("only a store has a template so far"));
  EXPECT_TRUE(Complained("copy plugins/bus-memory")) << err.str();
  EXPECT_EQ(Run(PluginNew, {"cache-foo", into}), 1);
  EXPECT_TRUE(Complained("\"cache\" is no kind of plugin"));
  tool.template_directory = scratch;
  EXPECT_EQ(Run(PluginNew, {"store-foo", into}), 1);
  EXPECT_TRUE(Complained("there is no template at"));
  EXPECT_FALSE(fs::exists(scratch / "x"));
}

TEST_F(PluginToolTest, TheEnvironmentSaysWhereTemplatesAre) {
  setenv("A4C_TEMPLATE_DIR", "/elsewhere", 1);
  EXPECT_EQ(FindTemplateDirectory(), "/elsewhere");
  unsetenv("A4C_TEMPLATE_DIR");
  EXPECT_EQ(FindTemplateDirectory(), A4C_TEMPLATES);
}

}  // namespace
}  // namespace a4c::testing
