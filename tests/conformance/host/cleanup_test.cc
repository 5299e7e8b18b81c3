#include <algorithm>

#include "a4c/host_cleanup.h"
#include "tests/conformance/host/host_support.h"

namespace a4c::conformance {
namespace {

class HostProviderCleanup : public HostTest {
 protected:
  HostCleanup& cleanup() { return *provider().As<HostCleanup>(); }

  std::string Built(const std::string& tag, const std::string& label) {
    const auto built = provider().As<HostImages>()->Build(
        Within(120'000), {.host = host(), .tag = tag},
        InPieces(TarOf({{"Dockerfile", "FROM " + TestImage() + "\nLABEL subject=" + label + "\n"}}),
                 700),
        [](std::string_view) {});
    EXPECT_TRUE(built) << built.error().ToString();
    return built ? built->digest : "";
  }
  std::optional<HostItem> Item(const std::string& id) {
    const auto use = cleanup().Survey(Within(), host());
    EXPECT_TRUE(use) << use.error().ToString();
    if (!use) return std::nullopt;
    const auto found = std::ranges::find(use->items, id, &HostItem::id);
    return found == use->items.end() ? std::nullopt : std::optional(*found);
  }
};

TEST_F(HostProviderCleanup, TheExtensionIsThereUnlessAbsent) {
  EXPECT_EQ(provider().As<HostCleanup>() == nullptr, Absent("cleanup"));
}

TEST_F(HostProviderCleanup, AnImageOfOursIsListedWithItsNamesAndGoes) {
  if (Absent("cleanup")) return;
  const std::string tag = Unique("a4c-conformance/image") + ":1";
  const std::string id = Built(tag, tag);
  const auto item = Item(id);
  ASSERT_TRUE(item);
  EXPECT_EQ(item->kind, HostItem::Kind::kImage);
  EXPECT_EQ(item->names, std::vector<std::string>{tag});
  EXPECT_FALSE(item->in_use);
  EXPECT_GE(item->bytes, 0);
  EXPECT_LT(item->age_ms, 600'000);
  EXPECT_TRUE(cleanup().DiscardImage(Within(), host(), id));
  EXPECT_FALSE(Item(id));
  EXPECT_TRUE(cleanup().DiscardImage(Within(), host(), id)) << "the same again";
}

TEST_F(HostProviderCleanup, AnImageThatAUnitIsMadeOfStaysWithItsNames) {
  if (Absent("cleanup")) return;
  const std::string tag = Unique("a4c-conformance/image") + ":1";
  const std::string id = Built(tag, tag);
  Unit unit = NewUnit();
  unit.spec.image = tag;
  unit.wanted = UnitWanted::kStopped;
  ASSERT_TRUE(Ensure(unit));
  EXPECT_TRUE(Item(id) && Item(id)->in_use);
  const auto discarded = cleanup().DiscardImage(Within(), host(), id);
  ASSERT_FALSE(discarded);
  EXPECT_EQ(discarded.error().code(), Code::kConflict) << discarded.error().ToString();
  ASSERT_TRUE(Item(id));
  EXPECT_EQ(Item(id)->names, std::vector<std::string>{tag});
  ASSERT_TRUE(Remove(unit, 1));
  EXPECT_FALSE(Item(id)->in_use);
  EXPECT_TRUE(cleanup().DiscardImage(Within(), host(), id));
}

TEST_F(HostProviderCleanup, ImagesOfOthersAreNotListed) {
  if (Absent("cleanup")) return;
  const auto use = cleanup().Survey(Within(), host());
  ASSERT_TRUE(use) << use.error().ToString();
  for (const HostItem& item : use->items) {
    EXPECT_EQ(std::ranges::count(item.names, TestImage()), 0);
  }
}

}  // namespace
}  // namespace a4c::conformance
