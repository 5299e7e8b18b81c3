#include <cstdlib>
#include <filesystem>

#include "tests/unit/plugin/plugin_test.h"

namespace a4c::testing {
namespace {

namespace fs = std::filesystem;

using PluginLoading = PluginTest;

TEST_F(PluginLoading, InspectReadsTheDescriptor) {
  const auto info = host.Inspect("store-good");
  ASSERT_TRUE(info) << info.error().ToString();
  EXPECT_EQ(info->name, "store-good");
  EXPECT_EQ(info->kind, "Store");
  EXPECT_EQ(info->abi_tag, A4C_ABI_TAG_Store);
  EXPECT_EQ(info->keys.size(), 2u);
  ASSERT_EQ(info->absent.size(), 1u);
  EXPECT_STREQ(info->absent[0].name, "replicas");
  EXPECT_EQ(info->path, fs::canonical(A4C_EVIL_DIR "/store-good.so"));
}

TEST_F(PluginLoading, APathIsTakenAsItIs) {
  EXPECT_TRUE(host.MakeStore(A4C_EVIL_DIR "/store-good.so", {}));
  EXPECT_TRUE(FailsWith(host.MakeStore("./nowhere/store-good.so", {}), Code::kNotFound,
                        "tried ./nowhere/store-good.so"));
}

TEST_F(PluginLoading, NotFoundListsEveryPathTriedAndTheNearestName) {
  PluginHost two(fake.runtime(), {.directories = {"/first", A4C_EVIL_DIR}});
  const auto missing = two.MakeStore("store-goood", {});
  EXPECT_TRUE(FailsWith(missing, Code::kNotFound,
                        "/first/store-goood.so, " A4C_EVIL_DIR "/store-goood.so"));
  EXPECT_TRUE(FailsWith(missing, Code::kNotFound, "did you mean \"store-good\"?"));
}

TEST_F(PluginLoading, WithoutDirectoriesNotFoundSaysSo) {
  PluginHost none(fake.runtime(), {});
  EXPECT_TRUE(FailsWith(none.Inspect("store-good"), Code::kNotFound, "no plugin directories"));
}

TEST_F(PluginLoading, OfOneNameTheFirstDirectoryWins) {
  const fs::path first = fs::path(::testing::TempDir()) / "a4c-first";
  fs::create_directories(first);
  fs::copy_file(A4C_EVIL_DIR "/store-good.so", first / "store-good.so",
                fs::copy_options::overwrite_existing);
  PluginHost two(fake.runtime(), {.directories = {first, A4C_EVIL_DIR}, .check_ownership = false});
  const auto info = two.Inspect("store-good");
  ASSERT_TRUE(info) << info.error().ToString();
  EXPECT_EQ(info->path, fs::canonical(first) / "store-good.so");
  fs::remove_all(first);
}

TEST_F(PluginLoading, WhatIsNoPluginIsNotOpened) {
  unsetenv("A4C_TEST_OPENED");
  EXPECT_TRUE(FailsWith(host.Inspect("store-no-tag"), Code::kInvalid, "has no ABI tag"));
  EXPECT_EQ(getenv("A4C_TEST_OPENED"), nullptr);
}

TEST_F(PluginLoading, AnOldPluginIsRefusedNamingBothTagsAndIsNotOpened) {
  unsetenv("A4C_TEST_OPENED");
  const std::string ours(std::string_view(A4C_ABI_TAG_Store).substr(12));
  for (const char* name : {"store-old-tag", "store-old-tag-undefined"}) {
    const auto info = host.Inspect(name);
    EXPECT_TRUE(FailsWith(info, Code::kInvalid, "store/00000000dead/cxx11abi1/202002L")) << name;
    EXPECT_TRUE(FailsWith(info, Code::kInvalid, ours)) << name;
    EXPECT_TRUE(FailsWith(info, Code::kInvalid, "rebuild the plugin")) << name;
  }
  EXPECT_EQ(getenv("A4C_TEST_OPENED"), nullptr);
}

TEST_F(PluginLoading, AnInterfaceOfAnotherTimeIsRefused) {
  EXPECT_TRUE(FailsWith(host.Inspect("store-unknown-interface"), Code::kInvalid,
                        "this release has no such interface"));
}

TEST_F(PluginLoading, AnUndefinedSymbolIsNamed) {
  EXPECT_TRUE(
      FailsWith(host.Inspect("store-undefined"), Code::kInvalid, "a4c_function_that_was_removed"));
}

TEST_F(PluginLoading, WithoutADescriptorItIsRefused) {
  EXPECT_TRUE(
      FailsWith(host.Inspect("store-no-symbol"), Code::kInvalid, "has no symbol a4c_plugin"));
}

TEST_F(PluginLoading, ADescriptorWithAHoleIsRefused) {
  EXPECT_TRUE(FailsWith(host.Inspect("store-no-kind"), Code::kInvalid, "incomplete descriptor"));
  EXPECT_TRUE(FailsWith(host.MakeStore("store-no-factory", {}), Code::kInvalid, "has no factory"));
}

// Log, metrics and config would each call it something else.
TEST_F(PluginLoading, ACopyThatKeepsTheNameOfAnotherIsRefused) {
  const auto copied = host.MakeStore("store-copied", {});
  EXPECT_TRUE(FailsWith(copied, Code::kInvalid,
                        "says that it is the plugin \"store-good\", not \"store-copied\""));
  EXPECT_TRUE(FailsWith(copied, Code::kInvalid, "change the name in its A4C_PLUGIN(...)"));
}

TEST_F(PluginLoading, ATagOfAnotherKindIsRefused) {
  EXPECT_TRUE(FailsWith(host.MakeBus("store-kind-of-bus", {}), Code::kInvalid,
                        "says that it is a Bus built for A4C_ABI_TAG=store/"));
}

TEST_F(PluginLoading, AnotherKindThanAskedForIsRefused) {
  EXPECT_TRUE(FailsWith(host.MakeStore("bus-evil", {}), Code::kInvalid, "is a Bus, not a Store"));
  EXPECT_TRUE(FailsWith(host.MakeBus("store-good", {}), Code::kInvalid, "is a Store, not a Bus"));
  EXPECT_TRUE(FailsWith(host.MakeSearchIndex("host-evil", {}), Code::kInvalid,
                        "is a HostProvider, not a SearchIndex"));
  EXPECT_TRUE(FailsWith(host.MakeHostProvider("search-evil", {}), Code::kInvalid,
                        "is a SearchIndex, not a HostProvider"));
}

TEST_F(PluginLoading, AnUnknownKeyIsNamedWithItsPlaceAndTheNearest) {
  ConfigValue config = Misbehaving("", "");
  ConfigValue wrong = ConfigValue::Scalar("x");
  wrong.file = "a4cd.yaml";
  wrong.line = 12;
  wrong.path = "store.config.mod";
  config.map["mod"] = wrong;
  EXPECT_TRUE(FailsWith(host.MakeStore("store-good", config), Code::kInvalid,
                        "a4cd.yaml:12: store.config.mod: unknown key; did you mean \"mode\"?"));
}

TEST_F(PluginLoading, AFactoryThatThrowsIsAnError) {
  EXPECT_TRUE(FailsWith(host.MakeStore("store-good", Misbehaving("throw", "factory")),
                        Code::kInternal,
                        "store-good: factory threw an exception: the disk is on fire"));
  EXPECT_TRUE(FailsWith(host.MakeStore("store-good", Misbehaving("throw_oddity", "factory")),
                        Code::kInternal, "no std::exception"));
}

TEST_F(PluginLoading, AFactoryThatMakesNothingIsAnError) {
  EXPECT_TRUE(FailsWith(host.MakeStore("store-good", Misbehaving("null", "")), Code::kInternal,
                        "store-good: factory answered a config with no object"));
}

TEST_F(PluginLoading, TheFactorysOwnErrorComesThrough) {
  EXPECT_TRUE(FailsWith(host.MakeStore("store-good", Misbehaving("refuse", "")), Code::kDenied,
                        "not today"));
}

TEST_F(PluginLoading, ListShowsWhatIsRefusedAndWhy) {
  bool good = false;
  bool old = false;
  for (const PluginInfo& info : host.List()) {
    good |= info.name == "store-good" && info.kind == "Store";
    old |= info.name == "store-old-tag" && info.kind.empty() &&
           info.summary.find("was built for") != std::string::npos;
  }
  EXPECT_TRUE(good);
  EXPECT_TRUE(old);
}

TEST_F(PluginLoading, ALibraryStaysOpenWhenItsHostHasGone) {
  const char* name = nullptr;
  {
    PluginHost brief(fake.runtime(), EvilOptions());
    const auto info = brief.Inspect("store-good");
    ASSERT_TRUE(info);
    name = info->keys[0].name;  // points into the library
  }
  EXPECT_STREQ(name, "mode");
}

}  // namespace
}  // namespace a4c::testing
