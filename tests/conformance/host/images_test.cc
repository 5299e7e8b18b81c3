#include <algorithm>

#include "a4c/host_images.h"
#include "tests/conformance/host/host_support.h"

namespace a4c::conformance {
namespace {

class HostProviderImages : public HostTest {
 protected:
  Result<ImageInfo> Build(const std::string& tag, const std::string& dockerfile) {
    progress_.clear();
    return provider().As<HostImages>()->Build(Within(120'000), {.host = host(), .tag = tag},
                                              InPieces(TarOf({{"Dockerfile", dockerfile}}), 700),
                                              [&](std::string_view line) { progress_ += line; });
  }
  bool Has(const std::string& tag) {
    const auto images = provider().As<HostImages>()->List(Within(), host());
    EXPECT_TRUE(images) << images.error().ToString();
    return images && std::ranges::count(*images, tag, &ImageInfo::tag) == 1;
  }

  std::string progress_;
};

TEST_F(HostProviderImages, TheExtensionIsThereUnlessAbsent) {
  EXPECT_EQ(provider().As<HostImages>() == nullptr, Absent("image_build"));
}

TEST_F(HostProviderImages, ABuiltImageIsListedAndRuns) {
  if (Absent("image_build")) return;
  const std::string tag = Unique("a4c-conformance/image") + ":1";
  const auto built = Build(tag, "FROM " + TestImage() + "\nLABEL subject=" + tag + "\n");
  ASSERT_TRUE(built) << built.error().ToString();
  EXPECT_EQ(built->tag, tag);
  EXPECT_TRUE(built->digest.starts_with("sha256:"));
  EXPECT_EQ(built->digest.size(), 71u);
  EXPECT_GT(built->size_bytes, 0);
  EXPECT_NE(progress_, "");
  EXPECT_TRUE(Has(tag));

  Unit unit = NewUnit();
  unit.spec.image = tag;
  const auto status = Ensure(unit);
  ASSERT_TRUE(status) << status.error().ToString();
  EXPECT_EQ(status->labels, unit.labels) << "labels of the image are not labels of the unit";
  ASSERT_TRUE(Remove(unit, 1));
  DiscardUnused();
  EXPECT_FALSE(Has(tag));
}

TEST_F(HostProviderImages, AFailedBuildIsInvalidAndLeavesNoImage) {
  if (Absent("image_build")) return;
  const std::string tag = Unique("a4c-conformance/image") + ":1";
  const auto built = Build(tag, "FROM " + TestImage() + "\nRUN false\n");
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code(), Code::kInvalid) << built.error().ToString();
  EXPECT_NE(built.error().message().find("false"), std::string::npos) << built.error().message();
  EXPECT_FALSE(Has(tag));
}

TEST_F(HostProviderImages, AContextWithoutDockerfileIsInvalid) {
  if (Absent("image_build")) return;
  const auto built = provider().As<HostImages>()->Build(
      Within(), {.host = host(), .tag = Unique("a4c-conformance/image") + ":1"},
      InPieces(TarOf({{"README", "nothing to build"}}), 1 << 20), [](std::string_view) {});
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code(), Code::kInvalid) << built.error().ToString();
}

TEST_F(HostProviderImages, AContextThatBreaksOffGivesItsError) {
  if (Absent("image_build")) return;
  const std::string tag = Unique("a4c-conformance/image") + ":1";
  int calls = 0;
  const auto built = provider().As<HostImages>()->Build(
      Within(), {.host = host(), .tag = tag},
      [&]() -> Result<std::string> {
        if (++calls == 1) return std::string(512, 'x');
        return Error(Code::kCanceled, "the sender has gone");
      },
      [](std::string_view) {});
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code(), Code::kCanceled) << built.error().ToString();
  EXPECT_FALSE(Has(tag));
}

TEST_F(HostProviderImages, ImagesOfOthersAreNotListed) {
  if (Absent("image_build")) return;
  EXPECT_FALSE(Has(TestImage()));
}

}  // namespace
}  // namespace a4c::conformance
