// What dockerd's builder is asked for.
#include "a4c/host_images.h"
#include "tests/engine_fixture.h"

namespace a4c::baremetal {
namespace {

class BuildRequest : public EngineTest {
 protected:
  // The target of the request, which dockerd refuses.
  std::string TargetOf(const ImageBuild& build) {
    engine_.SetAnswer("POST /build?", "400 Bad Request", R"({"message":"no"})");
    const auto built = provider_->As<HostImages>()->Build(
        Call::Within(TestRuntime().clock, 60'000), build,
        []() -> Result<std::string> { return std::string(); }, [](std::string_view) {});
    EXPECT_FALSE(built);
    const std::string heard = engine_.Heard();
    const size_t at = heard.rfind("/build?");
    if (at == std::string::npos) return built.error().ToString();
    return heard.substr(at, heard.find(' ', at) - at);
  }
  static bool Has(const std::string& target, const std::string& parameter) {
    return (target + "&").find("&" + parameter + "&") != std::string::npos;
  }

  ImageBuild build_{.host = "one", .tag = "app:1"};
};

TEST_F(BuildRequest, SaysNothingOfWhatWasNotAskedFor) {
  const std::string target = TargetOf(build_);
  EXPECT_TRUE(Has(target, "networkmode=none")) << target;
  for (const char* name : {"&buildargs=", "&target=", "&dockerfile=", "&nocache=", "&pull="}) {
    EXPECT_EQ(target.find(name), std::string::npos) << target;
  }
}

TEST_F(BuildRequest, SaysHowTheDockerfileIsRead) {
  build_.build_args = {{"A", "x"}, {"_B", R"(a&b=%"c d)"}};
  build_.target = "last.1";
  build_.dockerfile = "a b/File&t=x";
  build_.no_cache = true;
  const std::string target = TargetOf(build_);
  EXPECT_TRUE(Has(target, "target=last.1")) << target;
  EXPECT_TRUE(Has(target, "dockerfile=a%20b%2FFile%26t%3Dx")) << target;
  EXPECT_TRUE(Has(target, "nocache=1")) << target;
  EXPECT_TRUE(
      Has(target, "buildargs=%7B%22A%22%3A%22x%22%2C%22_B%22%3A%22a%26b%3D%25%5C%22c%20d%22%7D"))
      << target;
}

// dockerd reads no more than a megabyte of a request's head.
TEST_F(BuildRequest, OfAllThatIsAllowedIsShortEnoughForDockerd) {
  const std::string worst = "\x01";  // as JSON and percent-encoded: eight
  for (int i = 0; i < 64; ++i) {
    std::string& value = build_.build_args["A" + std::to_string(100 + i)];
    for (int n = 0; n < 1020; ++n) value += worst;
  }
  build_.dockerfile = std::string(1024, '&');
  const std::string target = TargetOf(build_);
  EXPECT_GT(target.size(), 500u << 10);
  EXPECT_LT(target.size(), 700u << 10);
}

}  // namespace
}  // namespace a4c::baremetal
