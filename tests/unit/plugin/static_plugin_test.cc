#include "tests/unit/plugin/plugin_test.h"

namespace a4c::testing {
namespace {

using StaticPlugin = PluginTest;

TEST_F(StaticPlugin, IsFoundByNameAndMade) {
  const auto info = host.Inspect("store-linked");
  ASSERT_TRUE(info) << info.error().ToString();
  EXPECT_EQ(info->path, "(static)");
  EXPECT_EQ(info->kind, "Store");
  const auto store = host.MakeStore("store-linked", Misbehaving("", ""));
  ASSERT_TRUE(store) << store.error().ToString();
  EXPECT_TRUE((*store)->Ensure(Within(1000), {}));
}

TEST_F(StaticPlugin, IsGuarded) {
  const auto store = host.MakeStore("store-linked", Misbehaving("throw", "Get"));
  ASSERT_TRUE(store);
  EXPECT_TRUE(FailsWith((*store)->Get(Within(1000), {}), Code::kInternal,
                        "store-linked: Get threw an exception"));
}

TEST_F(StaticPlugin, IsListedBesideTheFiles) {
  int linked = 0;
  int files = 0;
  for (const PluginInfo& info : host.List()) {
    linked += info.name == "store-linked" && info.path == "(static)";
    files += info.name == "store-good" && info.path != "(static)";
  }
  EXPECT_EQ(linked, 1);
  EXPECT_EQ(files, 1);
}

TEST_F(StaticPlugin, IsOfOneKindToo) {
  EXPECT_TRUE(FailsWith(host.MakeBus("store-linked", {}), Code::kInvalid, "is a Store, not a Bus"));
}

TEST_F(StaticPlugin, DoesNotStandInForAFile) {
  EXPECT_TRUE(FailsWith(host.Inspect("./store-linked"), Code::kNotFound, "tried ./store-linked"));
  EXPECT_TRUE(
      FailsWith(host.Inspect("store-linkd"), Code::kNotFound, "did you mean \"store-linked\"?"));
}

}  // namespace
}  // namespace a4c::testing
