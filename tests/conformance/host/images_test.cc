#include <algorithm>

#include "a4c/host_images.h"
#include "tests/conformance/host/host_support.h"

namespace a4c::conformance {
namespace {

class HostProviderImages : public HostTest {
 protected:
  Result<ImageInfo> Build(const std::string& tag, const std::string& dockerfile) {
    return Build({.host = host(), .tag = tag}, {{"Dockerfile", dockerfile}});
  }
  Result<ImageInfo> Build(const ImageBuild& build,
                          const std::vector<std::pair<std::string, std::string>>& files) {
    progress_.clear();
    return provider().As<HostImages>()->Build(Within(120'000), build, InPieces(TarOf(files), 700),
                                              [&](std::string_view line) { progress_ += line; });
  }
  ImageBuild NewBuild() { return {.host = host(), .tag = Unique("a4c-conformance/image") + ":1"}; }
  static void ExpectBuilt(const Result<ImageInfo>& built) {
    EXPECT_TRUE(built) << built.error().ToString();
  }
  static void ExpectInvalid(const Result<ImageInfo>& built, const std::string& what = "") {
    ASSERT_FALSE(built) << what;
    EXPECT_EQ(built.error().code(), Code::kInvalid) << what << built.error().ToString();
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

TEST_F(HostProviderImages, BuildArgsAreTheValuesOfTheDockerfilesArgs) {
  if (Absent("image_build")) return;
  ImageBuild build = NewBuild();
  const std::vector<std::pair<std::string, std::string>> files = {
      {"Dockerfile", "FROM " + TestImage() + "\nARG COMMAND=false\nRUN $COMMAND\n"}};
  ExpectInvalid(Build(build, files));
  build.build_args = {{"COMMAND", "true"}};
  ExpectBuilt(Build(build, files));
  DiscardUnused();
}

TEST_F(HostProviderImages, TheTargetIsTheStageThatBecomesTheImage) {
  if (Absent("image_build")) return;
  ImageBuild build = NewBuild();
  const std::vector<std::pair<std::string, std::string>> files = {
      {"Dockerfile", "FROM " + TestImage() + " AS first\nRUN true\nFROM first\nRUN false\n"}};
  ExpectInvalid(Build(build, files));
  build.target = "other";
  ExpectInvalid(Build(build, files));
  build.target = "first";
  ExpectBuilt(Build(build, files));
  DiscardUnused();
}

TEST_F(HostProviderImages, TheDockerfileIsWhereTheBuildSays) {
  if (Absent("image_build")) return;
  ImageBuild build = NewBuild();
  const std::vector<std::pair<std::string, std::string>> files = {
      {"Dockerfile", "FROM " + TestImage() + "\nRUN false\n"},
      {"docker/File of mine", "FROM " + TestImage() + "\nRUN true\n"}};
  ExpectInvalid(Build(build, files));
  build.dockerfile = "docker/none";
  ExpectInvalid(Build(build, files));
  build.dockerfile = "docker/File of mine";
  ExpectBuilt(Build(build, files));
  DiscardUnused();
}

TEST_F(HostProviderImages, WithoutCacheAnotherImageIsMade) {
  if (Absent("image_build")) return;
  ImageBuild build = NewBuild();
  const std::vector<std::pair<std::string, std::string>> files = {
      {"Dockerfile", "FROM " + TestImage() + "\nRUN true\n"}};
  const auto first = Build(build, files);
  ASSERT_TRUE(first) << first.error().ToString();
  build.no_cache = true;
  const auto again = Build(build, files);
  ASSERT_TRUE(again) << again.error().ToString();
  EXPECT_NE(first->digest, again->digest);
  DiscardUnused();
}

TEST_F(HostProviderImages, WhatIsOutOfFormIsRefusedBeforeTheContextIsRead) {
  if (Absent("image_build")) return;
  const auto expect_refused = [&](const ImageBuild& build, const std::string& what) {
    const ByteSource unread = [&]() -> Result<std::string> {
      ADD_FAILURE() << "read: " << what;
      return std::string();
    };
    ExpectInvalid(
        provider().As<HostImages>()->Build(Within(), build, unread, [](std::string_view) {}), what);
  };
  for (const char* name : {"", "2A", "A-B", "A=B", "A B", "\u00c4"}) {
    ImageBuild build = NewBuild();
    build.build_args = {{name, "x"}};
    expect_refused(build, std::string("arg ") + name);
  }
  for (const char* path : {"/Dockerfile", "../Dockerfile", "a/../b", "a//b", ".", "a/", "a\nb"}) {
    ImageBuild build = NewBuild();
    build.dockerfile = path;
    expect_refused(build, std::string("dockerfile ") + path);
  }
  ImageBuild build = NewBuild();
  build.target = "a b";
  expect_refused(build, "target");
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

TEST_F(HostProviderImages, ANameOfAnImageOfOthersIsDenied) {
  if (Absent("image_build")) return;
  const auto built = Build(TestImage(), "FROM " + TestImage() + "\nLABEL subject=mine\n");
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code(), Code::kDenied) << built.error().ToString();
}

TEST_F(HostProviderImages, ANameIsThatOfItsNewestBuildAlsoInFrom) {
  if (Absent("image_build") || Absent("image_supply")) return;
  const std::string tag = Unique("a4c-conformance/image") + ":1";
  const auto older = Build(tag, "FROM " + TestImage() + "\nLABEL subject=older\n");
  const auto newer = Build(tag, "FROM " + TestImage() + "\nLABEL subject=newer\n");
  ASSERT_TRUE(older && newer);
  ASSERT_NE(older->digest, newer->digest);
  auto& supply = *provider().As<HostImageSupply>();
  const auto by_name = supply.Find(Within(), host(), tag);
  ASSERT_TRUE(by_name && *by_name);
  EXPECT_EQ((*by_name)->digest, newer->digest);
  for (const std::string& base : {tag, newer->digest}) {
    ExpectBuilt(Build(NewBuild(), {{"Dockerfile", "FROM " + base + "\nLABEL subject=on-it\n"}}));
  }
  DiscardUnused();
}

TEST_F(HostProviderImages, ImagesOfOthersAreNotListed) {
  if (Absent("image_build")) return;
  EXPECT_FALSE(Has(TestImage()));
}

}  // namespace
}  // namespace a4c::conformance
