#include <algorithm>
#include <cstdio>

#include "a4c/host_extensions.h"
#include "tests/conformance/host/host_support.h"

namespace a4c::conformance {
namespace {

// A tar stream of one file, as a build context is sent.
std::string TarOf(const std::string& name, const std::string& content) {
  std::string header(512, '\0');
  const auto put = [&header](size_t at, const std::string& text) {
    header.replace(at, text.size(), text);
  };
  char number[13];
  std::snprintf(number, sizeof(number), "%011zo", content.size());
  put(0, name);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, number);
  put(136, "00000000000");
  put(148, "        ");
  put(156, "0");
  put(257, std::string("ustar\0"
                       "00",
                       8));
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  std::snprintf(number, sizeof(number), "%06o", sum);
  put(148, std::string(number, 6) + '\0' + ' ');
  std::string tar = header + content;
  tar.resize((tar.size() + 511) / 512 * 512 + 1024, '\0');
  return tar;
}

ByteSource InPieces(const std::string& bytes, size_t piece) {
  return [bytes, piece, at = size_t{0}]() mutable -> Result<std::string> {
    const std::string part = bytes.substr(std::min(at, bytes.size()), piece);
    at += part.size();
    return part;
  };
}

class HostProviderImages : public HostTest {
 protected:
  Result<ImageInfo> Build(const std::string& tag, const std::string& dockerfile) {
    progress_.clear();
    return provider().As<HostImages>()->Build(Within(120'000), host(), tag,
                                              InPieces(TarOf("Dockerfile", dockerfile), 700),
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

TEST_F(HostProviderImages, ABuiltImageIsListedRunsAndIsPruned) {
  if (Absent("image_build")) return;
  HostImages* images = provider().As<HostImages>();
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
  ASSERT_TRUE(images->Prune(Within(), host(), {}));
  EXPECT_TRUE(Has(tag)) << "an image that a unit uses was pruned";

  ASSERT_TRUE(Remove(unit, 1));
  ASSERT_TRUE(images->Prune(Within(), host(), {tag}));
  EXPECT_TRUE(Has(tag)) << "an image that is kept was pruned";
  ASSERT_TRUE(images->Prune(Within(), host(), {}));
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
      Within(), host(), Unique("a4c-conformance/image") + ":1",
      InPieces(TarOf("README", "nothing to build"), 1 << 20), [](std::string_view) {});
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code(), Code::kInvalid) << built.error().ToString();
}

TEST_F(HostProviderImages, AContextThatBreaksOffGivesItsError) {
  if (Absent("image_build")) return;
  const std::string tag = Unique("a4c-conformance/image") + ":1";
  int calls = 0;
  const auto built = provider().As<HostImages>()->Build(
      Within(), host(), tag,
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
